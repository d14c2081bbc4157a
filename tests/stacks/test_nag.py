"""cdk-nag: nothing is found (every synthesis in these tests fails otherwise), and nothing is accepted in vain."""

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App
from tunestack_cdk import acknowledge

import app as tunestack_app
from tests.conftest import ROOT


class Recorder:
    """Stands in for CDK's Validations: remembers acknowledgements instead of making them."""

    accepted: list[tuple[str, str, str]] = []

    def __init__(self, scope: Any) -> None:
        self._path = scope.node.path

    @classmethod
    def of(cls, scope: Any) -> "Recorder":
        return cls(scope)

    def acknowledge(self, *acknowledgments: Any) -> None:
        Recorder.accepted += [(self._path, item.id, item.reason) for item in acknowledgments]


def test_every_acknowledgement_matches_a_finding_and_has_a_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # GIVEN the app with no finding accepted
    Recorder.accepted = []
    monkeypatch.setattr(acknowledge, "Validations", Recorder)
    context = {**json.loads((ROOT / "cdk.json").read_text())["context"], "env": "prod,dev"}
    # WHEN it is synthesized
    with pytest.raises(Exception, match="[Vv]alidation"):
        tunestack_app.build(App(outdir=str(tmp_path), context=context)).synth()
    report = json.loads((tmp_path / "validation-report.json").read_text())
    found = {
        (violation["ruleName"], construct["constructPath"])
        for plugin in report["pluginReports"]
        for violation in plugin["violations"]
        for construct in violation["violatingConstructs"]
    }
    # THEN each acknowledgement is of something that was found
    assert len(Recorder.accepted) > 40
    vain = [
        f"{path}: {rule}"
        for path, rule, _ in Recorder.accepted
        if not any(rule == name and place.startswith(path) for name, place in found)
    ]
    assert vain == []
    assert all(len(reason) > 20 for _, _, reason in Recorder.accepted)
