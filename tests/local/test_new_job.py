"""CONTRIBUTING's new step: an entry of the table, and everything that reads the definition sees the job."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from demo import deployment
from tests.conftest import CONFIG, ROOT
from tests.docs.worked_examples import tree_with
from tests.local.conftest import free_port
from tunestack.local import LocalAws, lifecycle, local_aws
from tunestack.template.assembly import Assembly

pytestmark = pytest.mark.slow
CHECKS = """
from tests.changed_settings import changed_blueprint
from tunestack.planning.checks import failed_checks
for failed in failed_checks(changed_blueprint(recipe={"evaluation": {"batch_size": 64}})):
    print(failed.problem)
"""
PICTURE = "from scripts import pictures; print(pictures.pipeline_graph(pictures.synthesized('local')))"


@dataclass(frozen=True)
class Kit:
    """A copy of the project with the entry, and an AWS of its own to deploy it to."""

    root: Path
    home: Path

    @property
    def local(self) -> LocalAws:
        return local_aws(self.home)

    def python(self, *arguments: str, cwd: Path | None = None) -> str:
        path = os.pathsep.join(str(self.root / name) for name in ("", "constructs", "training_code"))
        environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "PYTHONPATH": path}
        environment["TUNESTACK_CONFIG"] = str(CONFIG)
        done = subprocess.run(
            [sys.executable, *arguments], cwd=cwd or self.root, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        return done.stdout

    def tunestack(self, *arguments: str) -> str:
        return self.python("-m", "tunestack.cli.main", *arguments, cwd=self.home)


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kit]:
    root, home = tree_with("A new step", tmp_path_factory.mktemp("tree")), tmp_path_factory.mktemp("home")
    for name in (".venv-training", "node_modules"):
        (root / name).symlink_to(ROOT / name)
    kit = Kit(root=root, home=home)
    # A project of its own, with a server whose jobs run its own training code.
    kit.local.home.mkdir(parents=True)
    kit.tunestack("local", "up", "--port", str(free_port()))
    try:
        yield kit
    finally:
        lifecycle.down(kit.local, delete_data=True)


@pytest.fixture(scope="module")
def made(kit: Kit, tmp_path_factory: pytest.TempPathFactory) -> Assembly:
    """The local environment of the copy, synthesized with every check."""
    out = tmp_path_factory.mktemp("assembly")
    kit.python(
        "-c",
        f"from pathlib import Path; from tunestack.cli.synthesis import synthesize; synthesize('local', Path({str(out)!r}))",
    )
    return Assembly.read(out)


def test_it_has_a_role_that_may_read_what_it_reads_write_what_it_writes_and_be_passed(made: Assembly) -> None:
    resources = made.template("pipeline")["Resources"]
    (role,) = [name for name in resources if name.startswith("FineTuningBenchmarkRole") and "Policy" not in name]
    (policy,) = [item for name, item in resources.items() if name.startswith("FineTuningBenchmarkRoleDefaultPolicy")]
    statements = json.dumps(policy["Properties"]["PolicyDocument"])
    for place in ("/base-models/*", "/training/*", "/executions/*"):
        assert place in statements
    assert "/packages/*" not in statements
    passed = [item for name, item in resources.items() if name.startswith("FineTuningPipelineRoleDefaultPolicy")]
    assert role in json.dumps(passed)


def test_the_run_s_cost_counts_it(made: Assembly, assembly: Any) -> None:
    before = assembly("local").template("pipeline")["Metadata"]["tunestack:cost"]
    after = made.template("pipeline")["Metadata"]["tunestack:cost"]
    assert after["RunSteps"]["BenchmarkModel"]["InstanceType"] == "ml.g5.2xlarge"
    for figure in ("RunLowUsd", "RunExpectedUsd", "RunCeilingUsd"):
        assert float(after[figure]) > float(before[figure])


def test_the_quota_list_has_it(kit: Kit) -> None:
    rows = json.loads(kit.tunestack("quotas", "--env", "local", "--json"))
    assert "ml.g5.2xlarge" in {row["instance_type"] for row in rows if row["job"] == "benchmark"}


def test_the_checks_hold_it_to_its_gpu(kit: Kit) -> None:
    found = kit.python("-c", CHECKS).splitlines()
    assert any(
        "jobs.evaluate: ml.g5.2xlarge for BenchmarkModel: scoring 64 rows at a time needs" in line for line in found
    )


def test_the_report_shows_it(kit: Kit) -> None:
    kit.tunestack("cost", "report", "--env", "local", "--out", str(kit.home / "report.json"))
    report = json.loads((kit.home / "report.json").read_text())
    assert report["steps"]["BenchmarkModel"]["usd"] > 0


def test_the_picture_draws_it_after_what_it_waits_for(kit: Kit) -> None:
    picture = kit.python("-c", PICTURE)
    assert "BenchmarkModel[BenchmarkModel]" in picture
    assert "FineTune --> BenchmarkModel" in picture and "PrepareData --> BenchmarkModel" in picture


def test_a_local_run_runs_it_and_is_billed_for_it(kit: Kit, made: Assembly, tiny_model: Path) -> None:
    deployment.bootstrap(kit.local)
    deployment.deploy(kit.local, made.folder)
    rows = [{"instruction": f"what does function {n} do", "response": f"return {n} names"} for n in range(80)]
    data, questions = kit.home / "rows.jsonl", kit.home / "questions.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    questions.write_text('{"instruction": "list names"}\n')
    kit.tunestack("models", "add", str(tiny_model))
    data_uri = json.loads(kit.tunestack("data", "add", str(data), "--json"))["DataUri"]
    input_uri = json.loads(kit.tunestack("data", "add", str(questions), "--batch-input", "--json"))["TransformInputUri"]
    chosen = {
        "DataUri": data_uri, "TransformInputUri": input_uri, "MaxSteps": "8", "LearningRate": "0.01",
        "PerDeviceTrainBatchSize": "2", "GradientAccumulationSteps": "1", "BenchmarkInstanceType": "ml.g5.2xlarge",
    }  # fmt: skip
    params = [part for name, value in chosen.items() for part in ("--param", f"{name}={value}")]
    view = json.loads(kit.tunestack("run", "--json", *params))
    assert {step["name"]: step["status"] for step in view["steps"]}["BenchmarkModel"] == "Succeeded"
    billed = json.loads(kit.tunestack("cost", "actual", "--json"))
    assert "BenchmarkModel" in {step["step"] for step in billed["steps"]}
