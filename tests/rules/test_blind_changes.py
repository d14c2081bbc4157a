"""Changes that know no rule: made of the templates' own structure, whatever the resource, and each for the worse.

A statement anywhere loses a condition or a limit, a protection is switched off or left out, a reference leads to a
stranger's account. Of these each is named by a rule or by the permission proof.
"""

import copy
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from tests.conftest import ACCOUNTS
from tunestack.permissions.proof import prove
from tunestack.permissions.world import World
from tunestack.rules import violations
from tunestack.template.assembly import Stack
from tunestack.template.resources import Resources

Path = tuple[Any, ...]
Templates = dict[str, Any]
SAMPLE = 160
STRANGER = "arn:aws:iam::999999999999:root"
STRANGERS = {"key": "arn:aws:kms:us-east-1:999999999999:key/x", "role": "arn:aws:iam::999999999999:role/x"}
# What protects, by its name alone.
PROTECTS = re.compile(
    r"Encrypt|Kms|BlockPublic|IgnorePublic|RestrictPublic|Versioning|Logging|LogsConfig|Retention|Mutab|ScanOnPush"
    r"|PrivateDns|Isolation|SecurityGroup(Ids|Egress)|Source(Arn|Account)|Ownership|Rotation|SseEnabled|^Condition$"
)
# What CDK makes for itself, by name; a person's role has no need that is known.
CDK_S_OWN = re.compile(r"CustomVpcRestrict|CustomS3AutoDelete")
# Type and place → why a change of it is none for the worse.
HARMLESS = {
    r"AWS::S3::Bucket.*(BucketKeyEnabled|ExpiredObjectDeleteMarker)": "what it costs",
    r"AWS::S3::Bucket.*AccessLogsBucket.*VersioningConfiguration": "a log is written once",
    r"AWS::ECR::Repository.*EmptyOnDelete": "whether a stack that is destroyed leaves images behind",
    r"AWS::CodeBuild::Project.*PrivilegedMode": "docker build needs it; off, it fails",
    r"AWS::EC2::VPC\b.*EnableDns": "off, nothing resolves: jobs fail",
    r"AWS::S3::BucketPolicy.*AccessLogs.* without aws:Source": "each of the two bounds it",
    r"AWS::SQS::Queue\b.*MessageRetentionPeriod": "how long a message that failed is kept",
    r"AWS::SQS::Queue\b.*SqsManagedSseEnabled gone": "it is on by default",
    r"Custom::JobLogs.*change_others": "what the team asks for in its settings",
}


@dataclass(frozen=True)
class Change:
    """What is done at which place."""

    kind: str
    resource: str
    path: Path
    apply: Callable[[Any], None]
    """Given what holds the place, and its key."""

    def __str__(self) -> str:
        return f"{self.resource} {'.'.join(map(str, self.path[3:]))} {self.kind}"


def nodes(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    yield path, value
    if isinstance(value, dict) and not _is_function(value):
        for key, item in value.items():
            yield from nodes(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from nodes(item, (*path, index))


def _is_function(value: dict[str, Any]) -> bool:
    return len(value) == 1 and next(iter(value)).startswith(("Fn::", "Ref"))


def _at(templates: Any, path: Path) -> Any:
    for part in path:
        templates = templates[part]
    return templates


def changes(templates: Templates) -> Iterator[Change]:
    for stack, template in templates.items():
        for name, resource in template["Resources"].items():
            if CDK_S_OWN.search(name):
                continue
            title = f"{resource['Type']} {stack}.{name}"
            for path, value in nodes(resource.get("Properties", {}), (stack, "Resources", name, "Properties")):
                for kind, new in _worse(path, value):
                    yield Change(kind, title, path, new)


def _worse(path: Path, value: Any) -> Iterator[tuple[str, Callable[[Any], None]]]:
    key = path[-1]

    def become(new: Any) -> Callable[[Any], None]:
        return lambda holder: holder.__setitem__(key, new)

    if isinstance(value, bool):
        yield "the other way round", become(not value)
    if isinstance(key, str) and PROTECTS.search(key) and key != "Properties":
        yield "gone", lambda holder: holder.pop(key)
    if isinstance(key, str) and re.search(r"(Kms|Key|Role|Queue|Target)\w*Arn$|Kms\w*Key\w*$|EncryptionKey$", key):
        yield "a stranger's", become(STRANGERS["role" if "Role" in key else "key"])
    if isinstance(value, dict) and value.get("Effect") in ("Allow", "Deny") and "Action" in value:
        yield from _statement(value, become)


def _statement(
    value: dict[str, Any], become: Callable[[Any], Callable[[Any], None]]
) -> Iterator[tuple[str, Callable[[Any], None]]]:
    if value["Effect"] == "Deny":
        yield "denies nobody", become({**value, "Principal": {"AWS": STRANGER}})
        yield "allows", become({**value, "Effect": "Allow"})
        return
    for operator, asked in value.get("Condition", {}).items():
        for key in asked:
            rest = {name: item for name, item in asked.items() if name != key}
            yield f"without {key}", become({**value, "Condition": {**value["Condition"], operator: rest}})
    yield "all but", become({**{k: v for k, v in value.items() if k != "Action"}, "NotAction": value["Action"]})
    if "Principal" in value:
        yield "for a stranger", become({**value, "Principal": {"AWS": STRANGER}, "Condition": {}})
    elif value.get("Resource") != "*":
        yield "on everything", become({**value, "Resource": "*"})


def sampled(templates: Templates) -> list[Change]:
    """As many of each kind of resource and of change, chosen alike each time."""
    by_kind: dict[tuple[str, str], list[Change]] = {}
    for change in changes(templates):
        if not any(re.search(pattern, str(change)) for pattern in HARMLESS):
            by_kind.setdefault((change.resource.split()[0], change.kind), []).append(change)
    chosen = random.Random(33)
    each = 6
    found = [item for kind in sorted(by_kind) for item in chosen.sample(by_kind[kind], min(each, len(by_kind[kind])))]
    return chosen.sample(found, min(SAMPLE, len(found)))


def stacks_of(world: World, templates: Templates) -> list[Stack]:
    return [replace(stack, template=templates[stack.name]) for stack in world.stacks.values()]


def by_rules(stacks: list[Stack]) -> set[str]:
    return {str(item) for item in violations(Resources.of_stacks(stacks))}


def by_the_proof(stacks: list[Stack]) -> set[str]:
    proof = prove(World(stacks))
    return {str(item) for item in (*proof.broken, *proof.unneeded)}


@pytest.mark.slow
def test_ninety_five_of_a_hundred_are_named(assembly: Any) -> None:
    world = World.read([assembly(ACCOUNTS).folder])
    templates = {name: dict(stack.template) for name, stack in world.stacks.items()}
    known = by_rules(stacks_of(world, templates)) | by_the_proof(stacks_of(world, templates))
    tried = sampled(templates)
    missed = []
    for change in tried:
        stack = change.path[0]
        changed = {**templates, stack: copy.deepcopy(templates[stack])}
        change.apply(_at(changed, change.path[:-1]))
        stacks = stacks_of(world, changed)
        if not by_rules(stacks) - known and not by_the_proof(stacks) - known:
            missed.append(str(change))
    assert len(tried) >= 150
    assert len(missed) <= 0.05 * len(tried), "\n".join(missed)
