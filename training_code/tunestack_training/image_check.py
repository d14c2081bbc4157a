"""What an image must be before a job pays for finding out: `python -m tunestack_training.image_check PINS BUILD`."""

import importlib.metadata
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

# What requirements.lock is resolved for.
PYTHON = (3, 11)
IMPORTED = ("torch", "transformers", "peft", "trl", "bitsandbytes", "accelerate", "datasets", "starlette", "uvicorn")


def main(arguments: list[str]) -> int:
    """Say every problem; the exit code."""
    pins, build = Path(arguments[0]), arguments[1]
    found = [*python_problems(sys.version_info[:2]), *pin_problems(pins.read_text(encoding="utf-8"))]
    found += [*import_problems(IMPORTED), *build_problems(build), *compiler_problems("gcc")]
    for problem in found:
        print(f"image check: {problem}")
    return 1 if found else 0


def python_problems(version: tuple[int, ...]) -> Iterator[str]:
    if version != PYTHON:
        wanted, got = (".".join(map(str, item)) for item in (PYTHON, version))
        yield f"the base image must have Python {wanted}, which requirements.lock is resolved for; it has {got}"


def pin_problems(pins: str) -> Iterator[str]:
    """Every pinned package that is absent or of another version; a build's suffix (+cu126) is no other version."""
    for line in pins.splitlines():
        name, equal, wanted = line.partition("==")
        if line.startswith("#") or not equal:
            continue
        try:
            version = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            yield f"{name} must be {wanted}; it isn't installed"
            continue
        if version.partition("+")[0] != wanted:
            yield f"{name} must be {wanted}, is {version}"


def import_problems(names: tuple[str, ...]) -> Iterator[str]:
    for name in names:
        try:
            import_module(name)
        except Exception as error:  # Whatever it is, a job would end with it.
            yield f"{name} can't be imported: {type(error).__name__}: {error}"


def build_problems(wanted: str) -> Iterator[str]:
    """Whether torch is the build that the image's hosts can run (cu126, cu130, cpu)."""
    import torch

    cuda = torch.version.cuda
    build = f"cu{cuda.replace('.', '')}" if cuda else "cpu"
    if build != wanted:
        yield f"torch must be the {wanted} build, is {build}: choose another base, or images.…_torch_build"


def compiler_problems(compiler: str) -> Iterator[str]:
    """Whether Triton could compile: a C file with Python's headers."""
    include = sysconfig.get_path("include")
    command = [compiler, "-fsyntax-only", f"-I{include}", "-x", "c", "-"]
    try:
        done = subprocess.run(command, input="#include <Python.h>\n", capture_output=True, text=True, check=False)
    except FileNotFoundError:
        yield f"no C compiler ({compiler}): Triton needs one when a training starts"
        return
    if done.returncode != 0:
        yield f"{compiler} can't compile against Python's headers in {include}: {done.stderr.strip()[:300]}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
