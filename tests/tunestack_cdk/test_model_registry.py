"""ModelRegistry: a group that other accounts may use, each named once, and that outlives its stack."""

from typing import Any

import pytest
from aws_cdk import Stack
from tunestack_cdk.model_consumers import ModelConsumers
from tunestack_cdk.model_registry import ModelRegistry


@pytest.mark.parametrize(("delete", "policy"), [(False, "RetainExceptOnCreate"), (True, "Delete")])
def test_it_outlives_its_stack_unless_told_otherwise(delete: bool, policy: str, stack: Stack, template: Any) -> None:
    ModelRegistry(stack, "Registry", group_name="models", consumers=ModelConsumers([]), delete_with_stack=delete)
    template().has_resource("AWS::SageMaker::ModelPackageGroup", {"DeletionPolicy": policy})


def test_an_account_that_is_named_twice_is_a_principal_once(stack: Stack, template: Any) -> None:
    accounts = ["111111111111", "222222222222", "111111111111"]
    consumers = ModelConsumers(accounts)
    ModelRegistry(stack, "Registry", group_name="models", consumers=consumers, delete_with_stack=False)
    (group,) = template().find_resources("AWS::SageMaker::ModelPackageGroup").values()
    (own, others) = group["Properties"]["ModelPackageGroupPolicy"]["Statement"]
    principals = str(others["Principal"]["AWS"])
    assert principals.count("111111111111") == principals.count("222222222222") == 1
    assert "sagemaker:CreateModel" in others["Action"] and "sagemaker:CreateModel" not in own["Action"]
    assert not [action for action in (*own["Action"], *others["Action"]) if action.endswith("*")]
