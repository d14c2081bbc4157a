"""A machine's `/opt/ml` in a temporary folder, and jobs run on it in this process."""

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from tiny_model import make_tiny_model
from tunestack_training import prepare, train

os.environ.update(HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false", TQDM_DISABLE="1")
RECIPE = {"model.name_or_path": "tiny/model", "model.revision": "main", "data.name": "test"}
TRAINING = {
    **RECIPE,
    "training.max_steps": "6",
    "training.per_device_train_batch_size": "2",
    "training.gradient_accumulation_steps": "1",
    "training.learning_rate": "0.01",
    "training.max_length": "64",
    "training.save_steps": "2",
    "training.logging_steps": "1",
}


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = make_tiny_model(tmp_path_factory.mktemp("tiny"))
    return folder


@pytest.fixture
def ml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The job's /opt/ml."""
    folder = tmp_path / "opt-ml"
    folder.mkdir()
    monkeypatch.setenv("TUNESTACK_ML_FOLDER", str(folder))
    return folder


def rows(count: int) -> list[dict[str, str]]:
    return [
        {"instruction": f"what does function {n} do", "response": f"return a list of {n} names"} for n in range(count)
    ]


def write_lines(file: Path, items: Sequence[object]) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(json.dumps(item) + "\n" for item in items))
    return file


def conversations(count: int) -> list[dict[str, object]]:
    return [
        {
            "prompt": [{"role": "user", "content": row["instruction"]}],
            "completion": [{"role": "assistant", "content": row["response"]}],
        }
        for row in rows(count)
    ]


def training_inputs(ml: Path, model: Path, hyperparameters: dict[str, str]) -> None:
    """What SageMaker puts in place before a training job."""
    shutil.copytree(model, ml / "input" / "data" / "base-model")
    write_lines(ml / "input" / "data" / "train" / "rows.jsonl", conversations(16))
    write_lines(ml / "input" / "data" / "validation" / "rows.jsonl", conversations(4))
    config = ml / "input" / "config" / "hyperparameters.json"
    config.parent.mkdir(parents=True)
    config.write_text(json.dumps(hyperparameters))


@pytest.fixture(scope="session")
def adapter(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The adapter that an uninterrupted training leaves."""
    ml = tmp_path_factory.mktemp("train")
    os.environ["TUNESTACK_ML_FOLDER"] = str(ml)
    training_inputs(ml, tiny_model, TRAINING)
    train.run({})
    return ml / "model"


def prepared(ml: Path, model: Path, **options: str) -> dict[str, list[dict[str, Any]]]:
    shutil.copytree(model, ml / "processing" / "input" / "base-model", dirs_exist_ok=True)
    prepare.run({**RECIPE, "data.test_fraction": "0.2", "data.validation_fraction": "0.2", **options})
    out = ml / "processing" / "output"
    return {name: [json.loads(line) for line in (out / name / "rows.jsonl").open()] for name in ("train", "validation", "test", "general", "rejected")}  # fmt: skip
