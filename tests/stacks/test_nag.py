"""cdk-nag: nothing is found by any pack, and nothing is accepted in vain.

AwsSolutions is run at each synthesis; NIST 800-53 R5, HIPAA Security and PCI DSS 3.2.1 here, over every environment.
"""

import json
from pathlib import Path

import pytest
from aws_cdk import App
from tunestack_cdk import acknowledge
from tunestack_cdk.synthesis_checks import add_checks

import app as tunestack_app
from scripts.accepted_findings import Recorder
from tests.conftest import ENVIRONMENTS, ROOT
from tests.three_accounts import add, app_in, config_of, settings_of


def with_packs(folder: Path, env: str) -> App:
    """The app with every pack."""
    context = {**json.loads((ROOT / "cdk.json").read_text())["context"], "env": env, "packs": "all"}
    return tunestack_app.build(App(outdir=str(folder), context=context))


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_no_pack_finds_anything_in_any_environment(env: str, tmp_path: Path) -> None:
    with_packs(tmp_path, env).synth()


def test_no_pack_finds_anything_where_models_are_promoted_between_accounts(tmp_path: Path) -> None:
    app = app_in(tmp_path / "out", packs="all")
    add_checks(app)
    for settings in settings_of(config_of(tmp_path)).values():
        add(app, settings)
    app.synth()


def test_every_acknowledgement_matches_a_finding_and_has_a_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # GIVEN the app with no finding accepted
    recorder = Recorder()
    monkeypatch.setattr(acknowledge, "Validations", recorder)
    # WHEN it is synthesized
    with pytest.raises(Exception, match="[Vv]alidation"):
        with_packs(tmp_path, "prod,dev").synth()
    report = json.loads((tmp_path / "validation-report.json").read_text())
    found = {
        (name, construct["constructPath"])
        for plugin in report["pluginReports"]
        for violation in plugin["violations"]
        for construct in violation["violatingConstructs"]
        # cdk-nag's names say whose they are; any other plugin's stand behind its own.
        for name in (violation["ruleName"], f"{plugin['pluginName']}::{violation['ruleName']}")
    }
    # THEN each acknowledgement is of something that was found
    assert len(recorder.accepted) > 40
    vain = [
        f"{path}: {rule}"
        for path, rule, _ in recorder.accepted
        if not any(rule == name and place.startswith(path) for name, place in found)
    ]
    assert vain == []
    assert all(len(reason) > 20 for _, _, reason in recorder.accepted)
