"""Whether a model goes the whole way, tried on this machine before it is uploaded: by the jobs' own code."""

import subprocess
from pathlib import Path

from tunestack.settings.recipe import Recipe
from tunestack.uploads.training_environment import NOT_HERE, run_training_code
from tunestack.uploads.upload import UploadError

MOST_SECONDS = 300


def dry_run(folder: Path, recipe: Recipe, *, python: Path) -> str | None:
    """Train, judge, pack and serve a shrunken model of the folder's architecture; why it wasn't tried, or None.

    Raises:
        UploadError: it doesn't go the whole way; the text says at which step, and why.
    """
    if not python.exists():
        return NOT_HERE
    try:
        done = run_training_code(python, "dry_run", [str(folder)], recipe, most_seconds=MOST_SECONDS)
    except subprocess.TimeoutExpired:
        return f"it took more than {MOST_SECONDS} seconds"
    if done.returncode:
        said = done.stdout.strip().splitlines() or [f"it ended with exit code {done.returncode}"]
        raise UploadError(f"{folder}: a shrunken model of this kind doesn't go the whole way: {said[-1]}")
    return None
