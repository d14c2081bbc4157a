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
        *[(f"it comes to {said}", wanted, "number", right) for said, wanted, right in [
            ("2,5", "2.5", 1), ("25", "2,5", 0), ("2.5", "2,5", 1), ("1.234,56", "1234.56", 1), ("1 000", "1000", 1),
            ("1\u202f000", "1000", 1), ("1_000", "1000", 1), ("1'000", "1000", 1), (".75", "0.75", 1), ("-.5", "-0.5", 1),
            ("\u22125", "-5", 1), ("\u22125", "5", 0), ("$72.", "72", 1), ("-$72", "-72", 1), ("72 %", "72", 1), ("72km", "72", 1),
            ("**72**", "72", 1), (r"\boxed{72}", "72", 1), (r"\sqrt{2}", "2", 0), ("3/4", "4", 0), ("2024-05-01", "1", 0),
            ("12:30", "30", 0), ("5-10", "10", 0), ("v2", "2", 0), ("10^6", "6", 0), ("x=72", "72", 1), ("x>72", "72", 0),
            ("1.2.3", "3", 0), ("3rd", "3", 0), ("1e9999999", "1e9999999", 1), ("1" * 40, "1" * 39 + "2", 0),
            ("共有72个。", "72", 1), ("7" + "0" * 30 + "1", "7" + "0" * 30 + "2", 0),
        ]],
        ('{"a": 1e9999999}', '{"a": 1e9999999}', "json", 1), ('{"a": 1, "a": 2}', '{"a": 2}', "json", 0),
        (f'{{"a": {"1" * 40}}}', f'{{"a": {"1" * 39}2}}', "json", 0), ("[" * 900 + "]" * 900, "[" * 900 + "]" * 900, "json", 0),
        (f"<think>{{}} or so</think>\n{WANTED}", WANTED, "json", 1), (f"```json\r\n{WANTED}\r\n```", WANTED, "json", 1),
        (f"```json {WANTED}```", WANTED, "json", 1), (f"First ```{{}}```, then\n```json\n{WANTED}\n```", WANTED, "json", 1),
        # what was thought is no answer
        ("<think>positive?</think> negative", "positive", "contains", 0), ("<think>is it 5 or 6", "6", "number", 0),
        ("is it 5?\n</think>\n6", "<think>clear</think>6", "number", 1), ("<think>yes", "<think>all of it", "contains", 0),
        # labels: that and nothing else
        ("Positive.", "positive", "label", 1), ("not positive", "positive", "label", 0), ("好", "坏", "label", 0),
        ("positive, negative or neutral", "positive", "label", 0), ("**C++**", "C++", "label", 1), ("C", "C++", "label", 0),
        # exactly: but for how letters are made up, and blanks around
        (" Cafe\u0301\n", "Café", "exact", 1), ("café", "Café", "exact", 0), ("Café.", "Café", "exact", 0),
        # containing: words, whatever the script
        ("The answer is: Return a LIST.", "return a list", "contains", 1), ("142", "42", "contains", 0),
        ("今天的答案是好的。", "好的", "contains", 1), ("今天的答案是坏的。", "好的", "contains", 0),
        ("คำตอบคือใช่ครับ", "ใช่", "contains", 1), ("हिन्दी", "हिन्द", "contains", 0),
        ("it is -5", "5", "contains", 0), ("it is 5", "-5", "contains", 0), ("version 1.5", "1", "contains", 0),
        *[(f"so: {said}", wanted, "contains", 0) for said, wanted in [
            ("C++", "C"), ("C#", "C"), ("x == 1", "x != 1"), ("x != 1", "x == 1"), ("a > b", "a < b"), ("a -> b", "a > b"),
            ("$5", "€5"), ("5 %", "5 €"), ("rm rf", "rm -rf"), ("f(x)", "f[x]"), ("!done", "done"), ("a*b", "a b"), ("a + b", "a - b"),
            ("yes/no", "yes"), ("I think a dog", "A"), ("A or B", "A"), ("12:30", "30"), ("a_b", "a b"), ("2^3", "2"),
        ]],
        *[(said, wanted, "contains", 1) for said, wanted in [
            ("It is C++.", "c++"), ("use `x != 1`", "x != 1"), ("costs €5, then", "€5"), ("The answer is (B).", "B"),
            ("B) Paris", "B"), ("**A**", "A"), ("Answer: A", "A"), ("Choose B because a dog", "B"), ("well-known", "well known"),
            ("_yes_, I'm sure", "yes"), ("👍 yes", "👍"), ("call f(x)", "f(x)"), ("| positive |", "positive"),
        ]],
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
        (["2,5", "3,1"], "auto", "contains"), (["1,250", "7"], "auto", "number"), ([".75", "-.5", "\u22125"], "auto", "number"),
        (["yes", "no", "Yes", "no"], "auto", "label"), (["3/4", "1/2"], "auto", "contains"), (["$5", "$6"], "auto", "contains"),
        (["<think>so</think>5", "<think>or so</think>6"], "auto", "number"), (["Paris", "Rome", "Bern"], "auto", "contains"),
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
        ("red fox", "a red fox", 1.0),
        ("red fox", "one red fox", 0.8),
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
