"""Answers as words: what is left of a text when form doesn't count, and what of its signs tells one from another."""

import re
import unicodedata

# Scripts that put no space between words: there a part of a text is looked for as it is.
WITHOUT_SPACES = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
# What a model thought before it answered, by the marks that models have for it; after the last of them it answers.
_THOUGHT = re.compile(
    r"</(?:seed:)?(?:think|thinking|thought|reasoning|reflection|scratchpad)>|\[/THINK\]|◁/think▷", re.IGNORECASE
)
_THINKS = re.compile(
    r"<(?:seed:)?(?:think|thinking|thought|reasoning|reflection|scratchpad)>|\[THINK\]|◁think▷", re.IGNORECASE
)
# Signs that are no letters and tell all the same. Those of mathematics and money do so wherever they stand.
_TELLING = re.compile(
    r"""[#%&@/\\^]                            # C#, 5 %, R&D, and/or, 2^3
    |[-+](?=\d) | (?<=\d)[.,:](?=\d)         # -5, 1.5, 12:30
    |-(?=>) | (?<=<)-                         # arrows
    |(?<!\S)--?(?=\w)                         # options of a command
    |(?<=\w)[(\[{] | (?<=\w)[._](?=\w)       # f(x), x[0], a.b, a_b
    |!(?=[=\w(])                              # !=, !x
    |(?<=\w)\*{1,2}(?=\w) | (?<=\w[ ])\*(?=[ ]\w)  # a*b
    """,
    re.VERBOSE,
)
# A choice of a list: a letter by itself, but for the words "a" and "I" before others.
_CHOICE = re.compile(r"(?<![\w'\u2019.+#-])(?:[^\W\d_])(?![\w'\u2019+#-])")
_A_WORD = re.compile(r"[AaIi] +[^\W\d_]{2,}")


def answer_in(text: str) -> str:
    """What a model says when it has thought; nothing, where it never came to that."""
    said = _THOUGHT.split(text)[-1]
    thinks = _THINKS.search(said)
    return (said[: thinks.start()] if thinks else said).strip()


def holds(text: str, wanted: str) -> bool:
    """Whether an answer has the wanted one in it, word by word; where that has no words, sign by sign.

    A wanted letter is a choice: it must be the only one that the answer makes.
    """
    words = plain(wanted)
    if not words:
        return wanted.strip() in text
    if len(words) == 1 and words.isalpha() and words.isascii():
        return _choices(text) == {_letter(wanted)}
    if WITHOUT_SPACES.search(words):
        return words.replace(" ", "") in plain(text).replace(" ", "")
    return f" {words} " in f" {plain(text)} "


def plain(text: str) -> str:
    """Letters with their marks, digits, and the signs that tell, in lower case: what is left without the form."""
    text = unicodedata.normalize("NFKC", text).casefold().replace("\u2212", "-")
    telling = {index for found in _TELLING.finditer(text) for index in range(*found.span())}
    kept = (letter if index in telling else _kept(letter) for index, letter in enumerate(text))
    return " ".join("".join(kept).split())


def _kept(letter: str) -> str:
    kind = unicodedata.category(letter)
    if kind[0] in "LMN" or kind in ("Sm", "Sc") or letter == "°":
        return letter
    # A picture is a word of its own.
    return f" {letter} " if kind == "So" else " "


def _choices(text: str) -> set[str]:
    text = unicodedata.normalize("NFKC", text)
    return {found[0] for found in _CHOICE.finditer(text) if not _A_WORD.match(text, found.start())}


def _letter(wanted: str) -> str:
    return next(letter for letter in unicodedata.normalize("NFKC", wanted) if letter.isalpha())
