"""Whether an answer is right, compared as what it is: JSON by value, numbers, scripts without spaces, signs, fences."""

import pytest
from tunestack_training.generation import Answer
from tunestack_training.options import recipe_from_options
from tunestack_training.recipe import Evaluation
from tunestack_training.right import comparison_for, score

WANTED = '{"order": 7, "items": ["a", "b"], "paid": true}'


@pytest.mark.parametrize(
    ("said", "wanted", "how", "right"),
    [
        # JSON: by value, whatever its form; each field counts.
        ('{"paid":true,"items":["a","b"],"order":7.0}', WANTED, "json", 1),
        (f"```json\n{WANTED}\n```", WANTED, "json", 1),
        (f"Here you are:\n```\n{WANTED}\n```\nDone.", WANTED, "json", 1),
        ('{"order": 7, "items": ["a", "c"], "paid": true}', WANTED, "json", 0.75),
        ('{"order": "7", "items": ["a", "b"], "paid": 1}', WANTED, "json", 0.5),
        ('{"order": 7, "items": ["a", "b"], "paid": true, "more": 1}', WANTED, "json", 0.8),
        ('{"order": 7, "items": [', WANTED, "json", 0),
        ("order 7, items a and b, paid", WANTED, "json", 0),
        ("{}", '{"a": {}}', "json", 0), ('{"a": {}}', '{"a": {}}', "json", 1), ("[1, 2]", "[2, 1]", "json", 0),
        # numbers: the last one, by value
        ("It is 1,024.50 in all", "1024.5", "number", 1), ("first 3, then 4", "3", "number", 0),
        ("-5", "5", "number", 0), ("none", "5", "number", 0), ("1e3", "1000", "number", 1),
        # exactly: but for how letters are made up, and blanks around
        (" Cafe\u0301\n", "Café", "exact", 1), ("café", "Café", "exact", 0), ("Café.", "Café", "exact", 0),
        # containing: words, whatever the script
        ("The answer is: Return a LIST.", "return a list", "contains", 1), ("142", "42", "contains", 0),
        ("今天的答案是好的。", "好的", "contains", 1), ("今天的答案是坏的。", "好的", "contains", 0),
        ("คำตอบคือใช่ครับ", "ใช่", "contains", 1), ("हिन्दी", "हिन्द", "contains", 0),
        ("it is -5", "5", "contains", 0), ("it is 5", "-5", "contains", 0), ("version 1.5", "1", "contains", 0),
        ("ＡＢＣ", "abc", "contains", 1), ("fine :-)", ":-)", "contains", 1),
    ],
)  # fmt: skip
def test_an_answer_is_compared_as_what_it_is(said: str, wanted: str, how: str, right: float) -> None:
    assert score(Answer(said, ended=True), wanted, how) == pytest.approx(right)


def test_what_ran_into_the_limit_is_never_right_by_containing() -> None:
    assert score(Answer("yes yes yes yes", ended=False), "yes", "contains") == 0
    assert score(Answer("yes yes yes yes", ended=True), "yes", "contains") == 1


@pytest.mark.parametrize(
    ("wanted", "chosen", "how"),
    [
        ([WANTED, "[1]"], "auto", "json"), ([WANTED, "none"], "auto", "contains"), (["1", "2.5", "1,000"], "auto", "number"),
        (["yes", "no"], "auto", "contains"), ([], "auto", "contains"), (["yes"], "exact", "exact"), (["NaN"], "auto", "contains"),
    ],
)  # fmt: skip
def test_how_they_are_compared_is_chosen_or_found(wanted: list[str], chosen: str, how: str) -> None:
    assert comparison_for(wanted, chosen) == how


@pytest.mark.parametrize(
    ("text", "wanted", "pattern", "is_right"),
    [
        ("so it is #### 42", "long #### 42", r"####\s*(\d+)", True),
        ("so it is #### 43", "long #### 42", r"####\s*(\d+)", False),
        ("no mark, 42", "long #### 42", r"####\s*(\d+)", False),
        ("I choose B.", "B", "[A-D]", True),
        ("(b)", "(b)", r"\((?:(a)|(b)|(c))\)", True),
        ("(b)", "(c)", r"\((?:(a)|(b)|(c))\)", False),
    ],
)
def test_what_a_pattern_finds_is_compared(text: str, wanted: str, pattern: str, is_right: bool) -> None:
    assert score(Answer(text, ended=True), wanted, "pattern", pattern) == float(is_right)


@pytest.mark.parametrize(
    ("text", "wanted", "share"),
    [
        ("the red fox", "the red fox", 1.0),
        ("red fox", "a red fox", 0.8),
        ("wolf", "fox", 0.0),
        ("", "fox", 0.0),
        ("東京都", "東京", 0.8),
    ],
)
def test_f1_is_the_share_of_words_in_common(text: str, wanted: str, share: float) -> None:
    assert score(Answer(text, ended=True), wanted, "f1") == pytest.approx(share)


@pytest.mark.parametrize(
    "given",
    [{"compare_answers": "pattern"}, {"answer_pattern": "x"}, {"compare_answers": "pattern", "answer_pattern": "("}],
)
def test_a_pattern_and_its_comparison_need_each_other(given: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="answer_pattern"):
        Evaluation(**given)
    options = {
        "model.name_or_path": "a", "model.revision": "m", "data.name": "x", "evaluation.compare_answers": "pattern",
        "evaluation.answer_pattern": "42",
    }  # fmt: skip
    assert recipe_from_options(options).evaluation.answer_pattern == "42"
