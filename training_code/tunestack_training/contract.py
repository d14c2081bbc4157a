"""Where SageMaker puts things in a container, and where it looks for them."""

import json
import os
from pathlib import Path
from typing import Any


def ml_folder() -> Path:
    """`/opt/ml`; elsewhere when the same code runs without a container."""
    return Path(os.environ.get("TUNESTACK_ML_FOLDER", "/opt/ml"))


def hyperparameters() -> dict[str, str]:
    """A training job's hyperparameters; all values are strings."""
    file = ml_folder() / "input" / "config" / "hyperparameters.json"
    given: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
    return given


def channel(name: str) -> Path:
    """The folder of a training channel."""
    return ml_folder() / "input" / "data" / name


def model_folder() -> Path:
    """What a training job leaves here is its model; a server finds its model here."""
    return ml_folder() / "model"


def checkpoint_folder() -> Path:
    """Kept in S3 while a training runs; what lies here at the start is from an interrupted one."""
    return ml_folder() / "checkpoints"


def processing_input(name: str) -> Path:
    """The folder of a processing job's input."""
    return ml_folder() / "processing" / "input" / name


def processing_output(name: str) -> Path:
    """The folder of a processing job's output, made if need be."""
    folder = ml_folder() / "processing" / "output" / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def write_failure(reason: str) -> None:
    """Say why the job failed: its FailureReason (training) or ExitMessage (processing)."""
    for name in ("failure", "message"):
        _write_output(name, reason[:1024])


def write_exit_message(message: str) -> None:
    """A processing job's ExitMessage, which later steps can read; at most 1,024 characters."""
    _write_output("message", message[:1024])


def write_json(file: Path, value: Any) -> None:
    """Write a JSON file for people and programs to read."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _write_output(name: str, text: str) -> None:
    file = ml_folder() / "output" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
