"""What the roles of people have in common: who takes them on, and what each may look at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aws_cdk import ArnFormat, Aws, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from tunestack.job_api import APIS
from tunestack.layout import Bucket, Place
from tunestack_cdk.acknowledge import acknowledge_wildcard
from tunestack_cdk.job_role import accept_own_policy
from tunestack_cdk.prefix_access import PrefixAccess


@dataclass(frozen=True, kw_only=True)
class Workplace:
    """What people work with in an environment: the names, the buckets and their key."""

    pipeline_name: str
    # Of versions of another environment, where there are any.
    promotion_pipeline_name: str | None = None
    model_package_group_name: str
    # What the names of its stacks begin with.
    stack_prefix: str
    buckets: Mapping[Bucket, s3.IBucket]
    key: kms.IKey


def people(arns: Sequence[str], *, tag: str, value: str) -> iam.IPrincipal:
    """Principals of this account: those of the ARNs, which may end in `*`, or whoever has a tag with a value.

    A principal has one value of a tag: tagged, nobody is an approver and a trainer of one environment.
    """
    # By reference: the same template, whether or not the account is known when it is made.
    account = iam.AccountPrincipal(Aws.ACCOUNT_ID)
    if arns:
        return account.with_conditions({"ArnLike": {"aws:PrincipalArn": list(arns)}})
    return account.with_conditions({"StringEquals": {f"aws:PrincipalTag/{tag}": value}})


class PersonRole(Construct):
    """A role for people, who see the pipeline, its executions and the registered versions."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        workplace: Workplace,
        assumed_by: iam.IPrincipal,
        role_name: str | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        self._buckets = workplace.buckets
        self.role = iam.Role(self, "Role", assumed_by=assumed_by, role_name=role_name)
        accept_own_policy(self.role)
        self._access = PrefixAccess(self.role, key=workplace.key)
        self._pipeline = self._arn("sagemaker", "pipeline", workplace.pipeline_name)
        # An execution's ARN begins with its pipeline's.
        self._executions = f"{self._pipeline}/execution/*"
        self._versions = self._arn("sagemaker", "model-package", f"{workplace.model_package_group_name}/*")
        self._stacks = self._arn("cloudformation", "stack", f"{workplace.stack_prefix}-*/*")
        seen = [self._pipeline]
        if workplace.promotion_pipeline_name:
            seen.append(self._arn("sagemaker", "pipeline", workplace.promotion_pipeline_name))
            # What the function refused, of which no execution tells; its log group gets its name from the stack's.
            log = f"{workplace.promotion_pipeline_name}-*"
            self._allow(["logs:FilterLogEvents"], self._arn("logs", "log-group", log, ArnFormat.COLON_RESOURCE_NAME))
        self._allow(["DescribePipeline", "ListPipelineExecutions"], *seen)
        self._allow(
            [
                "DescribePipelineExecution",
                "DescribePipelineDefinitionForExecution",
                "ListPipelineExecutionSteps",
                "ListPipelineParametersForExecution",
            ],
            *(f"{pipeline}/execution/*" for pipeline in seen),
        )
        group = self._arn("sagemaker", "model-package-group", workplace.model_package_group_name)
        self._allow(["ListModelPackages"], group, self._versions)
        self._allow(["DescribeModelPackage"], self._versions)
        self._allow(["cloudformation:DescribeStacks"], self._stacks)

    def _allow_jobs_and_logs(self) -> None:
        """The jobs that the pipeline made, and their logs."""
        for api in APIS:
            self._allow([f"Describe{api.noun}"], self._arn("sagemaker", api.resource, "pipelines-*"))
            group = self._arn("logs", "log-group", api.log_group, ArnFormat.COLON_RESOURCE_NAME)
            self._allow(["logs:DescribeLogStreams", "logs:GetLogEvents"], group, f"{group}:log-stream:*")

    def _allow_reading(self, places: Sequence[Place]) -> None:
        for place in places:
            self._access.read(self._buckets[place.bucket], place.prefix)

    def _allow(self, actions: Sequence[str], *resources: str, conditions: Mapping[str, Any] | None = None) -> None:
        named = [action if ":" in action else f"sagemaker:{action}" for action in actions]
        statement = iam.PolicyStatement(actions=named, resources=list(resources), conditions=conditions)
        self.role.add_to_policy(statement)
        for arn in resources:
            if "*" in arn:
                acknowledge_wildcard(
                    self.role,
                    arn,
                    reason="Executions, versions, jobs, logs and stacks get their ids when they are made.",
                )

    def _arn(
        self, service: str, resource: str, name: str, arn_format: ArnFormat = ArnFormat.SLASH_RESOURCE_NAME
    ) -> str:
        return Stack.of(self).format_arn(service=service, resource=resource, resource_name=name, arn_format=arn_format)
