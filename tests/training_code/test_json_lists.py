"""A list of JSON is read as `json.loads` reads it, wherever what is looked at ends."""

import io
import json
import random
from typing import Any

import pytest
from tunestack_training.json_lists import JsonListError, items_of

VALUES: list[Any] = [1, -2.5, 12345678901, "a", 'say "no", [twice]', "\\", "é\n", None, True, {}, [], {"a": [1, {"b": "]"}]}, [[], [[]]]]  # fmt: skip


def read(text: str, most: int) -> list[Any]:
    return list(items_of(io.StringIO(text).read, most))


@pytest.mark.parametrize("most", [30, 47, 1_000])
@pytest.mark.parametrize("indent", [None, 0, 2])
def test_a_list_is_what_json_says(most: int, indent: int | None) -> None:
    for seed in range(60):
        chosen = random.Random(seed)
        wanted = chosen.choices(VALUES, k=chosen.randint(0, 12))
        text = " " * seed + json.dumps(wanted, indent=indent, ensure_ascii=bool(seed % 2)) + "\n" * (seed % 3)
        if all(len(json.dumps(item, indent=indent)) < most / 2 for item in wanted):
            assert read(text, most) == wanted


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("[1, 2", 1, "it has no end"),
        ("[1,\n2,\n{]\n", 3, "Expecting property name"),
        ("[1\n2]", 2, "a , or ] is missing"),
        ("[1,\n]", 2, "Expecting value"),
        ("[1]\n\n[2]", 3, "there is more behind its end"),
        ('[\n"' + "a" * 300 + '"]', 2, "Unterminated string|an item has more than 100"),
        ("{}\n,", 2, "Expecting value"),
        ('[{"a": 1,\n"a": 2}]', 1, "a key stands there twice"),
        ('[{"a": 1},\n{"a": ', 2, "Expecting value"),
    ],
)
def test_what_is_none_is_named_with_its_line(text: str, line: int, problem: str) -> None:
    with pytest.raises(JsonListError, match=problem) as caught:
        read(text, 100)
    assert caught.value.line == line
