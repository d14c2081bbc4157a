"""A real instruction data set without a download: what Python's own documentation says of its functions."""

import importlib
import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path

# Modules that import without side effects, and whose functions are documented.
MODULES = [
    "abc",
    "argparse",
    "array",
    "ast",
    "base64",
    "bisect",
    "builtins",
    "calendar",
    "cmath",
    "codecs",
    "collections",
    "collections.abc",
    "colorsys",
    "configparser",
    "contextlib",
    "copy",
    "csv",
    "dataclasses",
    "datetime",
    "decimal",
    "difflib",
    "dis",
    "email",
    "email.utils",
    "enum",
    "filecmp",
    "fileinput",
    "fnmatch",
    "fractions",
    "functools",
    "gc",
    "getpass",
    "gettext",
    "glob",
    "gzip",
    "hashlib",
    "heapq",
    "hmac",
    "html",
    "http",
    "http.client",
    "importlib.util",
    "inspect",
    "io",
    "ipaddress",
    "itertools",
    "json",
    "keyword",
    "linecache",
    "locale",
    "logging",
    "lzma",
    "math",
    "mimetypes",
    "operator",
    "os",
    "os.path",
    "pathlib",
    "pickle",
    "pkgutil",
    "platform",
    "plistlib",
    "pprint",
    "queue",
    "random",
    "re",
    "reprlib",
    "secrets",
    "select",
    "shelve",
    "shlex",
    "shutil",
    "signal",
    "socket",
    "sqlite3",
    "ssl",
    "stat",
    "statistics",
    "string",
    "struct",
    "subprocess",
    "sys",
    "sysconfig",
    "tarfile",
    "tempfile",
    "textwrap",
    "threading",
    "time",
    "timeit",
    "token",
    "tokenize",
    "traceback",
    "types",
    "typing",
    "unicodedata",
    "unittest.mock",
    "urllib.parse",
    "urllib.request",
    "uuid",
    "warnings",
    "wave",
    "weakref",
    "xml.etree.ElementTree",
    "zipfile",
    "zlib",
]
LONGEST_ANSWER = 300


def docstring_rows() -> Iterator[dict[str, str]]:
    """Question and answer for each documented function, class and method, in a fixed order."""
    seen: set[str] = set()
    for module_name in MODULES:
        module = importlib.import_module(module_name)
        for name, value in sorted(vars(module).items()):
            if name.startswith("_") or not callable(value):
                continue
            yield from _rows_of(f"{module_name}.{name}", value, seen)
            if inspect.isclass(value):
                for method_name, method in sorted(vars(value).items()):
                    if not method_name.startswith("_") and callable(method):
                        yield from _rows_of(f"{module_name}.{name}.{method_name}", method, seen)


def write_data_set(file: Path) -> int:
    """Write the data set as JSON Lines; how many rows."""
    rows = list(docstring_rows())
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return len(rows)


def _rows_of(name: str, value: object, seen: set[str]) -> Iterator[dict[str, str]]:
    text = inspect.getdoc(value) or ""
    paragraphs = [" ".join(part.split()) for part in text.split("\n\n")]
    # The first paragraph that is a sentence; signatures stand before it in C functions.
    answer = next((part for part in paragraphs if re.match(r"[A-Z].*\.$", part)), "")
    if answer and len(answer) <= LONGEST_ANSWER and answer not in seen:
        seen.add(answer)
        yield {"instruction": f"What does Python's {name.removeprefix('builtins.')} do?", "response": answer}
