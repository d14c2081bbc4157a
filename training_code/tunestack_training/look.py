"""A data set as PrepareData will find it, looked at on this machine: by the model's own tokenizer and template.

`python -m tunestack_training.look TOKENIZER FILE… [--set KEY VALUE]…`, with the recipe's options. Printed last is
JSON: PrepareData's `report`, or the `error` that it would end with.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tunestack_training.failure import JobError
from tunestack_training.options import recipe_from_options
from tunestack_training.prepare import collected_rows, judge_for, read_general


def look(tokenizer: Path, files: Sequence[Path], options: Mapping[str, str]) -> dict[str, Any]:
    """The report of PrepareData.

    Raises:
        JobError: it would fail.
    """
    recipe = recipe_from_options(options)
    judge = judge_for(tokenizer, recipe)
    with tempfile.TemporaryDirectory() as scratch:
        rejected = Path(scratch) / "rejected.jsonl"
        with collected_rows(files, judge, Path(scratch), rejected) as (_, _, report):
            read_general(files, judge)
            return report


def main(arguments: list[str]) -> int:
    """Look at a data set; 0 wherever it was looked at."""
    parser = argparse.ArgumentParser(prog="tunestack_training.look")
    parser.add_argument("tokenizer", type=Path)
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--set", nargs=2, action="append", default=[], metavar=("KEY", "VALUE"))
    given = parser.parse_args(arguments)
    try:
        found: dict[str, Any] = {"report": look(given.tokenizer, given.files, dict(given.set))}
    except JobError as error:
        found = {"error": str(error)}
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
