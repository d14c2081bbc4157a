"""What a change costs: between two assemblies, as a pull request's comment and as JSON."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tunestack.costs.assembly import assembly_costs
from tunestack.costs.diff import cost_diff
from tunestack.costs.diff_text import to_json, to_markdown
from tunestack.errors import UserError


@pytest.fixture
def changed(assembly: Any, tmp_path: Path) -> Path:
    """dev, with FineTune on a more expensive instance and one more key."""
    (tmp_path / "manifest.json").write_text((assembly("dev").folder / "manifest.json").read_text())
    for file in assembly("dev").folder.glob("*.template.json"):
        template = json.loads(file.read_text())
        figures = template["Metadata"]["tunestack:cost"]
        if "FineTune" in figures["RunSteps"]:
            figures["RunSteps"]["FineTune"].update(InstanceType="ml.g6e.2xlarge", UsdPerHour="2.8")
            figures["RunExpectedUsd"] = "0.70"
        if file.name.endswith("storage.template.json"):
            figures["StandingUsdPerMonth"] = f"{float(figures['StandingUsdPerMonth']) + 1:.2f}"
            drivers = figures["StandingDrivers"]
            drivers["2 × KMS Customer managed key"] = f"{float(drivers.pop('1 × KMS Customer managed key')) + 1:.2f}"
            template["Resources"]["Second"] = {"Type": "AWS::KMS::Key"}
        (tmp_path / file.name).write_text(json.dumps(template))
    return tmp_path


def assembly_of(folder: Path, template: str) -> None:
    """A cloud assembly of one stack."""
    artifact = {"type": "aws:cloudformation:stack", "properties": {"templateFile": "one.template.json"}}
    (folder / "manifest.json").write_text(json.dumps({"artifacts": {"one": artifact}}))
    (folder / "one.template.json").write_text(template)


def diff(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "tunestack.cli.main", "cost", "diff", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def test_the_comment_says_what_a_month_and_a_run_cost_more_and_why(assembly: Any, changed: Path) -> None:
    found = cost_diff(assembly_costs(assembly("dev").folder), assembly_costs(changed))
    text = to_markdown(found, title="Cost of the change")
    assert "**+$1.00 a month** ($" in text and ") and **+$0." in text
    assert "| tunestack-dev-pipeline | FineTune |" in text and "ml.g5.2xlarge → ml.g6e.2xlarge" in text
    assert "| tunestack-dev-storage | `AWS::KMS::Key` | 1 | 2 |" in text
    assert to_json(found)["month"]["difference_usd"] == pytest.approx(1.0)


def test_no_change_is_one_line(assembly: Any) -> None:
    same = assembly_costs(assembly("dev").folder)
    text = to_markdown(cost_diff(same, same), title="x")
    assert re.fullmatch(r"### x\n\n\*\*No change\*\*: \$\d+\.\d\d a month, \$0\.61 a run\.\n", text)


def test_a_new_stack_counts_whole(assembly: Any) -> None:
    found = cost_diff({}, assembly_costs(assembly("prod").folder))
    assert found.month.before == 0 and found.month.difference == pytest.approx(found.month.after)


def test_two_folders_and_a_git_revision_are_compared_by_the_command(assembly: Any, changed: Path) -> None:
    assert "+$1.00 a month" in diff(str(assembly("dev").folder), str(changed), "--markdown").stdout
    assert "FineTune" in diff(str(assembly("dev").folder), str(changed)).stdout
    total = sum(stack.standing_usd or 0.0 for stack in assembly_costs(changed).values())
    assert json.loads(diff("HEAD", str(changed), "--json").stdout)["month"]["after_usd"] == pytest.approx(total)


def test_what_is_no_assembly_or_revision_is_said(tmp_path: Path) -> None:
    done = diff("no-such-revision", str(tmp_path))
    assert done.returncode == 1
    assert "'no-such-revision' is neither a cloud assembly's folder nor a git revision" in done.stderr
    with pytest.raises(UserError, match="no cloud assembly"):
        assembly_costs(tmp_path)


TEAM_S = {
    "Nat": {"Type": "AWS::EC2::NatGateway", "Properties": {"SubnetId": "subnet-1"}},
    "Address": {"Type": "AWS::EC2::EIP", "Properties": {}},
    "Endpoint": {
        "Type": "AWS::EC2::VPCEndpoint",
        "Properties": {"VpcEndpointType": "Interface", "SubnetIds": ["subnet-1", "subnet-2"]},
    },
    "ToS3": {"Type": "AWS::EC2::VPCEndpoint", "Properties": {"VpcEndpointType": "Gateway"}},
}  # fmt: skip


def beside(folder: Path, assembly: Any, **resources: Any) -> Path:
    """dev, and a stack of another team in the same app."""
    shutil.copytree(assembly("dev").folder, folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    properties = {"templateFile": "team.template.json", "stackName": "team-network"}
    manifest["artifacts"]["team"] = {
        "type": "aws:cloudformation:stack", "environment": "aws://1/us-east-1", "properties": properties,
    }  # fmt: skip
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder / "team.template.json").write_text(json.dumps({"Resources": {**TEAM_S, **resources}}))
    return folder


def test_another_team_s_stack_in_the_same_app_is_priced_by_what_it_holds(assembly: Any, tmp_path: Path) -> None:
    before = assembly_costs(assembly("dev").folder)
    found = cost_diff(before, assembly_costs(beside(tmp_path / "out", assembly)))
    hours = 730
    assert found.month.difference == pytest.approx(hours * (0.045 + 0.005 + 2 * 0.01))
    assert found.unpriced == () and found.run.difference == 0


def test_what_has_no_known_price_is_named_and_the_rest_is_summed(assembly: Any, tmp_path: Path) -> None:
    folder = beside(tmp_path / "out", assembly, Cluster={"Type": "AWS::Redshift::Cluster", "Properties": {}})
    found = cost_diff(assembly_costs(assembly("dev").folder), assembly_costs(folder))
    assert found.month.difference is None and found.known_month.difference == pytest.approx(730 * 0.07)
    text = to_markdown(found, title="x")
    assert "**unknown a month**" in text
    assert "No price is known of AWS::Redshift::Cluster of team-network; without it +$51.10 a month" in text
    assert to_json(found)["unpriced"] == ["AWS::Redshift::Cluster of team-network"]


@pytest.mark.parametrize(
    "properties",
    [
        {"VpcEndpointType": "Interface", "SubnetIds": {"Ref": "Subnets"}},
        {"VpcEndpointType": "Interface"},
        {"VpcEndpointType": "GatewayLoadBalancer", "SubnetIds": ["subnet-1"]},
        {"VpcEndpointType": {"Ref": "Kind"}, "SubnetIds": ["subnet-1"]},
    ],
)
def test_an_endpoint_whose_units_cannot_be_told_has_no_known_price(
    properties: dict[str, Any], assembly: Any, tmp_path: Path
) -> None:
    endpoint = {"Type": "AWS::EC2::VPCEndpoint", "Properties": properties}
    found = cost_diff(
        assembly_costs(assembly("dev").folder), assembly_costs(beside(tmp_path / "out", assembly, E=endpoint))
    )
    assert found.month.difference is None and found.known_month.difference == pytest.approx(730 * 0.07)
    assert [item.startswith("AWS::EC2::VPCEndpoint (") for item in found.unpriced] == [True]


def test_a_template_of_another_app_is_refused(tmp_path: Path) -> None:
    assembly_of(tmp_path, '{"Resources": {}}')
    with pytest.raises(UserError, match=r"has no tunestack:cost metadata"):
        assembly_costs(tmp_path)


@pytest.mark.parametrize(
    "content",
    ["", "{half", "[]", '{"Metadata": null}', '{"Metadata": {"tunestack:cost": {}}, "Resources": {}}', '"text"'],
)
def test_a_broken_template_is_named(content: str, tmp_path: Path) -> None:
    assembly_of(tmp_path, content)
    with pytest.raises(UserError, match=r"one\.template\.json: "):
        assembly_costs(tmp_path)
