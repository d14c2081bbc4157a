"""By itself: sizing, planning and the catalogue work from the wheel, in an environment that has nothing else."""

import doctest
import json
import subprocess
from pathlib import Path

import pytest

import tunestack.sizing
from tests.conftest import ROOT
from tunestack.sizing import precision

LLAMA = ["--model", "meta-llama/Llama-3.1-8B"]
ABSENT = ("boto3", "botocore", "aws_cdk", "torch", "pydantic", "yaml", "rich", "jinja2")


@pytest.mark.parametrize("module", [tunestack.sizing, precision])
def test_the_examples_of_the_docstrings_are_true(module: object) -> None:
    done = doctest.testmod(module)  # type: ignore[arg-type]
    assert done.attempted > 0 and done.failed == 0


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of an environment with the wheel, and what the wheel says it needs."""
    folder, uv = tmp_path_factory.mktemp("wheel"), ROOT / ".tools" / "uv" / "bin" / "uv"
    commands: tuple[list[str | Path], ...] = (
        ["build", "--wheel", "--out-dir", folder / "dist", ROOT],
        ["venv", "--python", ROOT / ".venv" / "bin" / "python", folder / "empty"],
    )
    for command in commands:
        subprocess.run([uv, "--quiet", *command], check=True, cwd=folder, capture_output=True)
    (wheel,) = (folder / "dist").glob("*.whl")
    install: list[str | Path] = [
        uv,
        "--quiet",
        "pip",
        "install",
        "--python",
        folder / "empty" / "bin" / "python",
        wheel,
    ]
    subprocess.run(install, check=True, cwd=folder, capture_output=True)
    return folder / "empty" / "bin"


def run(program: Path, *arguments: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([program, *arguments], cwd=cwd, capture_output=True, text=True, env={"PATH": "/usr/bin:/bin"})


@pytest.mark.slow
def test_a_wheel_in_an_empty_environment_sizes_and_plans(installed: Path, tmp_path: Path) -> None:
    code = f"import importlib.util as u, json; print(json.dumps([n for n in {ABSENT!r} if u.find_spec(n)]))"
    assert json.loads(run(installed / "python", "-c", code, cwd=tmp_path).stdout) == []
    tunestack = installed / "tunestack"
    assert "8,030,261,248 parameters" in run(tunestack, "plan", *LLAMA, cwd=tmp_path).stdout
    assert "the job: fits ml." in run(tunestack, "memory", *LLAMA, cwd=tmp_path).stdout
    three_lines = (
        "from tunestack.sizing import find_model, job_of_method, training_memory\n"
        "found = training_memory(find_model('meta-llama/Llama-3.1-8B'), job_of_method('qlora', max_length=2048))\n"
        "print(found.range_gib)"
    )
    assert "GiB (" in run(installed / "python", "-c", three_lines, cwd=tmp_path).stdout


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [["plan", "llama-3.1-8b-qlora"], ["run"], ["models", "list"]])
def test_what_needs_the_kit_says_so(arguments: list[str], installed: Path, tmp_path: Path) -> None:
    done = run(installed / "tunestack", *arguments, cwd=tmp_path)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "needs the kit's own environment" in done.stderr and "make setup" in done.stderr
