"""`tunestack calibrate`: kept with where it comes from, used with the reason shown, forgotten when asked."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.changed_settings import changed_blueprint
from tunestack.catalogue import own_runs as module
from tunestack.catalogue.own_runs import OwnRun, keep_runs, memory_factor, own_runs, speed_factor
from tunestack.cli.calibrate import calibrate_command
from tunestack.cli.plan import plan_command
from tunestack.costs.workload import Workload
from tunestack.errors import UserError
from tunestack.executions.calibration import own_run
from tunestack.executions.describe import StepView
from tunestack.executions.errors import ExecutionError
from tunestack.planning.blueprint import Blueprint

G5 = "ml.g5.2xlarge"
STEP = StepView(
    name="FineTune", status="Succeeded", started=None, seconds=None, failure_reason=None, advice=None, job_kind=None,
    job_name=None, inputs={}, outputs={}, message=None, instance_type=G5, billable_seconds=3600.0,
    metrics={"train:num_tokens": 1_000_000.0, "train:runtime_seconds": 1000.0, "train:gpu_reserved_peak_gib": 12.0},
)  # fmt: skip
RUN = OwnRun(
    execution="e-1", measured_on="2026-11-26", instance_type=G5, model="m", job="nf4 lora, 4 × 2,048 tokens",
    tokens_per_second=500.0, expected_tokens_per_second=1000.0, reserved_gib=12.0, expected_reserved_gib=10.0,
)  # fmt: skip


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The kept runs in a folder of the test's own."""
    path = tmp_path / "own_runs.csv"
    monkeypatch.setattr(module, "FILE", path)
    own_runs.cache_clear()
    yield path
    own_runs.cache_clear()


@pytest.fixture(scope="module")
def blueprint() -> Blueprint:
    return changed_blueprint()


@pytest.fixture(scope="module")
def workload(blueprint: Blueprint) -> Workload:
    return blueprint.workload


def test_a_training_is_measured_beside_what_the_models_say_of_it(workload: Workload) -> None:
    found = own_run("e-1", STEP, workload)
    assert (found.tokens_per_second, found.reserved_gib, found.instance_type) == (1000.0, 12.0, G5)
    assert found.expected_tokens_per_second > 0 and found.expected_reserved_gib > 5
    assert "nf4 lora" in found.job


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"metrics": {}}, "says no num_tokens, runtime_seconds, gpu_reserved_peak_gib"),
        ({"metrics": {**STEP.metrics, "train:runtime_seconds": 0.0}}, "says no runtime_seconds: it hasn't ended"),
        ({"instance_type": "ml.m5.large"}, "trained on ml.m5.large: no GPU to calibrate"),
        ({"instance_type": None}, "trained on no instance type"),
    ],
)
def test_what_says_nothing_of_a_gpu_is_refused(change: dict[str, object], message: str, workload: Workload) -> None:
    with pytest.raises(ExecutionError, match=message):
        own_run("e-1", replace(STEP, **change), workload)  # type: ignore[arg-type]


def test_without_runs_nothing_is_corrected() -> None:
    assert speed_factor(G5) is None and memory_factor(G5) is None and own_runs() == ()


def test_the_median_of_the_runs_counts_and_more_runs_narrow_the_range() -> None:
    keep_runs([RUN])
    one = speed_factor(G5)
    assert one is not None and (one.value, one.executions) == (0.5, ("e-1",))
    assert (one.low, one.high) == pytest.approx((0.35, 0.65))
    keep_runs([replace(RUN, execution=f"e-{number}") for number in range(2, 6)])
    many = speed_factor(G5)
    assert many is not None and many.value == 0.5 and (many.low, many.high) == pytest.approx((0.45, 0.55))
    assert str(many) == "0.50 × what was expected, after 5 runs of yours (e-3, e-4, e-5)"
    assert memory_factor(G5).value == pytest.approx(1.2)  # type: ignore[union-attr]
    assert speed_factor("ml.g6.xlarge") is None
    # The same execution again is not another run.
    keep_runs([replace(RUN, execution="e-5", tokens_per_second=600.0)])
    assert len(own_runs()) == 5


def test_plans_use_it_and_say_so_and_expect_the_models_word_again_when_it_is_forgotten() -> None:
    asked = ["--model", "meta-llama/Llama-3.1-8B", "--instance-type", G5, "--tokens", "10000000"]
    before = CliRunner().invoke(plan_command, asked).output
    keep_runs([RUN])
    after = CliRunner().invoke(plan_command, asked).output
    hours = [float(text.split(G5)[1].split("none")[1].split()[0]) for text in (before, after)]
    assert hours[1] > 1.7 * hours[0]
    assert f"{G5}: speed is 0.50 × what was expected, after one run of yours (e-1)" in after
    assert f"{G5}: reserved memory is 1.20 × what was expected, after one run of yours (e-1)" in after
    assert "of yours" not in before
    assert CliRunner().invoke(calibrate_command, ["--forget"]).output == "forgotten\n"
    assert CliRunner().invoke(plan_command, asked).output == before


def test_a_runs_cost_says_what_corrected_it() -> None:
    plain = changed_blueprint()
    (name,) = plain.settings.environment.jobs.train.instance_choices[:1]
    keep_runs([replace(RUN, instance_type=name)])
    calibrated = changed_blueprint()
    assert calibrated.run.expected_usd > plain.run.expected_usd  # type: ignore[operator]
    assert any("0.50 × what was expected" in line for line in calibrated.run.assumptions)


@pytest.mark.parametrize("content", ["a,b\n1,2\n", "x"])
def test_an_edited_file_is_named(content: str, file: Path) -> None:
    file.write_text(content)
    with pytest.raises(UserError, match=r"own_runs.csv: must have the columns .*`tunestack calibrate` writes it again"):
        own_runs()


def test_a_figure_that_cannot_be_is_named_with_its_line(file: Path) -> None:
    keep_runs([RUN])
    whole = file.read_text()
    for figure in ("-1", "1e-300", "1e300", "nan"):
        file.write_text(whole.replace("500.0", figure))
        own_runs.cache_clear()
        with pytest.raises(UserError, match=r"own_runs.csv:2: tokens_per_second, .* must be numbers from 1e-06 to"):
            own_runs()


@pytest.mark.parametrize("content", [b"\xff\xfe", b'"' + b"x" * 200_000])
def test_what_is_no_table_is_named(content: bytes, file: Path) -> None:
    file.write_bytes(content)
    with pytest.raises(UserError, match=r"own_runs.csv: not a table: "):
        own_runs()


def test_the_command_shows_what_is_kept_or_that_nothing_is() -> None:
    assert "nothing is kept: name executions" in CliRunner().invoke(calibrate_command, []).output
    keep_runs([RUN])
    shown = CliRunner().invoke(calibrate_command, []).output
    assert "e-1  ml.g5.2xlarge  m, nf4 lora, 4 × 2,048 tokens: 500 tokens/s of 1,000, 12.0 GiB of 10.0" in shown
    assert '"execution": "e-1"' in CliRunner().invoke(calibrate_command, ["--json"]).output


def test_a_file_that_cannot_be_written_says_where_another_can_be_named(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (file.parent / "no folder").write_text("a file")
    monkeypatch.setattr(module, "FILE", file.parent / "no folder" / "own_runs.csv")
    with pytest.raises(UserError, match="can't be written: .*; name another file in TUNESTACK_OWN_RUNS"):
        keep_runs([RUN])
