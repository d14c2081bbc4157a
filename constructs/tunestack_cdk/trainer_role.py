"""The role of people who train: they bring data and models, run the pipeline, and read what comes of it."""

from collections.abc import Mapping, Sequence

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from tunestack.job_api import APIS
from tunestack.layout import Bucket, Place
from tunestack_cdk.acknowledge import acknowledge_wildcard
from tunestack_cdk.prefix_access import PrefixAccess


class TrainerRole(Construct):
    """What `tunestack`'s commands need once an environment is deployed; it can neither deploy nor approve a version.

    Whoever IAM lets take on a role in this account can take it on.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        pipeline_name: str,
        model_package_group_name: str,
        stack_prefix: str,
        buckets: Mapping[Bucket, s3.IBucket],
        key: kms.IKey,
        brings: Sequence[Place],
        reads: Sequence[Place],
    ) -> None:
        super().__init__(scope, construct_id)
        self.role = iam.Role(self, "Role", assumed_by=iam.AccountRootPrincipal())
        access = PrefixAccess(self.role, key=key)
        for place in brings:
            access.write(buckets[place.bucket], place.prefix)
        for place in (*brings, *reads):
            access.read(buckets[place.bucket], place.prefix)
        self._allow_runs(pipeline_name)
        self._allow_versions(model_package_group_name)
        self._allow_looking()
        self._allow(["cloudformation:DescribeStacks"], self._arn("cloudformation", "stack", f"{stack_prefix}-*/*"))

    def _allow_runs(self, pipeline_name: str) -> None:
        pipeline = self._arn("sagemaker", "pipeline", pipeline_name)
        self._allow(["DescribePipeline", "ListPipelineExecutions", "StartPipelineExecution"], pipeline)
        self._allow(
            [
                "DescribePipelineExecution",
                "ListPipelineExecutionSteps",
                "ListPipelineParametersForExecution",
                "RetryPipelineExecution",
                "StopPipelineExecution",
            ],
            # An execution's ARN begins with its pipeline's.
            f"{pipeline}/execution/*",
        )

    def _allow_versions(self, group: str) -> None:
        """To see what was registered; approving is others'."""
        versions = self._arn("sagemaker", "model-package", f"{group}/*")
        self._allow(["ListModelPackages"], self._arn("sagemaker", "model-package-group", group), versions)
        self._allow(["DescribeModelPackage"], versions)

    def _allow_looking(self) -> None:
        """The jobs that the pipeline made, and their logs."""
        for api in APIS:
            self._allow([f"Describe{api.noun}"], self._arn("sagemaker", api.resource, "pipelines-*"))
            group = self._arn("logs", "log-group", api.log_group, ArnFormat.COLON_RESOURCE_NAME)
            self._allow(["logs:DescribeLogStreams", "logs:GetLogEvents"], group, f"{group}:log-stream:*")

    def _allow(self, actions: Sequence[str], *resources: str) -> None:
        named = [action if ":" in action else f"sagemaker:{action}" for action in actions]
        self.role.add_to_policy(iam.PolicyStatement(actions=named, resources=list(resources)))
        for arn in resources:
            if "*" in arn:
                acknowledge_wildcard(
                    self.role, arn, reason="Executions, jobs, logs and stacks get their ids when they are made."
                )

    def _arn(
        self, service: str, resource: str, name: str, arn_format: ArnFormat = ArnFormat.SLASH_RESOURCE_NAME
    ) -> str:
        return Stack.of(self).format_arn(service=service, resource=resource, resource_name=name, arn_format=arn_format)
