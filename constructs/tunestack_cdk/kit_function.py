"""A function of our own: what a custom resource or a queue of ours runs."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Protocol

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct
from tunestack_functions.declared import VARIABLE, Call, FunctionSettings, Here

from tunestack_cdk.acknowledge import HIPAA, NIST, acknowledge_checkov, acknowledge_in_packs
from tunestack_cdk.job_role import service_role

# The folder that a function's code lies in as Lambda has it: `constructs/`, with the one package.
CODE = Path(__file__).parents[1]
NOT_CODE = ["tunestack_cdk", "**/__pycache__"]


class Declares(Protocol):
    """A module of `tunestack_functions`: what it is given, and what it calls."""

    __name__: str

    @property
    def calls(self) -> "Calls": ...


class Calls(Protocol):
    """Every call of AWS that a function makes, by its settings."""

    def __call__(self, settings: Any, here: Here) -> Iterator[Call]: ...


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
    """A module of `tunestack_functions` as a Lambda function, whose role may write its log and make its calls."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        module: Declares,
        settings: FunctionSettings,
        caller: Caller,
        description: str,
        key: kms.IKey,
        log_retention: logs.RetentionDays,
        removal_policy: RemovalPolicy,
        timeout: Duration | None = None,
        role_name: str | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        self.role = service_role(self, "Role", service="lambda", role_name=role_name)
        self.log_group = log_group = logs.LogGroup(
            self, "Logs", encryption_key=key, retention=log_retention, removal_policy=removal_policy
        )
        log_group.grant_write(self.role)
        self._allow(module, settings)
        self.function = lambda_.Function(
            self,
            "Function",
            description=description,
            runtime=lambda_.Runtime.PYTHON_3_14,
            handler=f"{module.__name__}.handler",
            code=lambda_.Code.from_asset(str(CODE), exclude=NOT_CODE),
            role=self.role,
            log_group=log_group,
            timeout=timeout or Duration.minutes(1),
            environment={VARIABLE: Stack.of(self).to_json_string(settings.plain())},
        )
        outside = "It calls AWS's own APIs, and nothing in the VPC; outside, it needs no endpoint for each of them."
        acknowledge_in_packs(self.function, "LambdaInsideVPC", reason=outside)
        acknowledge_in_packs(self.function, "LambdaConcurrency", reason=caller.concurrency, packs=(NIST, HIPAA))
        acknowledge_in_packs(self.function, "LambdaDLQ", reason=caller.dead_letters, packs=(NIST, HIPAA))
        resource = self.function.node.default_child
        assert isinstance(resource, lambda_.CfnFunction)
        named = "Its environment holds names and ARNs, as the template does: no secret."
        accepted = {"CKV_AWS_117": outside, "CKV_AWS_115": caller.concurrency, "CKV_AWS_116": caller.dead_letters}
        acknowledge_checkov(resource, accepted | {"CKV_AWS_173": named})

    def _allow(self, module: Declares, settings: FunctionSettings) -> None:
        stack = Stack.of(self)
        here = Here(partition=stack.partition, region=stack.region, account=stack.account)
        # A statement for each neighbourhood of calls on the same resources.
        for (resources, conditions), calls in groupby(
            module.calls(settings, here), key=lambda call: (call.on, call.conditions)
        ):
            actions = [call.action for call in calls]
            self.role.add_to_policy(
                iam.PolicyStatement(actions=actions, resources=list(resources), conditions=dict(conditions) or None)
            )
