"""Jobs run in a VPC that the account has already: nothing is made beside it, and nothing else is reached."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from aws_cdk import Validations
from tunestack_cdk.permission_checks import PermissionChecks
from tunestack_cdk.rule_pack import TunestackChecks

from tests.three_accounts import add, app_in
from tunestack.settings.loading import load_settings
from tunestack.settings.network import ExistingVpc, Network

SUBNETS, GROUPS = ["subnet-0a1b2c3d", "subnet-1a1b2c3d"], ["sg-0a1b2c3d", "sg-1a1b2c3d"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    settings = load_settings("staging")
    network = Network(existing=ExistingVpc(subnet_ids=SUBNETS, security_group_ids=GROUPS))
    environment = settings.environment.model_copy(update={"network": network, "account": "222222222222"})
    app = app_in(tmp_path_factory.mktemp("existing"))
    add(app, replace(settings, environment=environment))
    # The rules, and the proof that every job reaches what it needs.
    Validations.of(app).add_plugins(TunestackChecks(), PermissionChecks())
    return Path(app.synth().directory)


def test_no_network_is_made(folder: Path) -> None:
    templates = {file.name: json.loads(file.read_text()) for file in folder.glob("*.template.json")}
    kinds = {resource["Type"] for template in templates.values() for resource in template["Resources"].values()}
    assert len(templates) == 4 and not [kind for kind in kinds if kind.startswith("AWS::EC2::")]
    assert not [name for name in templates if "network" in name]


def test_every_job_runs_in_its_subnets_and_groups(folder: Path) -> None:
    (file,) = folder.glob("*-pipeline.template.json")
    text = json.dumps(json.loads(file.read_text()))
    places = text.count(r"\"Subnets\":[\"subnet-0a1b2c3d\",\"subnet-1a1b2c3d\"]")
    assert places == text.count(r"\"VpcConfig\"") >= 4
    assert places == text.count(r"\"SecurityGroupIds\":[\"sg-0a1b2c3d\",\"sg-1a1b2c3d\"]")


def test_a_role_may_make_interfaces_there_alone(folder: Path) -> None:
    (file,) = folder.glob("*-pipeline.template.json")
    policies = [
        resource["Properties"]["PolicyDocument"]["Statement"]
        for resource in json.loads(file.read_text())["Resources"].values()
        if resource["Type"] == "AWS::IAM::Policy"
    ]
    made = [item for items in policies for item in items if "ec2:CreateNetworkInterface" in item["Action"]]
    assert made
    for statement in made:
        ends = {json.dumps(resource).rstrip('"]}').rpartition(":")[2] for resource in statement["Resource"]}
        subnets, groups = (f"subnet/{name}" for name in SUBNETS), (f"security-group/{name}" for name in GROUPS)
        assert ends == {"network-interface/*", *subnets, *groups}
