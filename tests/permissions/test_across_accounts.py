"""What each role can do in another account: every role against every guarded resource there, reads and changes alike."""

import os
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.conftest import ACCOUNTS, ROOT
from tests.three_accounts import ACCOUNTS as ACCOUNT_OF
from tunestack.layout import BASE_MODELS, PLACES_FILLED_BY_JOBS, PLACES_FILLED_BY_PEOPLE, PROMOTED, TRAINING
from tunestack.permissions.access import Access
from tunestack.permissions.evaluator import Request, resource_decision
from tunestack.permissions.judge import Judge
from tunestack.permissions.world import Guarded, Role, World
from tunestack.template.statement import Statement

PAGE = ROOT / "docs" / "threat-model.md"
TABLE = re.compile(r"(?<=<!-- across accounts -->\n).*?(?=<!-- /across accounts -->)", re.DOTALL)
NAMES = {account: name for name, account in ACCOUNT_OF.items()}
READS, CHANGES = "reads", "changes"
VIA_S3 = {"kms:ViaService": "s3.us-east-1.amazonaws.com"}
PLACES = (*PLACES_FILLED_BY_PEOPLE, *PLACES_FILLED_BY_JOBS, PROMOTED)
# Service → what is tried on a resource of its: action, what of the resource, how the table calls it.
PROBES: dict[str, list[tuple[str, str, str]]] = {
    "kms": [("kms:Decrypt", "", READS), ("kms:GenerateDataKey", "", CHANGES), ("kms:PutKeyPolicy", "", CHANGES), ("kms:ScheduleKeyDeletion", "", CHANGES), ("kms:CreateGrant", "", CHANGES)],
    "ecr": [("ecr:BatchGetImage", "", READS), ("ecr:DescribeImageScanFindings", "", READS), ("ecr:PutImage", "", CHANGES), ("ecr:BatchDeleteImage", "", CHANGES), ("ecr:SetRepositoryPolicy", "", CHANGES)],
    "events": [("events:PutEvents", "", CHANGES), ("events:PutRule", "", CHANGES), ("events:PutPermission", "", CHANGES)],
    "sqs": [("sqs:SendMessage", "", CHANGES), ("sqs:ReceiveMessage", "", READS), ("sqs:DeleteMessage", "", CHANGES)],
    "sagemaker": [("sagemaker:DescribeModelPackage", "/1", READS), ("sagemaker:CreateModelPackage", "/1", CHANGES), ("sagemaker:UpdateModelPackage", "/1", CHANGES), ("sagemaker:DeleteModelPackage", "/1", CHANGES), ("sagemaker:PutModelPackageGroupPolicy", "", CHANGES)],
    "s3": [("s3:ListBucket", "", READS), ("s3:PutBucketPolicy", "", CHANGES), *((action, f"/{place.key('a')}", kind) for place in PLACES for action, kind in (("s3:GetObject", READS), ("s3:PutObject", CHANGES), ("s3:DeleteObject", CHANGES)))],
}  # fmt: skip


@pytest.fixture(scope="module")
def world(assembly: Any) -> World:
    return World.read([assembly(ACCOUNTS).folder])


def probes(role: Role, resource: Guarded) -> Iterator[tuple[Access, str]]:
    service = resource.arn.split(":")[2]
    for action, part, kind in PROBES.get(service, []):
        arn = resource.arn.replace(":model-package-group/", ":model-package/") if part == "/1" else resource.arn
        context = VIA_S3 if service == "kms" else {"s3:prefix": "training/a"} if action == "s3:ListBucket" else {}
        yield Access(by="probe", principal=role.arn, action=action, resource=arn + part, context=context), kind


def allowed(world: World) -> dict[tuple[str, str], dict[str, set[str]]]:
    """(role, the account that isn't its own) → what it may read and change there."""
    judge = Judge(world)
    found: dict[tuple[str, str], dict[str, set[str]]] = defaultdict(lambda: {READS: set(), CHANGES: set()})
    for role in world.roles.values():
        for resource in (item for item in world.guarded.values() if item.account != role.account):
            for access, kind in probes(role, resource):
                if judge.refusal(access) is None:
                    found[kind_of(role), NAMES[resource.account]][kind].add(in_words(access))
        for other in (item for item in world.roles.values() if item.account != role.account):
            if takes_on(judge, role, other):
                found[kind_of(role), NAMES[other.account]][CHANGES].add(f"whatever {kind_of(other)} may")
    return found


def takes_on(judge: Judge, role: Role, other: Role) -> bool:
    asked = Request(
        principal=role.arn, kind="AssumedRole", account=role.account, action="sts:AssumeRole", resource=other.arn,
        region="us-east-1", context={},
    )  # fmt: skip
    access = Access(by="probe", principal=role.arn, action="sts:AssumeRole", resource=other.arn)
    return resource_decision(other.trust, asked) == "Allow" and judge.refusal(access) is None


def in_words(access: Access) -> str:
    """An action, and of an object the place that it is in."""
    key = access.resource.rpartition(":")[2].partition("/")[2]
    return f"{access.action} in {key.partition('/')[0]}/" if ":s3:::" in access.resource and key else access.action


def kind_of(role: Role) -> str:
    """A role by what it is for, less what CloudFormation adds to its name."""
    return re.sub(r"(Role)?[0-9A-F]{8}.*$", "", role.name).removeprefix("tunestack-")


def table(world: World) -> str:
    lines = ["| role | in | reads | changes |", "|---|---|---|---|"]
    for (role, account), may in sorted(allowed(world).items()):
        cells = (", ".join(f"`{what}`" for what in sorted(may[kind])) or "nothing" for kind in (READS, CHANGES))
        lines.append(f"| `{role}` | {account} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def test_the_page_says_what_each_role_may_in_another_account_and_nothing_else_is_let_through(world: World) -> None:
    made = table(world)
    if os.environ.get("WRITE_SAMPLES"):
        PAGE.write_text(TABLE.sub(lambda _: made, PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    shown = TABLE.search(PAGE.read_text(encoding="utf-8"))
    assert shown is not None and shown[0] == made


def test_nothing_of_another_account_is_changed_but_by_telling_its_bus(world: World) -> None:
    changes = {what for may in allowed(world).values() for what in may[CHANGES]}
    assert changes == {"events:PutEvents"}


def test_no_data_set_result_or_score_is_read_from_another_account(world: World) -> None:
    reads = {what for may in allowed(world).values() for what in may[READS] if what.startswith("s3:GetObject")}
    assert reads == {f"s3:GetObject in {place.prefix}/" for place in (TRAINING, BASE_MODELS, PROMOTED)}


def test_what_is_tried_finds_a_hole(world: World, assembly: Any) -> None:
    """A write that a bucket's policy lets another account's function do stands in the table."""
    resource = next(
        item for item in world.guarded.values() if ":s3:::" in item.arn and "dev-storage-artifacts" in item.arn
    )
    role = next(item for item in world.roles.values() if item.name == "tunestack-staging-promotion")
    statement = {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "*"}
    open_policy = {"Statement": [statement | {"Principal": {"AWS": role.arn}}]}
    changed = World.read([assembly(ACCOUNTS).folder])
    changed.guarded[resource.arn] = replace(resource, policy=open_policy)
    changed.roles[role.arn] = replace(role, statements=(Statement(where="", content=statement),))
    assert "s3:PutObject in training/" in allowed(changed)["staging-promotion", "dev"][CHANGES]
