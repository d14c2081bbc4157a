"""The permission proof beside the synthesis that makes what it reads."""

from collections.abc import Callable
from pathlib import Path

from tunestack.cli.synthesis import synthesize
from tunestack.permissions.proof import prove
from tunestack.permissions.world import World

ENVIRONMENTS = "dev,staging,prod"


def cases(folder: Path) -> dict[str, Callable[[], object]]:
    """Three environments, synthesized and proven."""
    assembly = folder / "assembly"
    return {
        "synth": lambda: synthesize(ENVIRONMENTS, assembly),
        "proof": lambda: prove(World.read([assembly])),
    }
