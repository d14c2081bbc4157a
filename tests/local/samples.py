"""The output that README and docs show under a command: what the test that runs it printed.

A page has `<!-- output: COMMAND -->`, a block of text, and `<!-- /output -->`. With WRITE_SAMPLES=1 in the environment
(`make samples`) the tests write the blocks; without, they hold them to what is printed, times, ids, figures and what
models say aside.
"""

import os
import re
from pathlib import Path

from tests.conftest import ROOT

MOST_LINES = 16
WIDTH = 100
CUT = "…"
_BLOCK = r"<!-- output: {} -->\n(?:```text\n(?P<text>.*?)\n```\n)?<!-- /output -->"
_ANY = re.compile(_BLOCK.format("(?P<command>[^\n]+)"), re.DOTALL)


def commands_with_output(page: str) -> set[str]:
    return {found["command"] for found in _ANY.finditer((ROOT / page).read_text(encoding="utf-8"))}


def hold(page: str, command: str, printed: str) -> None:
    """Compare a command's output with the page's, or write it there."""
    file = ROOT / page
    text = file.read_text(encoding="utf-8")
    found = re.search(_BLOCK.format(re.escape(command)), text, re.DOTALL)
    if found is None:
        return
    if os.environ.get("WRITE_SAMPLES"):
        block = f"<!-- output: {command} -->\n```text\n{_sample(printed)}\n```\n<!-- /output -->"
        file.write_text(text[: found.start()] + block + text[found.end() :], encoding="utf-8")
        return
    # A machine that is slower prints more lines on the way.
    gone = _form((found["text"] or "").removesuffix(CUT)) - _form(_neutral(printed))
    assert found["text"] is not None and not gone, f"{page}: {command} prints no more {gone}: `make samples`"


def _sample(printed: str) -> str:
    """The first lines, as anyone may see them."""
    lines = [line.rstrip() for line in _neutral(printed).strip("\n").splitlines()]
    return "\n".join([*lines[:MOST_LINES], CUT] if len(lines) > MOST_LINES else lines)


def _neutral(text: str) -> str:
    """Without what is this machine's alone: folders, ports."""
    text = re.sub(r"/\S*/pytest-of-\S*?/(?=[\w.\-]+(?:\s|$))", "", text)
    text = text.replace(str(ROOT), "~/tunestack").replace(str(Path.home()), "~")
    return re.sub(r"(127\.0\.0\.1|localhost):\d+", r"\1:4566", text)


def _form(text: str) -> set[str]:
    """What stays from one run to the next: each line's first word, without figures, places and ids."""
    without_ids = re.sub(r"\b[a-z0-9]{12}\b", "#", text)
    lines = [
        [word for part in line.split() if (word := part.strip(".,:;()│┃")).isalpha()]
        for line in without_ids.splitlines()
    ]
    return {words[0] for words in lines if words}
