"""What the locks hold is what the index has: each version exists, with those hashes, and resolves to the same set."""

import re
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.conftest import ROOT

UV = ROOT / ".tools" / "uv" / "bin" / "uv"
UNIVERSAL = ("--universal", "--python-version", "3.11")
CONTAINER = ("--python-version", "3.11", "--python-platform", "x86_64-manylinux_2_28")
# Requirements → how they are resolved, as `make lock` does it.
LOCKED = {
    "requirements": (*UNIVERSAL, "--override", "requirements-overrides.txt", "--no-emit-package", "tunestack"),
    "requirements-sdk": UNIVERSAL,
    "requirements-checkov": UNIVERSAL,
    "training_code/requirements": CONTAINER,
    "training_code/requirements-test": ("--python-version", "3.11"),
    "training_code/requirements-sbom": ("--python-version", "3.11"),
    "demo/requirements": ("--no-deps", "--python-version", "3.11"),
}
# scripts/lock-training leaves out what a base image has, or pip installs by the build that the host needs.
NOT_LOCKED = re.compile(r"torch|triton|nvidia-[a-z0-9-]+|cuda-[a-z]+")
UNREACHABLE = re.compile(r"(?i)failed to fetch|error sending request|dns error|could not connect|network")
# A package may be locked twice, each for its versions of Python.
ENTRY = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)( ; [^\\\n]+)?", re.MULTILINE)


@dataclass(frozen=True)
class Locked:
    """A package at a version: what it is locked for, and its files' hashes."""

    name: str
    marker: str
    hashes: frozenset[str]


Lock = dict[str, Locked]


def read(text: str) -> Lock:
    """Each package at its version."""
    starts = [*ENTRY.finditer(text)]
    ends = [*(item.start() for item in starts[1:]), len(text)]
    return {
        f"{item[1].lower()}=={item[2]}": Locked(
            name=item[1].lower(),
            marker=(item[3] or "").strip(),
            hashes=frozenset(re.findall(r"sha256:[0-9a-f]{64}", text[item.start() : end])),
        )
        for item, end in zip(starts, ends, strict=True)
    }


def resolved(name: str, lock: Lock, folder: Path) -> Lock:
    """What the index gives for the requirements, held to the lock's versions."""
    pins = folder / "pins.txt"
    pins.write_text("".join(f"{pin} {locked.marker}\n" for pin, locked in lock.items()))
    command = [UV, "pip", "compile", "-q", "--generate-hashes", "--no-header", "--no-annotate", f"{name}.txt"]
    given = [*LOCKED[name], "-c", str(pins), "-o", str(folder / "fresh.lock")]
    run = subprocess.run([*map(str, command), *given], cwd=ROOT, capture_output=True, text=True, check=False)
    if run.returncode and UNREACHABLE.search(run.stderr):
        pytest.skip(f"the index isn't reached: {run.stderr.strip()[:200]}")
    assert run.returncode == 0, run.stderr
    return read((folder / "fresh.lock").read_text())


def problems(lock: Lock, fresh: Lock) -> list[str]:
    """Where a lock holds what the index doesn't; a file that the index got since is none."""
    wanted = {pin for pin, locked in fresh.items() if not NOT_LOCKED.fullmatch(locked.name)}
    found = [f"{pin} is needed, and not locked" for pin in sorted(wanted - lock.keys())]
    found += [f"{pin} is locked, and nothing needs it" for pin in sorted(lock.keys() - fresh.keys())]
    for pin in sorted(lock.keys() & fresh.keys()):
        if unknown := lock[pin].hashes - fresh[pin].hashes:
            found.append(f"{pin}: the index has no file {min(unknown)}")
    return found


@pytest.mark.parametrize("name", LOCKED)
def test_a_lock_is_what_the_index_has(name: str, tmp_path: Path) -> None:
    lock = read((ROOT / f"{name}.lock").read_text())
    assert lock and problems(lock, resolved(name, lock, tmp_path)) == []


def test_what_the_index_does_not_have_is_named(tmp_path: Path) -> None:
    name = "requirements-sbom"
    lock = read((ROOT / "training_code" / f"{name}.lock").read_text())
    fresh = resolved(f"training_code/{name}", lock, tmp_path)
    first, other = sorted(lock)[:2]
    another = replace(lock[first], hashes=lock[first].hashes | {"sha256:" + "a" * 64})
    changed = {**lock, first: another, "requests==1": replace(another, name="requests")}
    del changed[other]
    assert problems(changed, fresh) == [
        f"{other} is needed, and not locked",
        "requests==1 is locked, and nothing needs it",
        f"{first}: the index has no file sha256:{'a' * 64}",
    ]
