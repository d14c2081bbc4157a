"""What the bootstrap's policies allow CloudFormation: what the stacks need, on resources that it can match."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.stacks.test_delivery import synthesized
from tunestack.permissions.access import Access
from tunestack.permissions.deployment_calls import Operation, calls_of, names_of, needed_actions
from tunestack.permissions.deployment_policy import MOST_CHARACTERS, Target, deployment_policies, targets_of
from tunestack.permissions.judge import Judge
from tunestack.permissions.world import Role, World
from tunestack.template.statement import Statement

OPERATIONS: tuple[Operation, ...] = ("create", "read", "update", "delete")


@pytest.fixture(scope="module")
def assembly_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return synthesized(tmp_path_factory.mktemp("delivery"))


Allowed = Callable[[str, str], bool]


def allowed_by(target: Target, policies: list[dict[str, Any]]) -> Allowed:
    """Whether the policies let a role of the target's account do something there."""
    statements = [Statement(content=item, where="") for policy in policies for item in policy["Statement"]]
    role = Role(
        name="exec", arn=f"arn:aws:iam::{target.account}:role/exec", account=target.account, stack="", trust={},
        statements=tuple(statements),
    )  # fmt: skip
    judge = Judge(World([]))

    def may(action: str, resource: str) -> bool:
        keys = {"aws:RequestedRegion": target.region}
        access = Access(by="", principal=role.arn, action=action, resource=resource, context=keys)
        return any(judge.allows(role, statement, access) for statement in role.statements)

    return may


def refused_calls(target: Target, may: Allowed) -> set[tuple[str, str, str]]:
    """Type, action and ARN of every call of CloudFormation's that isn't allowed on the very resource."""
    return {
        (item["Type"], action, arn)
        for stack in target.stacks
        for logical_id, item in stack.template["Resources"].items()
        for operation in OPERATIONS
        for action, arn in calls_of(
            item["Type"], item.get("Properties", {}), operation=operation, place=target.place,
            default_name=f"{stack.name}-{logical_id}",
        )
        if not may(action, arn)
    }  # fmt: skip


def test_each_account_may_deploy_what_its_stacks_hold_and_little_else(assembly_folder: Path) -> None:
    for target in targets_of(World.read([assembly_folder]).stacks.values()):
        policies = deployment_policies(target, prefix="tunestack-")
        assert all(len(json.dumps(policy, separators=(",", ":"))) <= MOST_CHARACTERS for policy in policies)
        may = allowed_by(target, policies)
        assert refused_calls(target, may) == set()
        # What AWS knows no resource of, and what stands in a template beside its resources.
        for action in ("events:PutPermission", "ecr:PutSigningConfiguration", "ec2:DescribeAvailabilityZones"):
            assert may(action, "*") == (action in needed_actions(target.stacks)), action
        here = f"{target.region}:{target.account}"
        makes_roles = any(stack.of_kind("AWS::IAM::Role") for stack in target.stacks)
        assert may("iam:CreateRole", f"arn:aws:iam::{target.account}:role/tunestack-dev-x") == makes_roles
        assert not may("iam:CreateRole", f"arn:aws:iam::{target.account}:role/admin")
        assert not may("iam:CreateUser", "*") and not may("s3:DeleteBucket", "arn:aws:s3:::somebody-else")
        assert not may("ec2:RunInstances", "*")
        builds = any(stack.of_kind("AWS::CodeBuild::Project") for stack in target.stacks)
        assert may("codebuild:CreateProject", f"arn:aws:codebuild:{here}:project/Training-1") == builds
        assert may("kms:CreateKey", "*") and may("kms:PutKeyPolicy", f"arn:aws:kms:{here}:key/a")


@pytest.mark.parametrize(
    ("kind", "properties", "name"),
    [
        ("AWS::KMS::Alias", {"AliasName": "alias/kit-dev"}, "kit-dev"),
        ("AWS::Logs::LogGroup", {"LogGroupName": "/aws/sagemaker/TrainingJobs"}, "/aws/sagemaker/TrainingJobs"),
        ("AWS::ECR::Repository", {"RepositoryName": "team/kit"}, "team/kit"),
        ("AWS::IAM::OIDCProvider", {"Url": "https://token.example.com"}, "token.example.com"),
        ("AWS::IAM::Role", {"RoleName": "kit-dev", "Path": "/teams/ml/"}, "teams/ml/kit-dev"),
        ("AWS::Lambda::Permission", {"FunctionName": "arn:aws:lambda:us-east-1:1:function:kit"}, "kit"),
        ("AWS::SQS::QueuePolicy", {"Queues": ["https://sqs.us-east-1.amazonaws.com/1/kit"]}, "kit"),
        ("AWS::SQS::QueuePolicy", {"Queues": ["http://localhost:4566/1/kit"]}, "kit"),
        ("AWS::Events::EventBusPolicy", {"EventBusName": "arn:aws:events:us-east-1:1:event-bus/kit"}, "kit"),
        ("AWS::Budgets::Budget", {"Budget": {"BudgetName": "kit"}}, "kit"),
    ],
)
def test_a_resource_is_named_as_its_arn_has_it(kind: str, properties: dict[str, Any], name: str) -> None:
    assert names_of(kind, properties) == [name]
