"""Checkpoints that can be trusted: each has a manifest, written last, and is of one training only.

A checkpoint may be cut off (a kill, a full disk, an upload that didn't finish), and a folder may hold
those of another recipe or other data. Only a complete one of this very training is resumed from.
"""

import hashlib
import json
import logging
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from tunestack_training.digests import file_sha256
from tunestack_training.recipe import Recipe

MANIFEST, TRAINER_STATE, HISTORY = "manifest.json", "trainer_state.json", "metrics.json"
# Beside the checkpoints: what a training that has ended left as its model.
FINISHED = "finished"
# A folder of another name (checkpoint-best) is somebody else's.
_STEP = re.compile(r"checkpoint-\d+")
# Of the recipe's training section: what is logged and kept, and how often.
_SHAPES_NOTHING = ("logging_steps", "save_steps", "save_total_limit")
log = logging.getLogger(__name__)


def training_identity(recipe: Recipe, read: Mapping[str, str]) -> str:
    """What identifies a training: what of its recipe shapes the weights, and the digests of what it reads."""
    shaping = recipe.model_dump(include={"model", "quantization", "lora", "training"})
    for name in _SHAPES_NOTHING:
        del shaping["training"][name]
    identifying = json.dumps({**shaping, "read": dict(read)}, sort_keys=True)
    return hashlib.sha256(identifying.encode()).hexdigest()[:16]


def is_finished(checkpoint: Path) -> bool:
    """Whether a checkpoint is of its training's last step."""
    state = json.loads((checkpoint / TRAINER_STATE).read_text(encoding="utf-8"))
    return bool(state["global_step"] >= state["max_steps"])


def seal(checkpoint: Path) -> None:
    """Write a checkpoint's manifest: the size and hash of each of its files."""
    files = {
        file.relative_to(checkpoint).as_posix(): {"size": file.stat().st_size, "sha256": file_sha256(file)}
        for file in sorted(checkpoint.rglob("*"))
        if file.is_file() and file.name != MANIFEST
    }
    partial = checkpoint / f"{MANIFEST}.partial"
    partial.write_text(json.dumps(files, indent=1), encoding="utf-8")
    partial.replace(checkpoint / MANIFEST)


def finished_model(folder: Path) -> Path | None:
    """What the training left as its model, if it has come to its end before."""
    found = folder / FINISHED
    return found if _is_complete(found) else None


def keep_finished(model: Path, folder: Path) -> None:
    """Keep what a training leaves, so that started again it has nothing to load and nothing to do."""
    shutil.rmtree(folder / FINISHED, ignore_errors=True)
    shutil.copytree(model, folder / FINISHED)
    seal(folder / FINISHED)


def newest_complete(folder: Path) -> Path | None:
    """The newest checkpoint that is as its manifest says, or None."""
    found = [path for path in folder.glob("checkpoint-*") if path.is_dir() and _STEP.fullmatch(path.name)]
    for checkpoint in sorted(found, key=lambda path: int(path.name.rpartition("-")[2]), reverse=True):
        if _is_complete(checkpoint):
            return checkpoint
        log.warning("%s is incomplete and is not resumed from", checkpoint.name)
    return None


def _is_complete(checkpoint: Path) -> bool:
    try:
        files = json.loads((checkpoint / MANIFEST).read_text(encoding="utf-8"))
        return all(
            (checkpoint / name).stat().st_size == known["size"] and file_sha256(checkpoint / name) == known["sha256"]
            for name, known in files.items()
        )
    except (OSError, ValueError, KeyError):
        return False
