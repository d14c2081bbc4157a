"""The API's rules that shapes don't show, one a file, and the kit's own on keys and secrets.

A check says in `KINDS` which kinds of step it looks at (None: all), and yields what is wrong with one. A new one is a
new file here; the files without `KINDS` are what the checks share.
"""

from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

_FILES = (import_module(f"{__name__}.{file.name}") for file in iter_modules(__path__))
CHECKS: tuple[ModuleType, ...] = tuple(file for file in _FILES if hasattr(file, "KINDS"))
