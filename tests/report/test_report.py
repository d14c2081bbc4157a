"""The report: the same figures in HTML, Markdown and JSON; the page draws itself in a real browser, without a network."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.axe import serious
from tests.changed_settings import changed_blueprint
from tunestack.costs.assembly import assembly_costs
from tunestack.errors import UserError
from tunestack.report import write_report


@pytest.fixture(scope="session")
def report(assembly: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """report(suffix): prod's report in that form."""
    folder, stacks = tmp_path_factory.mktemp("report"), assembly_costs(assembly("prod").folder)

    def make(suffix: str) -> Path:
        out = folder / f"prod{suffix}"
        if not out.exists():
            write_report(changed_blueprint(), stacks, out)
        return out

    return make


def test_every_form_has_the_stacks_own_figures(report: Any, assembly: Any) -> None:
    metadata = assembly("prod").template("pipeline")["Metadata"]["tunestack:cost"]
    assert json.loads(report(".json").read_text())["run_usd"]["expected"] == float(metadata["RunExpectedUsd"])
    for suffix in (".md", ".html"):
        text = report(suffix).read_text()
        for value in (metadata["RunExpectedUsd"], metadata["RunLowUsd"], metadata["RunCeilingUsd"]):
            assert f"${value}" in text
        for word in ("activations: one layer", "FineTune", "27 × VPC Interface endpoint: $197.10", "L-2D6DEB3C"):
            assert word in text
        assert "training tokens" in text


def test_the_page_carries_all_it_needs_and_is_small(report: Any) -> None:
    page = report(".html").read_text()
    assert "<script" not in page and "url(" not in page
    # What an SVG names its own language by is no address that is asked.
    assert set(re.findall(r"https?://[^\s\"<]+", page)) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }
    assert len(page) < 1_000_000


def test_its_charts_are_told_in_words_and_the_configured_type_is_marked(report: Any) -> None:
    page = report(".html").read_text()
    assert page.count('<svg role="img" aria-label="') == 3
    assert "ml.g5.2xlarge, configured" in page
    assert re.search(
        r"ml.g5.2xlarge is configured( \(jobs.train.instance_type\): [\d.]+ × the cost of|, and the cheapest)", page
    )
    assert re.search(r"made on 20\d\d-\d\d-\d\d by tunestack \d", page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_it_can_be_read_by_all(scheme: str, width: int, report: Any, tmp_path: Path) -> None:
    """axe-core's rules, in a real browser."""
    assert serious(report(".html"), tmp_path, scheme=scheme, width=width) == []


def test_a_model_that_is_not_known_has_costs_but_no_memory(assembly: Any, tmp_path: Path) -> None:
    training = {"per_device_train_batch_size": 1, "gradient_accumulation_steps": 16}
    blueprint = changed_blueprint(recipe={"training": training, "model": {"name_or_path": "my/own-model"}})
    write_report(blueprint, assembly_costs(assembly("prod").folder), tmp_path / "own.json")
    found = json.loads((tmp_path / "own.json").read_text())
    assert found["memory"] is None and found["plans"] == [] and found["steps"]


@pytest.mark.parametrize(
    ("name", "message"), [("x.pdf", "must end in one of .html, .md, .json"), ("no/x.html", "no such folder")]
)
def test_a_place_that_cannot_be_written_is_said(name: str, message: str, assembly: Any, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=message):
        write_report(changed_blueprint(), assembly_costs(assembly("prod").folder), tmp_path / name)
