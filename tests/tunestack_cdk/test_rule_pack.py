"""The rule pack as another app uses it: a synthesis fails with the rule's name, and what is accepted passes."""

import json
from pathlib import Path

import pytest
from aws_cdk import App, Stack, Validations
from aws_cdk import aws_logs as logs
from tunestack_cdk.rule_pack import TunestackChecks


def synthesize(folder: Path, checks: TunestackChecks) -> None:
    app = App(outdir=str(folder))
    logs.CfnLogGroup(Stack(app, "Other"), "Audit", retention_in_days=14)
    Validations.of(app).add_plugins(checks)
    app.synth()


def test_a_synthesis_that_breaks_a_rule_fails_and_names_rule_resource_and_property(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="[Vv]alidation"):
        synthesize(tmp_path, TunestackChecks())
    (report,) = json.loads((tmp_path / "validation-report.json").read_text())["pluginReports"]
    (violation,) = report["violations"]
    assert (report["pluginName"], violation["ruleName"], violation["description"]) == (
        "tunestack",
        "log_group",
        "missing",
    )
    assert violation["suggestedFix"] == "A log group requires a retention period and a KMS key of yours."
    assert "Other/Audit" in violation["violatingConstructs"][0]["constructPath"]


def test_what_is_accepted_with_a_reason_passes(tmp_path: Path) -> None:
    synthesize(tmp_path, TunestackChecks(accepted={"log_group Audit.KmsKeyId": "holds nothing of anybody"}))


def test_nothing_is_accepted_without_a_reason() -> None:
    with pytest.raises(ValueError, match="accepted without a reason: log_group"):
        TunestackChecks(accepted={"log_group *": " "})
