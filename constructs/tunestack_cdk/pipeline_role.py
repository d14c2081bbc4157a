"""The pipeline's own role: it starts the jobs, and hands each its role."""

from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from tunestack.job_api import APIS, Api
from tunestack_cdk.acknowledge import acknowledge_wildcard
from tunestack_cdk.job_role import allow_volume_encryption, service_role

# Jobs and models that a pipeline starts are named so by the service.
_NAMES = "pipelines-*"


class PipelineRole(Construct):
    """May start, watch and stop jobs of these kinds, register versions in the group, and read property files."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        job_roles: Sequence[iam.IRole],
        group_name: str,
        property_files: Sequence[tuple[s3.IBucket, str]],
        key: kms.IKey,
        apis: Sequence[Api] = APIS,
    ) -> None:
        super().__init__(scope, construct_id)
        self.role = service_role(self, "Role", service="sagemaker")
        for api in apis:
            actions = [f"Create{api.noun}", f"Describe{api.noun}", f"Stop{api.noun}", "AddTags"]
            self._allow_sagemaker(actions, api.resource, _NAMES)
        self._allow_sagemaker(["CreateModel", "DescribeModel", "AddTags"], "model", _NAMES)
        self._allow_sagemaker(["DescribeModelPackageGroup"], "model-package-group", group_name)
        self._allow_sagemaker(["DescribeModelPackage"], "model-package", f"{group_name}/*")
        # Nothing that a pipeline registers is approved by that.
        pending = {"StringEquals": {"sagemaker:ModelApprovalStatus": "PendingManualApproval"}}
        self._allow_sagemaker(["CreateModelPackage"], "model-package", f"{group_name}/*", conditions=pending)
        self._allow_sagemaker(["CreateModelPackage"], "model-package-group", group_name, conditions=pending)
        self.role.add_to_policy(
            iam.PolicyStatement(
                actions=["iam:PassRole"],
                resources=[role.role_arn for role in job_roles],
                conditions={"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
            )
        )
        allow_volume_encryption(self.role, key)
        # The condition reads the evaluation's property file.
        files = [bucket.arn_for_objects(f"{prefix}/*") for bucket, prefix in property_files]
        self.role.add_to_policy(iam.PolicyStatement(actions=["s3:GetObject"], resources=files))
        self.role.add_to_policy(iam.PolicyStatement(actions=["kms:Decrypt"], resources=[key.key_arn]))
        for arn in files:
            acknowledge_wildcard(
                self.role, arn, reason="A property file lies under its execution's id, which isn't known here."
            )

    def _allow_sagemaker(
        self, actions: Sequence[str], resource: str, name: str, *, conditions: Mapping[str, Any] | None = None
    ) -> None:
        stack = Stack.of(self)
        arn = stack.format_arn(service="sagemaker", resource=resource, resource_name=name)
        self.role.add_to_policy(
            iam.PolicyStatement(
                actions=[f"sagemaker:{action}" for action in actions], resources=[arn], conditions=conditions
            )
        )
        if "*" in name:
            acknowledge_wildcard(
                self.role,
                arn,
                reason="The service names the pipeline's jobs, models and versions when it makes them.",
            )
