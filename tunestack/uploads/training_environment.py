"""The jobs' own code on this machine: in the training environment, which is apart from this one."""

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tunestack.settings.recipe import Recipe

NOT_HERE = "there is no training environment here: `make setup`"
_CODE = Path(__file__).parents[2] / "training_code"


def run_training_code(
    python: Path, module: str, arguments: Sequence[str], recipe: Recipe, *, most_seconds: int
) -> "subprocess.CompletedProcess[str]":
    """Run a module of the training code on the CPU, offline, with the recipe's options; it ends with any exit code.

    Raises:
        subprocess.TimeoutExpired: it took longer.
    """
    options = [word for item in _options(recipe).items() for word in ("--set", *item)]
    environment = {
        **os.environ, "PYTHONPATH": str(_CODE), "HF_HUB_OFFLINE": "1", "TQDM_DISABLE": "1", "CUDA_VISIBLE_DEVICES": "",
    }  # fmt: skip
    return subprocess.run(
        [str(python), "-m", f"tunestack_training.{module}", *arguments, *options],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=most_seconds,
    )  # fmt: skip


def _options(recipe: Recipe) -> dict[str, str]:
    """The recipe as a job gets it; `auto` is for a larger machine to decide."""
    fields = {
        f"{section}.{key}": value
        for section, values in recipe.model_dump().items()
        for key, value in values.items()
        if value is not None and (value != "auto" or section != "training")
    }
    return {dotted: value if isinstance(value, str) else json.dumps(value) for dotted, value in fields.items()}
