"""ApproverRole decides and makes nothing; OperatorRole looks and reads no data."""

from typing import Any

import pytest
from aws_cdk import Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from tunestack_cdk.approver_role import ApproverRole
from tunestack_cdk.operator_role import OperatorRole
from tunestack_cdk.person_role import Workplace, people

from tests.tunestack_cdk.conftest import statements
from tunestack.layout import EVALUATIONS, Bucket

TAGGED = people([], tag="kit-dev", value="person")
# What changes anything: but for the one that an approver is there for.
CHANGES = ("Put", "Start", "Stop", "Retry", "Create", "Update", "Delete", "PassRole", "Generate")


@pytest.fixture
def workplace(key: kms.Key, bucket: s3.Bucket) -> Workplace:
    return Workplace(
        pipeline_name="mine", model_package_group_name="mine", stack_prefix="kit-dev", key=key,
        buckets={Bucket.RESULTS: bucket},
    )  # fmt: skip


def actions(made: Any, role: str) -> set[str]:
    found = [item["Action"] for item in statements(made, role)]
    return {action for item in found for action in ([item] if isinstance(item, str) else item)}


def test_an_approver_changes_the_approval_alone(stack: Stack, workplace: Workplace, template: Any) -> None:
    ApproverRole(
        stack, "Approver", workplace=workplace, metadata_keys=("base_model_uri",), reads=[EVALUATIONS], assumed_by=TAGGED
    )  # fmt: skip
    found = actions(template(), "Approver")
    assert {action for action in found if any(word in action for word in CHANGES)} == {"sagemaker:UpdateModelPackage"}
    assert {"s3:GetObject", "kms:Decrypt", "sagemaker:DescribeModelPackage"} <= found


def test_an_operator_changes_nothing_and_reads_no_data(stack: Stack, workplace: Workplace, template: Any) -> None:
    OperatorRole(stack, "Operator", workplace=workplace, assumed_by=TAGGED)
    found = actions(template(), "Operator")
    assert not [action for action in found if any(word in action for word in CHANGES)]
    assert not [action for action in found if action.startswith(("s3:", "kms:"))]
    assert {"logs:GetLogEvents", "sagemaker:DescribeTrainingJob", "cloudformation:DescribeStackEvents"} <= found
