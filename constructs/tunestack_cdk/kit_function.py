"""A function of our own: what a custom resource or a queue of ours runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from tunestack_cdk.acknowledge import HIPAA, NIST, acknowledge_checkov, acknowledge_in_packs
from tunestack_cdk.job_role import service_role

FUNCTIONS = Path(__file__).parent / "functions"


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who calls a function, and what follows: why it keeps no share of the account's concurrency, and no queue."""

    concurrency: str
    dead_letters: str


CUSTOM_RESOURCE = Caller(
    concurrency="It runs once in a deployment; of a new account's ten at a time, none should be kept for it.",
    dead_letters=(
        "What it can't do it answers to CloudFormation, which fails the deployment, as it does where no answer "
        "comes: nothing that nobody notices could lie in a queue."
    ),
)
QUEUE = Caller(
    concurrency="What waits lies in its queue; of a new account's ten at a time, none should be kept for it.",
    dead_letters="Its queue has a dead-letter queue: a message that it fails on again and again goes there.",
)


class KitFunction(Construct):
    """A module of `functions/` as a Lambda function, with a role that may write its own log and nothing else."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        module: str,
        caller: Caller,
        description: str,
        key: kms.IKey,
        log_retention: logs.RetentionDays,
        removal_policy: RemovalPolicy,
        environment: Mapping[str, str] | None = None,
        timeout: Duration | None = None,
        role_name: str | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        self.role = service_role(self, "Role", service="lambda", role_name=role_name)
        log_group = logs.LogGroup(
            self, "Logs", encryption_key=key, retention=log_retention, removal_policy=removal_policy
        )
        log_group.grant_write(self.role)
        self.function = lambda_.Function(
            self,
            "Function",
            description=description,
            runtime=lambda_.Runtime.PYTHON_3_14,
            handler=f"{module}.handler",
            code=lambda_.Code.from_asset(str(FUNCTIONS), exclude=["__pycache__"]),
            role=self.role,
            log_group=log_group,
            timeout=timeout or Duration.minutes(1),
            environment=dict(environment or {}),
        )
        outside = "It calls AWS's own APIs, and nothing in the VPC; outside, it needs no endpoint for each of them."
        acknowledge_in_packs(self.function, "LambdaInsideVPC", reason=outside)
        acknowledge_in_packs(self.function, "LambdaConcurrency", reason=caller.concurrency, packs=(NIST, HIPAA))
        acknowledge_in_packs(self.function, "LambdaDLQ", reason=caller.dead_letters, packs=(NIST, HIPAA))
        resource = self.function.node.default_child
        assert isinstance(resource, lambda_.CfnFunction)
        named = "Its environment holds names and ARNs, as the template does: no secret."
        accepted = {"CKV_AWS_117": outside, "CKV_AWS_115": caller.concurrency, "CKV_AWS_116": caller.dead_letters}
        acknowledge_checkov(resource, accepted | ({"CKV_AWS_173": named} if environment else {}))
