"""What CloudFormation must be allowed to deploy a world's stacks: by AWS's own resource schemas, on named resources.

`cdk bootstrap` gives its execution role AdministratorAccess unless it is told which policies to give instead.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from tunestack.catalogue.regions import partition_of
from tunestack.permissions.deployment_calls import Place, kind_of, names_of, needed_actions, path_of
from tunestack.permissions.reference import resource_types
from tunestack.template.assembly import Stack

# Of a managed policy, without white space ("IAM and AWS STS quotas").
MOST_CHARACTERS = 6_144
# What the stacks' resources are called, by kind of AWS's reference; `{prefix}` is how all names of a project begin.
# Of these services, what is no resource of these kinds isn't the stacks'.
_NAMES: Mapping[str, tuple[str, ...]] = {
    "budgets:budget": ("{prefix}*",),
    "cloudwatch:alarm": ("{prefix}*",),
    "codebuild:project": ("*",),
    "codepipeline:pipeline": ("{prefix}*",),
    "codepipeline:stage": ("{prefix}*",),
    "ecr:repository": ("{prefix}*",),
    "events:event-bus": ("{prefix}*",),
    "events:rule-on-default-event-bus": ("*",),
    "iam:role": ("{prefix}*",),
    "iam:oidc-provider": (),
    "kms:alias": ("{prefix}*",),
    "kms:key": ("*",),
    "lambda:eventSourceMapping": ("*",),
    "lambda:function": ("{prefix}*",),
    "logs:log-group": ("*",),
    "ram:resource-share": ("*",),
    "s3:bucket": ("{prefix}*", "cdk-*-assets-{account}-*"),
    "s3:object": ("{prefix}*/*", "cdk-*-assets-{account}-*/*"),
    "sagemaker:model-package-group": ("{prefix}*",),
    "sagemaker:pipeline": ("{prefix}*",),
    "sns:topic": ("{prefix}*",),
    "sqs:queue": ("{prefix}*",),
}
_NAMED_SERVICES = frozenset(kind.partition(":")[0] for kind in _NAMES)
# EC2 names what it makes, and an action of it is allowed on a dozen kinds at once.
_ANYWHERE = frozenset({"ec2"})
_SERVICE_LINKED_ROLE = "iam:CreateServiceLinkedRole"
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

    @property
    def place(self) -> Place:
        return Place(partition=self.partition, region=self.region, account=self.account)


def targets_of(stacks: Iterable[Stack]) -> list[Target]:
    """Every account and region that stacks go to."""
    found: dict[tuple[str, str], list[Stack]] = {}
    for stack in stacks:
        found.setdefault((stack.account, stack.region), []).append(stack)
    return [Target(account=account, region=region, stacks=tuple(of)) for (account, region), of in sorted(found.items())]


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
    """Actions that are allowed on the same resources together; who passes a role is apart, as the rules ask."""
    grouped: dict[tuple[str, bool, tuple[str, ...]], list[str]] = {}
    names = _names(target, prefix)
    for action in sorted(needed_actions(target.stacks)):
        if resources := _resources(action, target, names):
            key = (action.partition(":")[0], action == "iam:PassRole", resources)
            grouped.setdefault(key, []).append(action)
    for (service, _, resources), actions in sorted(grouped.items()):
        yield _statement(target, service, actions, list(resources))


def _names(target: Target, prefix: str) -> Mapping[str, tuple[str, ...]]:
    """The names of each kind: as all begin, and each of the templates that begins otherwise."""
    found = {
        kind: [form.format(prefix=prefix, account=target.account) for form in forms] for kind, forms in _NAMES.items()
    }
    for stack in target.stacks:
        for item in stack.template.get("Resources", {}).values():
            kind = kind_of(item["Type"])
            if kind is None or kind not in found:
                continue
            properties = item.get("Properties", {})
            path = path_of(item["Type"], properties)
            for name in (*([f"{path}{prefix}*"] if path else []), *names_of(item["Type"], properties)):
                if not any(fnmatchcase(name, form) for form in found[kind]):
                    found[kind].append(name)
    return {kind: tuple(names) for kind, names in found.items()}


def _resources(action: str, target: Target, names: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """The ARNs that an action is allowed on: `*` where it knows none; nothing where it is of no kind that is there."""
    service, kinds = action.partition(":")[0], resource_types(action)
    if not kinds or service in _ANYWHERE:
        return ("*",)
    if action == _SERVICE_LINKED_ROLE:
        return (target.place.arn(kinds[0], "aws-service-role/*"),)
    if service not in _NAMED_SERVICES:
        return tuple(target.place.arn(kind) for kind in kinds)
    return tuple(target.place.arn(kind, name) for kind in kinds for name in names.get(f"{service}:{kind.name}", ()))


def _statement(target: Target, service: str, actions: list[str], resources: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {"Effect": "Allow", "Action": actions, "Resource": resources}
    if resources == ["*"] and service not in _GLOBAL:
        found["Condition"] = {"StringEquals": {"aws:RequestedRegion": target.region}}
    return found
