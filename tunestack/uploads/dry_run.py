"""Whether a model goes the whole way, tried on this machine before it is uploaded: by the jobs' own code."""

import json
import os
import subprocess
from pathlib import Path

from tunestack.settings.recipe import Recipe
from tunestack.uploads.upload import UploadError

MOST_SECONDS = 300
_CODE = Path(__file__).parents[2] / "training_code"


def dry_run(folder: Path, recipe: Recipe, *, python: Path) -> str | None:
    """Train, judge, pack and serve a shrunken model of the folder's architecture; why it wasn't tried, or None.

    Raises:
        UploadError: it doesn't go the whole way; the text says at which step, and why.
    """
    if not python.exists():
        return "there is no training environment here: `make setup`"
    options = [word for item in _options(recipe).items() for word in ("--set", *item)]
    environment = {
        **os.environ, "PYTHONPATH": str(_CODE), "HF_HUB_OFFLINE": "1", "TQDM_DISABLE": "1", "CUDA_VISIBLE_DEVICES": "",
    }  # fmt: skip
    try:
        done = subprocess.run(
            [str(python), "-m", "tunestack_training.dry_run", str(folder), *options],
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
            timeout=MOST_SECONDS,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"it took more than {MOST_SECONDS} seconds"
    if done.returncode:
        said = done.stdout.strip().splitlines() or [f"it ended with exit code {done.returncode}"]
        raise UploadError(f"{folder}: a shrunken model of this kind doesn't go the whole way: {said[-1]}")
    return None


def _options(recipe: Recipe) -> dict[str, str]:
    """The recipe as a job gets it; `auto` is for a larger machine to decide."""
    fields = {
        f"{section}.{key}": value
        for section, values in recipe.model_dump().items()
        for key, value in values.items()
        if value is not None and (value != "auto" or section != "training")
    }
    return {dotted: value if isinstance(value, str) else json.dumps(value) for dotted, value in fields.items()}
