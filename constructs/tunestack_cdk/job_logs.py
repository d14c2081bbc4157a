"""The log groups that SageMaker writes to: one for each kind of job, named by the service, for the whole account."""

from collections.abc import Sequence

from aws_cdk import ArnFormat, CustomResource, Duration, RemovalPolicy, Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct
from tunestack_functions import job_logs

from tunestack_cdk.acknowledge import acknowledge, acknowledge_wildcard
from tunestack_cdk.kit_function import CUSTOM_RESOURCE, KitFunction


class JobLogs(Construct):
    """Makes the groups, or takes them as they are, and gives them a retention and a key.

    They can't be a stack's own: the first job makes them, and everybody in the account shares them. A group that was
    there before the kit is changed with `change_others` alone, one of another environment of the kit for a longer
    retention. They get the key only where it outlives the stack: a group whose key is deleted takes no line any more.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        names: Sequence[str],
        retention_days: int,
        key: kms.IKey,
        log_retention: logs.RetentionDays,
        removal_policy: RemovalPolicy,
        change_others: bool = False,
    ) -> None:
        super().__init__(scope, construct_id)
        settings = job_logs.Settings(
            log_group_names=list(names),
            retention_days=retention_days,
            key_arn=key.key_arn if removal_policy is not RemovalPolicy.DESTROY else None,
            change_others=change_others,
        )
        keeper = KitFunction(
            self,
            "Keeper",
            module=job_logs,
            settings=settings,
            caller=CUSTOM_RESOURCE,
            description="Gives the log groups of SageMaker's jobs their retention and their key",
            key=key,
            log_retention=log_retention,
            removal_policy=removal_policy,
        )
        for name in names:
            streams = f"{self._arn(name)}:*"
            reason = "The service names a log group with or without its streams."
            acknowledge_wildcard(keeper.role, streams, reason=reason)
        acknowledge(
            keeper.role, "AwsSolutions-IAM5[Resource::*]", reason="DescribeLogGroups lists the account's groups."
        )
        settled = CustomResource(
            self,
            "Settled",
            service_token=keeper.function.function_arn,
            resource_type="Custom::JobLogs",
            service_timeout=Duration.minutes(5),
            # Not read: a change of them calls the function again.
            properties={"Settings": settings.plain()},
        )
        settled.node.add_dependency(keeper)

    def _arn(self, name: str) -> str:
        return Stack.of(self).format_arn(
            service="logs", resource="log-group", resource_name=name, arn_format=ArnFormat.COLON_RESOURCE_NAME
        )
