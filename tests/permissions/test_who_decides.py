"""Who may say what of a version: people decide, and change nothing of it; what a pipeline registers waits for them."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import ACCOUNTS
from tests.three_accounts import ACCOUNTS as ACCOUNT_OF
from tunestack.permissions.calls import needed_by
from tunestack.permissions.evaluator import Request, identity_decision
from tunestack.permissions.world import Role, World

REGION = "us-east-1"
May = Callable[[str, str, dict[str, Any]], bool]


@pytest.fixture(scope="module")
def may(assembly: Any) -> May:
    """Whether a role of staging, by a part of its name, may make a call of SageMaker."""
    world = World.read([assembly(ACCOUNTS).folder])
    account = ACCOUNT_OF["staging"]

    def decided(part: str, action: str, request: dict[str, Any]) -> bool:
        here = [item for item in world.roles.values() if item.account == account and part in item.name]
        role = next((item for item in here if item.name == part), here[0])
        return all(_allows(role, item.action, item.resource, item.context) for item in _needed(action, request))

    def _needed(action: str, request: dict[str, Any]) -> Any:
        return needed_by(action, request, account=account, region=REGION)

    def _allows(role: Role, action: str, resource: str, context: Any) -> bool:
        asked = Request(
            principal=role.arn, kind="AssumedRole", account=account, action=action, resource=resource, region=REGION,
            context=context,
        )  # fmt: skip
        return identity_decision([item.content for item in role.statements], asked) == "Allow"

    return decided


VERSION = {"ModelPackageName": f"arn:aws:sagemaker:{REGION}:222222222222:model-package/tunestack-staging-models/1"}


@pytest.mark.parametrize(
    ("change", "allowed"),
    [
        ({"ModelApprovalStatus": "Approved", "ApprovalDescription": "better"}, True),
        ({"ModelApprovalStatus": "Rejected"}, True),
        ({}, False),
        ({"ModelApprovalStatus": "PendingManualApproval"}, False),
        ({"ModelApprovalStatus": "Approved", "CustomerMetadataProperties": {"adapter_uri": "s3://mine/a"}}, False),
        ({"ModelApprovalStatus": "Approved", "CustomerMetadataProperties": {"source_version_arn": "other"}}, False),
        ({"ModelApprovalStatus": "Approved", "CustomerMetadataPropertiesToRemove": ["evaluation"]}, False),
        ({"ModelApprovalStatus": "Approved", "ModelLifeCycle": {"Stage": "Production"}}, False),
        ({"CustomerMetadataProperties": {"evaluation": "perfect"}}, False),
    ],
)
def test_who_approves_changes_the_approval_and_nothing_that_it_rests_on(
    change: dict[str, Any], allowed: bool, may: May
) -> None:
    assert may("ApproverRole", "UpdateModelPackage", VERSION | change) is allowed


@pytest.mark.parametrize("role", ["PromotionPipelineRole", "FineTuningPipelineRole"])
@pytest.mark.parametrize(("approval", "allowed"), [("PendingManualApproval", True), ("Approved", False), (None, False)])
def test_what_a_pipeline_registers_waits_for_a_person(role: str, approval: str | None, allowed: bool, may: May) -> None:
    request = {"ModelPackageGroupName": "tunestack-staging-models"}
    request |= {"ModelApprovalStatus": approval} if approval else {}
    assert may(role, "CreateModelPackage", request) is allowed


@pytest.mark.parametrize("approval", ["Approved", "Rejected"])
def test_the_promotion_withdraws_and_never_approves(approval: str, may: May) -> None:
    assert may("tunestack-staging-promotion", "UpdateModelPackage", VERSION | {"ModelApprovalStatus": approval}) is (
        approval == "Rejected"
    )
