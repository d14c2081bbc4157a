"""`make bench`: measure, and write the table that the docs show."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from benchmarks import plan_speed, proof_speed, synth_speed
from benchmarks.runner_overhead import LINES, MORE_RUNS, measure
from demo import deployment
from tunestack.local import lifecycle, local_aws

ROOT = Path(__file__).parents[1]
RUNS = 3
# What a synth may take of what CDK takes by itself: checks, cdk-nag and constructs are the rest.
MOST_OF_EMPTY, MOST_OF_PLAIN = 2.0, 1.6
# How much more a later environment may take than an earlier one, before that is no measuring error any more.
LINEAR = 1.25
# Reading and checking a recipe is the difference.
MOST_OF_PLAN = 1.5
MOST_PROOF_SECONDS = 10
MOST_MEMORY = 1.1
# Name in job_speed.py, what it is, and the most that it may take.
JOBS = (
    ("training", "the training job / `trl sft` with the same settings, whole processes", 1.1),
    ("preparation", "PrepareData of 15,000 rows / read, tokenized in batches, split and written by `datasets`", 1.0),
    ("memory", "the peak of PrepareData's memory on 200 MB of rows / on 10 MB", 1.1),
    ("answers", "36 questions to the server at once / one after the other", 0.4),
    ("packing", "the archive of 512 MiB of weights / a copy of the same bytes", 5.0),
)
SYNTH = """
What a synth takes beyond the empty app: cdk-nag (about half a second), CDK's constructs above L1, the imports of the
settings and of botocore's service model, and Node's exit once its template validator has worked.
"""


def main() -> None:
    rows = [*_synth(), _proof(), *_overhead(), _deploy(), *_plan(), *_jobs()]
    table = ["| what | measured | target |", "|---|---|---|", *(f"| {' | '.join(row)} |" for row in rows)]
    page = (
        "# Benchmarks\n\nWhole processes, medians of "
        f"{RUNS} runs taken in turn; made by `make bench` on {os.cpu_count()} cores.\n\n"
        + "\n".join(table)
        + "\n"
        + SYNTH
    )
    (ROOT / "docs" / "benchmarks.md").write_text(page, encoding="utf-8")
    sys.stdout.write(page)


def _synth() -> list[tuple[str, str, str]]:
    with tempfile.TemporaryDirectory() as folder:
        times = side_by_side(synth_speed.cases(Path(folder)))
        synthesize = synth_speed.many_environments(Path(folder))
        one, ten, twenty = (_timed(partial(synthesize, count)) for count in (1, 10, synth_speed.MANY))
    first, rest = (ten - one) / 9, (twenty - ten) / 10
    return [
        _ratio_row("of an app with one stack that holds next to nothing", times, "empty", MOST_OF_EMPTY),
        _ratio_row("of the same resources as plain `CfnResource`s", times, "plain", MOST_OF_PLAIN),
        (
            f"each further environment in one synth, of {synth_speed.MANY}",
            f"+ {first:.1f} s up to the tenth, + {rest:.1f} s after it",
            "linear" if rest <= first * LINEAR else "linear: **missed**",
        ),
    ]


def _proof() -> tuple[str, str, str]:
    with tempfile.TemporaryDirectory() as folder:
        times = side_by_side(proof_speed.cases(Path(folder)))
    proof, synth = (statistics.median(times[name]) for name in ("proof", "synth"))
    ratio = statistics.median(a / b for a, b in zip(times["proof"], times["synth"], strict=True))
    return (
        "the permission proof of dev, staging and prod / their synthesis",
        f"{ratio:.2f} × ({proof:.2f} s / {synth:.1f} s)",
        _held(proof, MOST_PROOF_SECONDS, "≤ {} s"),
    )


def _ratio_row(beside: str, times: dict[str, list[float]], name: str, most: float) -> tuple[str, str, str]:
    ratio = statistics.median(kit / other for kit, other in zip(times["kit"], times[name], strict=True))
    kit, other = statistics.median(times["kit"]), statistics.median(times[name])
    held = _held(ratio, most, "≤ {} ×")
    return f"`cdk synth` of the whole app (dev) / {beside}", f"{ratio:.2f} × ({kit:.1f} s / {other:.1f} s)", held


def _overhead() -> list[tuple[str, str, str]]:
    found = measure()
    return [
        (
            "the runner's overhead per step, with jobs that do nothing",
            f"{found.step_seconds:.2f} s beside a job of {found.job_seconds:.2f} s",
            "< 1 s",
        ),
        (
            f"memory of the local AWS over {MORE_RUNS} runs, a job of {LINES:,} lines among them",
            f"{found.memory_mib:.0f} MiB, and at most {found.most_memory_mib:.0f} MiB",
            _held(found.most_memory_mib / found.memory_mib, MOST_MEMORY, "≤ {} ×"),
        ),
    ]


def _jobs() -> list[tuple[str, str, str]]:
    """The kit's own jobs beside what they are made of, on this machine's CPU, in the training's environment."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "training_code")])}
    command: list[str | Path] = [ROOT / ".venv-training" / "bin" / "python", "-m", "benchmarks.job_speed"]
    quiet = {**environment, "HF_HUB_OFFLINE": "1", "TQDM_DISABLE": "1"}
    done = subprocess.run(command, cwd=ROOT, env=quiet, check=True, capture_output=True, text=True)
    found = json.loads(done.stdout)
    return [
        (
            what,
            f"{found[name]['ratio']:.2f} × ({{ours:.1f}} {{unit}} / {{other:.1f}} {{unit}})".format(
                **found[name], unit="MiB" if name == "memory" else "s"
            ),
            _held(found[name]["ratio"], most, "≤ {} ×"),
        )
        for name, what, most in JOBS
    ]


