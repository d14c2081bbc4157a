"""What the bootstrap's policies allow CloudFormation: what the stacks need, on resources that it can match."""

import json
from pathlib import Path

import pytest

from tests.stacks.test_delivery import synthesized
from tunestack.permissions.access import Access
from tunestack.permissions.deployment_calls import Operation, calls_of, needed_actions
from tunestack.permissions.deployment_policy import MOST_CHARACTERS, deployment_policies, targets_of
from tunestack.permissions.judge import Judge
from tunestack.permissions.world import Role, World
from tunestack.template.statement import Statement

OPERATIONS: tuple[Operation, ...] = ("create", "read", "update", "delete")


@pytest.fixture(scope="module")
def assembly_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return synthesized(tmp_path_factory.mktemp("delivery"))


def test_each_account_may_deploy_what_its_stacks_hold_and_little_else(assembly_folder: Path) -> None:
    world = World.read([assembly_folder])
    for target in targets_of(world.stacks.values()):
        policies = deployment_policies(target, prefix="tunestack-")
        assert all(len(json.dumps(policy, separators=(",", ":"))) <= MOST_CHARACTERS for policy in policies)
        region = target.region
        statements = [
            Statement(content=statement, where="") for policy in policies for statement in policy["Statement"]
        ]
        role = Role(
            name="exec", arn=f"arn:aws:iam::{target.account}:role/exec", account=target.account, stack="", trust={},
            statements=tuple(statements),
        )  # fmt: skip
        judge = Judge(World([]))

        def may(action: str, resource: str, role: Role = role, judge: Judge = judge, region: str = region) -> bool:
            access = Access(
                by="",
                principal=role.arn,
                action=action,
                resource=resource,
                context={"aws:RequestedRegion": region},
            )
            return any(judge.allows(role, statement, access) for statement in role.statements)

        here = f"{target.region}:{target.account}"
        makes_roles = any(stack.of_kind("AWS::IAM::Role") for stack in target.stacks)
        assert may("iam:CreateRole", f"arn:aws:iam::{target.account}:role/tunestack-dev-x") == makes_roles
        assert not may("iam:CreateRole", f"arn:aws:iam::{target.account}:role/admin")
        assert not may("iam:CreateUser", "*") and not may("s3:DeleteBucket", "arn:aws:s3:::somebody-else")
        assert not may("ec2:RunInstances", "*")
        # Every action that a handler calls is allowed on the very resource.
        refused = {
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
        assert refused == set()
        # What AWS knows no resource of, and what stands in a template beside its resources.
        for action in ("events:PutPermission", "ecr:PutSigningConfiguration", "ec2:DescribeAvailabilityZones"):
            assert may(action, "*") == (action in needed_actions(target.stacks)), action
        builds = any(stack.of_kind("AWS::CodeBuild::Project") for stack in target.stacks)
        assert may("codebuild:CreateProject", f"arn:aws:codebuild:{here}:project/Training-1") == builds
        assert may("kms:CreateKey", "*") and may("kms:PutKeyPolicy", f"arn:aws:kms:{here}:key/a")
