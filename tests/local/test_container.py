"""The real Dockerfile, built, and a step of the pipeline run in its container through the runner."""

import json
import os
import re
import shutil
import subprocess
import threading
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tunestack.local.runner.container import ContainerHost, ContainerSpec

pytestmark = pytest.mark.slow
BUILD = ("docker", "build", "--network=host", "--build-arg=TORCH_BUILD=cpu")
BASE, IMAGE = "tunestack-test-base", "tunestack-test-training:latest"


def docker_runs() -> bool:
    return (
        shutil.which("docker") is not None and subprocess.run(["docker", "info"], capture_output=True).returncode == 0
    )


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The training image, on a base made from Debian's packages; torch from a wheel if pip finds a small one."""
    if not docker_runs():
        assert not os.environ.get("CI"), "CI must have a Docker daemon: scripts/ensure-docker"
        pytest.skip("no Docker daemon")
    subprocess.run([ROOT / "scripts" / "make-base-image", BASE], check=True)
    context = tmp_path_factory.mktemp("context") / "training_code"
    shutil.copytree(ROOT / "training_code", context, ignore=shutil.ignore_patterns("__pycache__", "wheels"))
    python = ROOT / ".venv-training" / "bin" / "python"
    subprocess.run(
        [python, "-m", "pip", "download", "-q", "--no-deps", "-d", context / "wheels", "torch==2.13.0"],
        check=True,
        capture_output=True,
    )
    built = subprocess.run(
        [*BUILD, f"--build-arg=BASE_IMAGE={BASE}", "--tag", IMAGE, context],
        env={**os.environ, "DOCKER_BUILDKIT": "0"},
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, (built.stdout + built.stderr)[-3000:]
    return IMAGE


def test_a_step_runs_in_the_container_with_the_file_contract(image: str, tiny_model: Path, tmp_path: Path) -> None:
    # GIVEN what SageMaker puts in place for PrepareData
    ml = tmp_path / "opt-ml"
    data = ml / "processing" / "input" / "data"
    data.mkdir(parents=True)
    (data / "rows.jsonl").write_text(
        "".join(f'{{"instruction": "what is {n}", "response": "it is {n}"}}\n' for n in range(80))
    )
    shutil.copytree(tiny_model, ml / "processing" / "input" / "base-model")
    options = {"model.name_or_path": "a/b", "model.revision": "main", "data.name": "rows", "data.test_fraction": "0.2"}
    lines: list[str] = []
    # WHEN the runner starts it
    container = ContainerHost(ROOT, docker_host=os.environ.get("DOCKER_HOST")).start(
        ContainerSpec(
            image_uri=image,
            entrypoint=("python", "-m", "tunestack_training", "prepare"),
            arguments=[part for name, value in options.items() for part in ("--set", name, value)],
            environment={},
            ml_folder=ml,
        )
    )
    code = container.run(on_line=lines.append, max_runtime_seconds=300, stopping=threading.Event())
    # THEN it ran in Docker, and its outputs lie where SageMaker looks for them
    assert (container.kind, code) == ("docker", 0), lines
    assert (ml / "processing" / "output" / "train" / "rows.jsonl").stat().st_size > 0
    assert "rows rejected" in (ml / "output" / "message").read_text()


def test_the_image_holds_what_training_needs_and_the_torch_that_was_brought(
    image: str, tiny_model: Path, tmp_path: Path
) -> None:
    script = "import bitsandbytes, peft, trl, torch; print(torch.__version__)"
    done = subprocess.run(
        ["docker", "run", "--rm", "--network=none", "--entrypoint", "python", image, "-c", script],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    # The build of torch that lay in wheels/, not another one that pip would find elsewhere.
    here = subprocess.run(
        [ROOT / ".venv-training" / "bin" / "python", "-c", "import torch; print(torch.__version__)"],
        capture_output=True,
        text=True,
    )
    assert done.stdout == here.stdout


def test_the_image_holds_the_bill_of_materials_of_what_is_in_it(image: str) -> None:
    done = subprocess.run(
        ["docker", "run", "--rm", "--network=none", "--entrypoint", "cat", image, "/opt/tunestack/sbom.cdx.json"],
        capture_output=True,
        text=True,
        check=True,
    )
    bill = json.loads(done.stdout)
    assert bill["bomFormat"] == "CycloneDX"
    listed = {re.sub(r"[-_.]+", "-", item["name"]).lower(): item["version"] for item in bill["components"]}
    lock = (ROOT / "training_code" / "requirements.lock").read_text()
    locked = dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", lock, re.MULTILINE))
    assert {name: listed.get(name) for name in locked} == locked
    assert "torch" in listed and "cyclonedx-bom" not in listed
