"""Checks are found by their files: a new one is a new file, and no list."""

from collections.abc import Iterable
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType


def checks_in(package: str, path: Iterable[str]) -> tuple[ModuleType, ...]:
    """The modules of a package, each a check with `KINDS` and `check`; in the order of their names."""
    return tuple(import_module(f"{package}.{file.name}") for file in iter_modules(path))


def name_of(check: ModuleType) -> str:
    """What a check is called: its file."""
    return check.__name__.rpartition(".")[2]
