"""The same pipeline, built with the SageMaker SDK in its own environment, gives the same definition, step by step."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tunestack.jobs import JOBS
from tunestack.layout import Bucket, Image
from tunestack.pipeline import JobDefaults, Resources, Vpc, fine_tuning_pipeline
from tunestack.planning.blueprint import blueprint_of
from tunestack.settings.loading import load_settings

pytestmark = pytest.mark.slow
SDK = ROOT / ".venv-sdk" / "bin" / "python"
Json = dict[str, Any]


@pytest.fixture(scope="module")
def ours() -> Json:
    registry, account = "123456789012.dkr.ecr.us-east-1.amazonaws.com", "123456789012"
    resources = Resources(
        buckets={bucket: bucket.lower() for bucket in Bucket},
        images={image: f"{registry}/{image.lower()}:1" for image in Image},
        model_package_group_name="models",
        roles={job.key: f"arn:aws:iam::{account}:role/{job.key}" for job in JOBS},
        job=JobDefaults(
            kms_key=f"arn:aws:kms:us-east-1:{account}:key/12345678-1234-1234-1234-123456789012",
            vpc=Vpc(subnet_ids=("subnet-12345678",), security_group_ids=("sg-12345678",)),
            tags={"environment": "prod"},
        ),
    )
    made: Json = fine_tuning_pipeline(blueprint_of(load_settings("prod")).settings, resources).to_definition()
    return made


@pytest.fixture(scope="module")
def theirs(ours: Json, tmp_path_factory: pytest.TempPathFactory) -> Json:
    assert SDK.exists(), "make setup-sdk"
    file = tmp_path_factory.mktemp("sdk") / "ours.json"
    file.write_text(json.dumps(ours))
    rebuild = Path(__file__).parent / "rebuild.py"
    done = subprocess.run([SDK, rebuild, file], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    made: Json = json.loads(done.stdout)
    return made


def flat(definition: Json) -> dict[str, Json]:
    """Every step by name, a condition less its branches."""
    found: dict[str, Json] = {}

    def visit(steps: list[Json]) -> None:
        for step in steps:
            arguments = dict(step["Arguments"])
            branches = [arguments.pop("IfSteps", []), arguments.pop("ElseSteps", [])]
            names = [[item["Name"] for item in branch] for branch in branches]
            found[step["Name"]] = {**step, "Arguments": arguments, "Branches": names}
            for branch in branches:
                visit(branch)

    visit(definition["Steps"])
    return found


def without_the_sdks_defaults(step: Json) -> Json:
    """What the SDK adds by itself: empty environments and metrics, and SkipModelValidation's default."""
    if step["Type"] not in ("Model", "RegisterModel"):
        return step

    def clean(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: clean(item) for key, item in value.items() if item != {} and key != "SkipModelValidation"}
        return [clean(item) for item in value] if isinstance(value, list) else value

    cleaned: Json = clean(step)
    return cleaned


def test_parameters_are_the_same(ours: Json, theirs: Json) -> None:
    assert theirs["Parameters"] == ours["Parameters"]


@pytest.mark.parametrize(
    "name",
    ["PrepareData", "FineTune", "EvaluateModels", "CheckGates", "PackageModel", "RegisterModel", "CreateModel", "BatchTransform", "RejectModel"],
)  # fmt: skip
def test_each_step_is_the_same(name: str, ours: Json, theirs: Json) -> None:
    assert without_the_sdks_defaults(flat(theirs)[name]) == flat(ours)[name]


def test_no_step_is_left_out(ours: Json, theirs: Json) -> None:
    assert list(flat(theirs)) == list(flat(ours))
