"""What a job read or made, known by its content: the same digest is the same files, byte for byte.

Each step that uses a file is told the digest that the step before it saw, so that what is judged, packed, registered
and served is one thing.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tunestack_training.failure import JobError

# `--set sha256.NAME DIGEST`, or several that are good, with commas between them.
SECTION = "sha256."
# Beside an adapter: the digests of what it was trained on.
MADE_FROM_FILE = "made_from.json"


def folder_sha256(folder: Path) -> str:
    """The digest of all files under a folder: of their names from there, and of their content."""
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    # Hashing lets go of Python's lock.
    with ThreadPoolExecutor(min(16, os.cpu_count() or 1)) as pool:
        digests = list(pool.map(file_sha256, files))
    names = (file.relative_to(folder).as_posix() for file in files)
    return _of_lines(f"{digest}  {name}" for name, digest in zip(names, digests, strict=True))


def file_sha256(file: Path) -> str:
    """The digest of a file's content."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def of_several(digests: Mapping[str, str]) -> str:
    """One digest for several things, each by its name."""
    return _of_lines(f"{digest}  {name}" for name, digest in sorted(digests.items()))


def split_options(options: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """A job's options: those of the recipe, and the digests that it is told, by name."""
    recipe = {key: value for key, value in options.items() if not key.startswith(SECTION)}
    told = {key.removeprefix(SECTION): value for key, value in options.items() if key.startswith(SECTION)}
    return recipe, told


def made_from(adapter: Path) -> dict[str, str]:
    """The digests of what an adapter was trained on.

    Raises:
        JobError: the training didn't leave them.
    """
    try:
        read: dict[str, str] = json.loads((adapter / MADE_FROM_FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise JobError(f"{adapter} holds no {MADE_FROM_FILE}: train it anew, by this version of the kit") from None
    return read


def check(found: Mapping[str, str], told: Mapping[str, str]) -> None:
    """See that what was found is what the job was told.

    Raises:
        JobError: it isn't, or it is told one of something that it doesn't read.
    """
    for name, wanted in told.items():
        if found.get(name) not in wanted.split(","):
            raise JobError(
                f"the {name.replace('_', ' ')} isn't what it was when it was made or registered: its files have the "
                f"SHA-256 {found.get(name, 'of nothing')}, and {wanted} is allowed. Somebody changed them since: look "
                "who wrote there (CloudTrail), and run the pipeline anew"
            )


def _of_lines(lines: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode(errors="surrogateescape")).hexdigest()
