"""A region that no price is known in: its costs are unknown, nowhere nothing."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.changed_settings import changed
from tests.conftest import CONFIG
from tunestack.catalogue.prices import regions
from tunestack.cli.main import tunestack
from tunestack.costs import ResourceUse, standing_cost
from tunestack.costs.diff import cost_diff
from tunestack.costs.diff_text import to_markdown
from tunestack.costs.report import CostReport
from tunestack.planning.blueprint import Blueprint, blueprint_of
from tunestack.planning.checks import failed_checks, failed_month_checks
from tunestack.report.content import make_report
from tunestack.report.page import page_of
from tunestack.settings import loading

REGION = "sa-east-1"


@pytest.fixture(scope="module")
def blueprint() -> Blueprint:
    assert REGION not in regions()
    settings = changed("prod")
    moved = settings.environment.model_copy(update={"region": REGION})
    return blueprint_of(replace(settings, environment=moved))


@pytest.fixture(scope="module")
def report(blueprint: Blueprint) -> CostReport:
    resources = [ResourceUse(type="AWS::KMS::Key"), ResourceUse(type="AWS::S3::Bucket")]
    return CostReport(standing=standing_cost(resources, region=REGION), run=blueprint.run)


def test_annotation_metadata_and_outputs_say_unknown(report: CostReport) -> None:
    assert report.line().startswith("standing cost unknown a month; a run unknown (unknown to at most unknown)")
    figures = report.figures().metadata()
    assert {figures[name] for name in ("StandingUsdPerMonth", "RunLowUsd", "RunExpectedUsd", "RunCeilingUsd")} == {"unknown"}  # fmt: skip
    assert "0.00" not in report.line()


def test_the_page_says_unknown(report: CostReport, blueprint: Blueprint) -> None:
    page = page_of(make_report(blueprint, {"tunestack-prod-pipeline": report.figures()}))
    assert [value for value, _ in page.figures][:2] == ["unknown", "unknown"]
    assert "$0.00" not in str(page)


def test_a_diff_says_unknown(report: CostReport) -> None:
    stacks = {"tunestack-prod-pipeline": type(report.figures()).model_validate(report.figures().metadata())}
    text = to_markdown(cost_diff({}, stacks), title="x")
    assert (
        "**unknown a month** ($0.00 → unknown)" in text
        and "($0.00 → unknown expected, at most $0.00 → unknown)" in text
    )


def test_a_budget_that_can_t_be_kept_is_refused_with_what_reads_the_prices(blueprint: Blueprint) -> None:
    (failed,) = [item for item in failed_checks(blueprint) if item.check == "budget"]
    assert f"tunestack prices refresh --region {REGION}" in failed.problem.message
    assert failed_month_checks(blueprint, standing_usd=None) == []


def test_checking_the_settings_warns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(CONFIG, tmp_path / "config")
    file = tmp_path / "config" / "dev.yaml"
    file.write_text(f"region: {REGION}\n{file.read_text()}")
    load = loading.load_settings
    monkeypatch.setattr("tunestack.cli.settings.load_settings", lambda env: load(env, config=tmp_path / "config"))
    done: Any = CliRunner().invoke(tunestack, ["settings", "check", "--env", "dev"])
    assert done.exit_code == 0 and f"no price is known in {REGION}" in done.output
