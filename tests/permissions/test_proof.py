"""Whether everybody reaches what he needs: proven over three accounts, and each grant's loss is named."""

import copy
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import Environment, Validations
from aws_cdk import Stack as CdkStack
from aws_cdk import aws_iam as iam
from tunestack_cdk.consumer_role import ModelConsumerRole
from tunestack_cdk.promotion_partner import PromotionPartner
from tunestack_cdk.rule_pack import TunestackChecks
from tunestack_cdk.synthesis_checks import accepted_consumers

from tests.conftest import ACCOUNTS, ENVIRONMENTS
from tests.local.grants import GRANTS
from tests.three_accounts import ACCOUNTS as ACCOUNT_OF
from tests.three_accounts import add, app_in, config_of, settings_of
from tunestack.layout import Image
from tunestack.permissions.judge import Judge
from tunestack.permissions.proof import Proof, prove
from tunestack.permissions.world import World
from tunestack.template.assembly import Stack

BUILDS = "BuildProjectRole"


@pytest.fixture(scope="module")
def world(assembly: Any) -> World:
    return World.read([assembly(ACCOUNTS).folder])


def changed(world: World, change: Callable[[dict[str, Any]], None]) -> Proof:
    """The proof after a change of the templates, by their stacks' names."""
    templates = {name: copy.deepcopy(stack.template) for name, stack in world.stacks.items()}
    change(templates)
    stacks = world.stacks.values()
    made = [Stack(name=s.name, account=s.account, region=s.region, template=templates[s.name]) for s in stacks]
    return prove(World(made), needed_only=True)


