"""The assemblies that `tunestack check` synthesized, one folder an environment."""

from pathlib import Path

import pytest

from tunestack.cli.synthesis import CHECKED
from tunestack.settings.loading import environment_names
from tunestack.template.assembly import Assembly


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--assemblies", type=Path, default=CHECKED, help="where they lie")


def pytest_configure(config: pytest.Config) -> None:
    """Where some environments alone were checked, what was accepted of the others isn't unused."""
    folder = config.getoption("--assemblies")
    if not all((folder / name).is_dir() for name in environment_names()):
        config.option.warn_unused_snapshots = True


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test of each stack of each environment, and of its definition."""
    folder = metafunc.config.getoption("--assemblies")
    assemblies = {name: Assembly.read(folder / name) for name in environment_names() if (folder / name).is_dir()}
    parts = {
        f"{name}-{part}": (name, assembly, part)
        for name, assembly in assemblies.items()
        for part in (*(stack.kind for stack in assembly.stacks), "definition")
    }
    metafunc.parametrize(("env", "assembly", "part"), parts.values(), ids=parts)
