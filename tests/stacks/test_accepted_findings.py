"""What the kit accepts of cdk-nag's findings: each reason is true of its resource, and nothing else comes with it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsii
import pytest
from aws_cdk import App, Aspects, Environment, IAspect
from aws_cdk import aws_iam as iam
from constructs import IConstruct
from tunestack_cdk.delivery_findings import ACCEPTED
from tunestack_cdk.synthesis_checks import add_checks

from stacks.delivery import DeliveryStack
from tests.stacks.test_delivery import allow_smoke_run, configured, with_smoke_run
from tests.three_accounts import add, app_in, config_of, settings_of
from tunestack.settings.delivery import load_delivery
from tunestack.template.assembly import Assembly

WILDCARD: dict[str, Any] = {"actions": ["dynamodb:*"], "resources": ["*"]}
EXCLUSION: dict[str, Any] = {"not_actions": ["organizations:*"], "resources": ["*"]}


@jsii.implements(IAspect)
class _PlantedEverywhere:
    """Adds the same statement to every role's policy that the app makes."""

    def __init__(self, statement: dict[str, Any]) -> None:
        self.paths: set[str] = set()
        self._statement = statement

    def visit(self, node: IConstruct) -> None:
        if isinstance(node, iam.Policy) and node.node.path not in self.paths:
            node.add_statements(iam.PolicyStatement(**self._statement))
            self.paths.add(node.node.path)


def delivery(folder: Path) -> App:
    """The delivery pipeline and the three environments in it, with a smoke run."""
    app = app_in(folder / "out")
    config = configured(folder, with_smoke_run)
    allow_smoke_run(config)
    settings, environments = load_delivery(config)
    where = Environment(account=settings.account, region=settings.region)
    DeliveryStack(app, settings.name, delivery=settings, environments=environments, env=where)
    add_checks(app, accepted=ACCEPTED)
    return app


def accounts(folder: Path) -> App:
    app = app_in(folder / "out")
    for settings in settings_of(config_of(folder)).values():
        add(app, settings)
    add_checks(app)
    return app


def found(folder: Path) -> Iterator[tuple[str, str]]:
    """Rule and construct of everything that the synthesis found."""
    report = json.loads((folder / "out" / "validation-report.json").read_text())
    for plugin in report["pluginReports"]:
        for violation in plugin["violations"]:
            for construct in violation["violatingConstructs"]:
                yield violation["ruleName"], construct["constructPath"]


def _constructs(folder: Path) -> Iterator[dict[str, Any]]:
    """Every construct that violates something."""
    report = json.loads((folder / "out" / "validation-report.json").read_text())
    for plugin in report["pluginReports"]:
        for violation in plugin["violations"]:
            yield from violation["violatingConstructs"]


@pytest.mark.parametrize("made", [accounts, delivery])
def test_the_same_planted_wildcard_is_found_in_every_policy_of_every_stack(made: Any, tmp_path: Path) -> None:
    app, planted = made(tmp_path), _PlantedEverywhere(WILDCARD)
    Aspects.of(app).add(planted)
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        app.synth()
    finding = "AwsSolutions-IAM5[Action::dynamodb:*]"
    named = {path.removesuffix("/Resource") for rule, path in found(tmp_path) if rule == finding}
    assert named == planted.paths and len(named) > 10


@pytest.mark.parametrize("made", [accounts, delivery])
def test_a_planted_exclusion_is_found_in_every_policy_of_every_stack(made: Any, tmp_path: Path) -> None:
    """cdk-nag looks at actions that are named; what is allowed by NotAction is the kit's own rule's to find."""
    app, planted = made(tmp_path), _PlantedEverywhere(EXCLUSION)
    Aspects.of(app).add(planted)
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        app.synth()
    named = {
        construct["constructPath"].removesuffix("/Resource")
        for construct in _constructs(tmp_path)
        if any(
            path.endswith("NotAction") for path in construct.get("cloudFormationResource", {}).get("propertyPaths", ())
        )
    }
    assert named == planted.paths and len(named) > 10


def test_what_a_function_is_said_to_be_called_by_calls_it(tmp_path: Path) -> None:
    """A custom resource's has no queue, since it answers to CloudFormation; a queue's consumer has its queue's."""
    assembly = Assembly.read(Path(accounts(tmp_path).synth().directory))
    called = {"custom resource": 0, "queue": 0}
    for stack in assembly.stacks:
        text = json.dumps(
            [
                (item["Type"], item["Properties"])
                for item in stack.template["Resources"].values()
                if "ServiceToken" in item.get("Properties", {}) or item["Type"] == "AWS::Lambda::EventSourceMapping"
            ]
        )
        for name, item in stack.template["Resources"].items():
            skipped = item.get("Metadata", {}).get("checkov", {}).get("skip", [])
            (reason,) = [one["comment"] for one in skipped if one["id"] == "CKV_AWS_116"] or [None]
            if item["Type"] != "AWS::Lambda::Function" or reason is None:
                continue
            caller = "queue" if "queue" in reason and "CloudFormation" not in reason else "custom resource"
            attribute = "FunctionName" if caller == "queue" else "ServiceToken"
            assert f'"{attribute}": {{"' in text and f'"{name}"' in text, f"{name}: {reason}"
            called[caller] += 1
    assert called["custom resource"] >= 6 and called["queue"] == 2
