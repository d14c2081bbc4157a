"""What CloudFormation must be allowed to deploy a world's stacks: by AWS's own resource schemas, on named resources.

`cdk bootstrap` gives its execution role AdministratorAccess unless it is told which policies to give instead.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tunestack.catalogue.regions import partition_of
from tunestack.errors import UserError
from tunestack.template.assembly import Stack

# Of a managed policy, without white space ("IAM and AWS STS quotas").
MOST_CHARACTERS = 6_144
# Actions of a service → the ARNs that they are allowed on, where the stacks' resources have names that begin alike;
# `{prefix}` is that beginning. CodeBuild's projects and EC2's things get theirs from the service.
_RESOURCES: Mapping[str, tuple[str, ...]] = {
    "budgets": ("budgets::{account}:budget/{prefix}*",),
    "codepipeline": ("codepipeline:{region}:{account}:{prefix}*",),
    "ecr": ("ecr:{region}:{account}:repository/{prefix}*",),
    "events": ("events:{region}:{account}:rule/*", "events:{region}:{account}:event-bus/{prefix}*"),
    "iam": ("iam::{account}:role/{prefix}*",),
    "kms": ("kms:{region}:{account}:key/*", "kms:{region}:{account}:alias/{prefix}*"),
    "lambda": ("lambda:{region}:{account}:function:{prefix}*", "lambda:{region}:{account}:event-source-mapping:*"),
    "logs": ("logs:{region}:{account}:log-group:*",),
    "ram": ("ram:{region}:{account}:*",),
    "s3": ("s3:::{prefix}*", "s3:::cdk-*-assets-{account}-*"),
    "sagemaker": (
        "sagemaker:{region}:{account}:pipeline/{prefix}*",
        "sagemaker:{region}:{account}:model-package-group/{prefix}*",
    ),
    "sqs": ("sqs:{region}:{account}:{prefix}*",),
    "codebuild": ("codebuild:{region}:{account}:project/*", "codebuild:{region}:{account}:report-group/*"),
}
# These know no resource, or make one that has no name yet.
_ANYWHERE = frozenset(
    {
        "events:PutEvents", "kms:CreateKey", "kms:ListAliases", "kms:ListKeys", "lambda:CreateEventSourceMapping",
        "lambda:ListEventSourceMappings", "logs:DescribeLogGroups", "ram:CreateResourceShare", "s3:ListAllMyBuckets",
    }
)  # fmt: skip
# What CloudFormation asks for, whatever it deploys: CDK's check of the bootstrap's version, the functions' code, and
# the functions behind custom resources.
_ALWAYS = (
    "ssm:GetParameters",
    "s3:GetObject",
    "lambda:InvokeFunction",
    "iam:PassRole",
    "cloudformation:DescribeStacks",
)
# Types whose schemas name no action, as of cfn-lint 1.58 (Service Authorization Reference of each service).
_WITHOUT_SCHEMA: Mapping[str, tuple[str, ...]] = {
    "AWS::CodeBuild::Project": (
        "codebuild:BatchGetProjects", "codebuild:CreateProject", "codebuild:DeleteProject", "codebuild:UpdateProject",
        "iam:PassRole",
    ),
    "AWS::EC2::SecurityGroup": (
        "ec2:AuthorizeSecurityGroupEgress", "ec2:AuthorizeSecurityGroupIngress", "ec2:CreateSecurityGroup",
        "ec2:CreateTags", "ec2:DeleteSecurityGroup", "ec2:DeleteTags", "ec2:DescribeSecurityGroups",
        "ec2:RevokeSecurityGroupEgress", "ec2:RevokeSecurityGroupIngress",
    ),
    "AWS::IAM::Policy": ("iam:DeleteRolePolicy", "iam:GetRolePolicy", "iam:PutRolePolicy"),
    "AWS::SQS::QueuePolicy": ("sqs:GetQueueAttributes", "sqs:SetQueueAttributes"),
}  # fmt: skip
_GLOBAL = frozenset({"budgets", "iam", "sts"})


@dataclass(frozen=True, kw_only=True)
class Target:
    """An account in a region, with the stacks that go there."""

    account: str
    region: str
    stacks: tuple[Stack, ...]

    @property
    def partition(self) -> str:
        return partition_of(self.region)


def targets_of(stacks: Iterable[Stack]) -> list[Target]:
    """Every account and region that stacks go to."""
    found: dict[tuple[str, str], list[Stack]] = {}
    for stack in stacks:
        found.setdefault((stack.account, stack.region), []).append(stack)
    return [Target(account=account, region=region, stacks=tuple(of)) for (account, region), of in sorted(found.items())]


def needed_actions(stacks: Iterable[Stack]) -> set[str]:
    """The actions that CloudFormation's handlers of the stacks' resource types call.

    Raises:
        UserError: cfn-lint, whose package has AWS's schemas, isn't installed.
    """
    kinds = {item["Type"] for stack in stacks for item in stack.template.get("Resources", {}).values()}
    found = set(_ALWAYS)
    for kind in sorted(kinds):
        if not kind.startswith(("Custom::", "AWS::CDK::", "AWS::CloudFormation::CustomResource")):
            found.update(_actions_of(kind))
    return found


def _actions_of(kind: str) -> set[str]:
    handlers = _schema(kind).get("handlers", {}).values()
    actions = {action for handler in handlers for action in handler.get("permissions", ()) if ":" in action}
    actions.update(_WITHOUT_SCHEMA.get(kind, ()))
    if not actions:
        raise UserError(f"nobody says what deploying {kind} takes: bootstrap its account with policies of your own")
    return actions


def _schema(kind: str) -> Mapping[str, Any]:
    try:
        from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER
    except ImportError:
        raise UserError(
            "the schemas of CloudFormation's resources come with cfn-lint: `make setup` installs it"
        ) from None
    found: Mapping[str, Any] = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema
    return found


def deployment_policies(target: Target, *, prefix: str) -> list[dict[str, Any]]:
    """The policies of a target's execution role, each within what a managed policy may hold.

    Raises:
        UserError: cfn-lint isn't installed.
    """
    policies: list[dict[str, Any]] = []
    for statement in _statements(target, prefix):
        tried = {"Version": "2012-10-17", "Statement": [*(policies[-1]["Statement"] if policies else ()), statement]}
        if policies and len(json.dumps(tried, separators=(",", ":"))) <= MOST_CHARACTERS:
            policies[-1] = tried
        else:
            policies.append({"Version": "2012-10-17", "Statement": [statement]})
    return policies


def _statements(target: Target, prefix: str) -> Iterator[dict[str, Any]]:
    by_service: dict[str, set[str]] = {}
    for action in needed_actions(target.stacks):
        by_service.setdefault(action.partition(":")[0], set()).add(action)
    for service, actions in sorted(by_service.items()):
        named = sorted(action for action in actions if action not in _ANYWHERE) if service in _RESOURCES else []
        anywhere = sorted(actions - set(named) - {"iam:PassRole"})
        passed = "iam:PassRole" in named
        named = [action for action in named if action != "iam:PassRole"]
        resources = [_arn(target, form, prefix) for form in _RESOURCES.get(service, ())]
        if named:
            yield _statement(target, service, named, resources)
        if passed:
            yield _statement(target, service, ["iam:PassRole"], resources)
        if anywhere:
            yield _statement(target, service, anywhere, ["*"])


def _arn(target: Target, form: str, prefix: str) -> str:
    return f"arn:{target.partition}:" + form.format(account=target.account, region=target.region, prefix=prefix)


def _statement(target: Target, service: str, actions: list[str], resources: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {"Effect": "Allow", "Action": actions, "Resource": resources}
    if service == "s3" and resources != ["*"]:
        found["Resource"] = [*resources, *(f"{resource}/*" for resource in resources)]
    if resources == ["*"] and service not in _GLOBAL:
        found["Condition"] = {"StringEquals": {"aws:RequestedRegion": target.region}}
    return found