def policies(templates: dict[str, Any], *kinds: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every policy document of some types, with where it is."""
    members = ("PolicyDocument", "KeyPolicy", "RepositoryPolicyText", "ModelPackageGroupPolicy")
    for stack, template in templates.items():
        for logical_id, resource in template["Resources"].items():
            for member in members:
                if resource["Type"] in kinds and member in resource.get("Properties", {}):
                    yield f"{stack}.{logical_id}", resource["Properties"][member]


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_in_one_account_everything_is_reached(env: str, assembly: Any) -> None:
    proof = prove(World.read([assembly(env).folder]))
    assert proof.broken == () and len(proof.accesses) > 200


def test_in_three_accounts_everything_is_reached_and_little_is_granted_that_nothing_needs(world: World) -> None:
    proof = prove(world)
    assert proof.broken == () and len(proof.accesses) > 1000
    # What CDK itself gives to a build.
    assert [str(item) for item in proof.unneeded if BUILDS not in item.whose] == []


@pytest.mark.parametrize("grant", GRANTS, ids=str)
def test_without_any_one_grant_of_the_source_the_proof_fails_and_names_who_breaks(grant: Any, world: World) -> None:
    def take_away(templates: dict[str, Any]) -> None:
        removed = 0
        for stack, template in templates.items():
            for logical_id, resource in list(template["Resources"].items()):
                if grant.kind == "bus" and resource["Type"] == "AWS::Events::EventBusPolicy" and "staging" in stack:
                    del template["Resources"][logical_id]
                    removed += 1
        for where, document in policies(
            templates,
            "AWS::S3::BucketPolicy",
            "AWS::KMS::Key",
            "AWS::ECR::Repository",
            "AWS::SageMaker::ModelPackageGroup",
        ):
            if not where.startswith("tunestack-dev") or (grant.bucket and grant.bucket not in where):
                continue
            rest = [item for item in document["Statement"] if item.get("Sid") != grant.sid]
            removed += len(document["Statement"]) - len(rest)
            document["Statement"] = rest
        assert removed

    proof = changed(world, take_away)
    account, action = grant.refusal.split()
    assert proof.broken
    for broken in proof.broken:
        assert broken.access.principal.split(":")[4] in (account, "333333333333")
        assert broken.access.action == action or grant.kind == "repository"
        assert "doesn't let" in broken.reason and broken.stack


def test_without_any_one_statement_of_a_role_something_is_refused(world: World) -> None:
    proof = prove(world)
    spared = {(item.role.arn, item.statement.where) for item in proof.unneeded if item.role}
    for role in world.roles.values():
        if not any(access.principal == role.arn for access in proof.accesses):
            continue
        for statement in role.statements:
            if (role.arn, statement.where) in spared:
                continue
            broken = without(world, proof, role.arn, statement)
            assert broken, f"nobody would miss {role} {statement.where}: {statement.content}"


def without(world: World, proof: Proof, arn: str, statement: Any) -> list[str]:
    judge = Judge(world)
    return [
        str(broken)
        for access in proof.accesses
        if access.principal == arn and (broken := judge.refusal(access, without=statement))
    ]


def change_of(kind: str, part: str, change: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], None]:
    def changes(templates: dict[str, Any]) -> None:
        for stack, template in templates.items():
            for logical_id, resource in template["Resources"].items():
                if resource["Type"] == kind and part in f"{stack}.{logical_id}":
                    change(resource["Properties"])
                    return
        raise AssertionError(f"no {kind} {part}")

    return changes


DENIES_PUTS = {"Sid": "No", "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": "*"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            change_of(
                "AWS::EC2::VPCEndpoint",
                "prod-network",
                lambda p: p.update(PolicyDocument={"Statement": []}) if p["VpcEndpointType"] == "Gateway" else None,
            ),
            "the policy of the endpoint",
        ),
        (
            change_of(
                "AWS::S3::BucketPolicy",
                "dev-storage.Results",
                lambda p: p["PolicyDocument"]["Statement"].append(DENIES_PUTS),
            ),
            "denies it",
        ),
        (
            change_of(
                "AWS::IAM::Role",
                "prod-pipeline.FineTuningTrainRole",
                lambda p: p["AssumeRolePolicyDocument"]["Statement"][0].update(
                    Principal={"Service": "ec2.amazonaws.com"}
                ),
            ),
            "doesn't let sagemaker.amazonaws.com in",
        ),
        (
            change_of("AWS::KMS::Key", "staging-storage", lambda p: p["KeyPolicy"].update(Statement=[])),
            "the policy of arn:aws:kms",
        ),
        (
            change_of(
                "AWS::SQS::QueuePolicy",
                "prod-promotion.ReceiverQueue",
                lambda p: p["PolicyDocument"].update(Statement=[]),
            ),
            "doesn't let events.amazonaws.com in",
        ),
    ],
    ids=["endpoint", "bucket denies", "trust", "key", "queue"],
)
def test_every_kind_of_policy_counts(change: Any, message: str, world: World) -> None:
    proof = changed(world, change)
    assert proof.broken and all(message in item.reason for item in proof.broken), list(map(str, proof.broken))[:3]


def test_a_boundary_bounds_and_one_that_nobody_gives_is_said(world: World) -> None:
    bounded = change_of(
        "AWS::IAM::Role",
        "dev-pipeline.FineTuningTrainRole",
        lambda p: p.update(PermissionsBoundary="arn:aws:iam::111111111111:policy/bounded"),
    )
    templates = {name: copy.deepcopy(stack.template) for name, stack in world.stacks.items()}
    bounded(templates)
    made = World(
        Stack(name=s.name, account=s.account, region=s.region, template=templates[s.name])
        for s in world.stacks.values()
    )
    assert prove(made).unknown_boundaries == ("bounded",)
    allowing = {"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
    broken = prove(made, boundaries={"bounded": allowing}).broken
    assert broken and all("the boundary bounded" in item.reason for item in broken)
    assert all(not item.access.action.startswith("s3:") for item in broken)


def with_consumers(folder: Path, accounts: list[str]) -> Path:
    """dev, and a stack in each of the accounts that serves its versions."""
    config = config_of(folder, registry={"consumer_accounts": accounts})
    settings = settings_of(config)["dev"]
    app = app_in(folder / "out")
    add(app, settings)
    names = settings.names
    source = PromotionPartner(
        account=ACCOUNT_OF["dev"], region="us-east-1", promotion_name=names.promotion,
        receiver_role_name=names.promotion,
        group_name=names.model_package_group, repository_name=names.repository(Image.INFERENCE),
    )  # fmt: skip
    for account in accounts:
        stack = CdkStack(app, f"serving-{account}", env=Environment(account=account, region="us-east-1"))
        consumer = ModelConsumerRole(stack, "Serving", source=source)
        deployer = iam.ServicePrincipal(
            "cloudformation.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": account}}
        )
        consumer.grant_deploy(iam.Role(stack, "Deployer", assumed_by=deployer))
    checks = TunestackChecks(accepted_consumers(accounts), known_accounts=settings.partner_accounts)
    Validations.of(app).add_plugins(checks)
    return Path(app.synth().directory)


def test_twenty_consumers_reach_the_versions_each_by_four_grants(tmp_path: Path) -> None:
    accounts = [f"4444444444{number:02}" for number in range(20)]
    world = World.read([with_consumers(tmp_path, accounts)])
    proof = prove(world)
    of_consumers = [access for access in proof.accesses if "consumer" in access.by]
    assert proof.broken == () and len(of_consumers) == 20 * 7
    # A policy that names one account less shuts that account out, at every grant.
    text = {name: json.dumps(stack.template) for name, stack in world.stacks.items()}
    for sid in ("ReadPackages", "DecryptPackages", "PullImages"):
        assert any(sid in template for template in text.values())
    shut = changed(world, lambda templates: forget(templates, accounts[7]))
    assert {item.access.principal.split(":")[4] for item in shut.broken} == {accounts[7]}
    assert {item.access.action.split(":")[0] for item in shut.broken} == {"ecr", "s3", "kms"}


def forget(templates: dict[str, Any], account: str) -> None:
    """Take an account out of every policy of dev's."""
    for name in [name for name in templates if name.startswith("tunestack-dev")]:
        templates[name] = json.loads(json.dumps(templates[name]).replace(account, "555555555555"))


def test_data_cannot_leave_to_another_account_whatever_a_jobs_role_allows(world: World) -> None:
    # GIVEN a training whose role may write to any bucket
    def widen(templates: dict[str, Any]) -> None:
        everywhere = {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "*"}
        for resource in templates["tunestack-prod-pipeline"]["Resources"].values():
            if resource["Type"] == "AWS::IAM::Policy" and "TrainRole" in json.dumps(resource["Properties"]["Roles"]):
                resource["Properties"]["PolicyDocument"]["Statement"].append(everywhere)

    templates = {name: copy.deepcopy(stack.template) for name, stack in world.stacks.items()}
    widen(templates)
    made = World(
        Stack(name=s.name, account=s.account, region=s.region, template=templates[s.name])
        for s in world.stacks.values()
    )
    own = next(
        access
        for access in prove(made, needed_only=True).accesses
        if access.action == "s3:PutObject" and "FineTune" in access.by and "prod" in access.by
    )
    # WHEN it writes to somebody's bucket from its VPC, or to dev's
    for bucket in ("somebody-elses", "tunestack-dev-storage-artifactsbucket88671897"):
        broken = Judge(made).refusal(replace(own, resource=f"arn:aws:s3:::{bucket}/stolen"))
        # THEN the VPC's way to S3 ends at its own account's buckets
        assert broken is not None and "the policy of the endpoint" in broken.reason
    assert Judge(made).refusal(own) is None
