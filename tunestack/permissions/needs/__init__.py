"""Who needs what: worked out from what is deployed, one kind of resource a file, and never from policies.

Each module says what its kind needs in `needs(world)`; a new kind is a new file here, and nothing else.
"""

from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules

from tunestack.permissions.access import Access
from tunestack.permissions.world import World


def needs_of(world: World) -> Iterator[Access]:
    """Every access that anything deployed in the world needs."""
    for module in iter_modules(__path__):
        found = import_module(f"{__name__}.{module.name}")
        if hasattr(found, "needs"):
            yield from found.needs(world)
