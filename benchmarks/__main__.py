"""`make bench`: measure, and write the table that the docs show."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import plan_speed
from benchmarks.runner_overhead import seconds_per_step
from demo import deployment
from tunestack.local import lifecycle, local_aws

ROOT = Path(__file__).parents[1]
RUNS = 3
SYNTH = """
What a synth takes beyond the empty app: cdk-nag (about half a second), CDK's constructs above L1, the imports of the
settings and of botocore's service model, and Node's exit once its template validator has worked. The same resources as
plain `CfnResource`s, with none of that, stood at 1.2 ×.
"""
# As empty as CDK's own validation lets a stack be.
EMPTY_APP = """
from aws_cdk import App, CfnWaitConditionHandle, Stack
app = App()
CfnWaitConditionHandle(Stack(app, "empty"), "Nothing")
app.synth()
"""


def main() -> None:
    rows = [*_synth(), _overhead(), _deploy(), _plan()]
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
        empty = Path(folder) / "empty"
        empty.mkdir()
        (empty / "app.py").write_text(EMPTY_APP, encoding="utf-8")
        context = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))
        (empty / "cdk.json").write_text(json.dumps({**context, "app": "python app.py"}), encoding="utf-8")
        cases: dict[str, Callable[[], None]] = {
            "empty": lambda: _cdk_synth(empty, "dev"),
            "one": lambda: _cdk_synth(ROOT, "dev"),
            "two": lambda: _cdk_synth(ROOT, "dev,staging"),
            "three": lambda: _cdk_synth(ROOT, "dev,staging,prod"),
        }
        times = side_by_side(cases)
    ratios = [one / empty for one, empty in zip(times["one"], times["empty"], strict=True)]
    medians = {name: statistics.median(values) for name, values in times.items()}
    second, third = medians["two"] - medians["one"], medians["three"] - medians["two"]
    ratio = statistics.median(ratios)
    verdict = "≤ 1.5 ×" if ratio <= 1.5 else "≤ 1.5 ×: **missed**"
    return [
        (
            "`cdk synth` of the whole app (dev) / of an app with one stack that holds next to nothing",
            f"{ratio:.2f} × ({medians['one']:.1f} s / {medians['empty']:.1f} s)",
            verdict,
        ),
        (
            "each further environment in one synth",
            f"+ {second:.1f} s for staging, + {third:.1f} s for prod",
            "linear",
        ),
    ]


def _overhead() -> tuple[str, str, str]:
    overhead, job = seconds_per_step()
    return (
        "the runner's overhead per step, with jobs that do nothing",
        f"{overhead:.2f} s beside a job of {job:.2f} s",
        "< 1 s",
    )


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


def _plan() -> tuple[str, str, str]:
    with tempfile.TemporaryDirectory() as folder:
        times = side_by_side(plan_speed.cases(Path(folder)))
    plan, other = (statistics.median(times[name]) for name in ("plan", "accelerate"))
    ratio = statistics.median(b / a for a, b in zip(times["plan"], times["accelerate"], strict=True))
    return (
        "`accelerate estimate-memory` / `tunestack plan`, of the same config.json",
        f"{ratio:.0f} × ({other:.2f} s / {plan:.2f} s)",
        "≥ 20 ×" if ratio >= 20 else "≥ 20 ×: **missed**",
    )


def side_by_side(cases: dict[str, Callable[[], None]]) -> dict[str, list[float]]:
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


def _cdk_synth(folder: Path, env: str) -> None:
    # A user's Python writes its bytecode once; some build machines forbid it.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryDirectory() as out:
        command = ["cdk", "synth", "--quiet", "-c", f"env={env}", "--output", out]
        subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)


if __name__ == "__main__":
    main()