def _held(measured: float, most: float, target: str) -> str:
    return target.format(most) + ("" if measured <= most else ": **missed**")


def _deploy() -> tuple[str, str, str]:
    with tempfile.TemporaryDirectory() as folder:
        local = local_aws(Path(folder))
        lifecycle.up(local, port=4599)
        try:
            deployment.bootstrap(local)
            assembly = Path(folder) / "assembly"
            deployment.synthesize(local, assembly)
            first = _timed(lambda: deployment.deploy(local, assembly))
            again = _timed(lambda: deployment.deploy(local, assembly))
        finally:
            lifecycle.down(local, delete_data=True)
    return (
        "`cdk deploy` of all stacks into the emulator, from an assembly",
        f"{first:.1f} s; again, unchanged: {again:.1f} s",
        "none set",
    )


def _plan() -> list[tuple[str, str, str]]:
    with tempfile.TemporaryDirectory() as folder:
        times = side_by_side(plan_speed.cases(Path(folder)))
    plan, other = (statistics.median(times[name]) for name in ("plan", "accelerate"))
    ratio = statistics.median(b / a for a, b in zip(times["plan"], times["accelerate"], strict=True))
    recipe = statistics.median(times["recipe"])
    slower = statistics.median(b / a for a, b in zip(times["plan"], times["recipe"], strict=True))
    return [
        (
            "`accelerate estimate-memory` / `tunestack plan --model`, of the same config.json",
            f"{ratio:.0f} × ({other:.2f} s / {plan:.2f} s)",
            "≥ 20 ×" if ratio >= 20 else "≥ 20 ×: **missed**",
        ),
        (
            "`tunestack plan RECIPE` / `tunestack plan --model`",
            f"{slower:.2f} × ({recipe:.2f} s / {plan:.2f} s)",
            _held(slower, MOST_OF_PLAN, "≤ {} ×"),
        ),
    ]


def side_by_side(cases: Mapping[str, Callable[[], object]]) -> dict[str, list[float]]:
    """Seconds of each case, the cases in turn, after one round that isn't counted."""
    times: dict[str, list[float]] = {name: [] for name in cases}
    for counted in [False, *[True] * RUNS]:
        for name, case in cases.items():
            seconds = _timed(case)
            if counted:
                times[name].append(seconds)
    return times


def _timed(case: Callable[[], object]) -> float:
    began = time.perf_counter()
    case()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
