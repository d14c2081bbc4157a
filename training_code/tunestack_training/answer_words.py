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
    |-(?=>) | (?<=<)- | -(?=\\|∞|\$)           # arrows, -\frac
    |(?<!\S)--?(?=\w) | (?<=\b\w)[-*](?!\w) | (?<=\b\w\w)-(?!\w)  # options of a command, A-, BB-
    |(?<=\w)[(\[{] | (?<=\w)[._](?=\w)       # f(x), x[0], a.b, a_b
    |!(?=[=\w(])                              # !=, !x
    |(?<=\w)\*{1,2}(?=\w) | (?<=\w[ ])\*(?=[ ]\w)  # a*b
    """,
    re.VERBOSE,
)
# A choice of a list, a letter by itself; before another word "A" and "I" are words, but before these.
_CHOICES = "abcdefghij"
_CHOICE = re.compile(r"(?<![A-Za-z0-9'\u2019.+#-])([A-Ja-j])(?![A-Za-z0-9'\u2019+#-])")
_AN_ARTICLE = re.compile(r"[AI] +(?!or\b|and\b|is\b|was\b|because\b|as\b|since\b|but\b|not\b|fits\b)[a-z]")
# Where an answer begins with its choice, or says nothing else, it has chosen.
_FIRST = re.compile(r"\W*([A-Ja-j])\s*(?:[).:\]\n]|[^\w+#*-]*$)")
_SMALL_CHOICE = re.compile(r"[(\[]?[a-j][)\].:]")
# Before the wanted word, in scripts without spaces: it isn't that.
_NOT = ("不", "没", "沒", "未", "非", "无", "無", "别", "別", "ไม่")
# What a label may stand behind.
_NAMED = re.compile(
    r"(?:the )?(?:final )?(?:label|answer|category|class|sentiment|intent|topic|output|result)\W+(?:is\W+)?"
)


def answer_in(text: str) -> str:
    """What a model says when it has thought; nothing, where it never came to that."""
    said = _THOUGHT.split(text)[-1]
    thinks = _THINKS.search(said)
    return (said[: thinks.start()] if thinks else said).strip()


def holds(text: str, wanted: str) -> bool:
    """Whether an answer has the wanted one in it, word by word; where that has no words, sign by sign.

    Where its signs tell (code, formulas, money), as it is but for blanks. A wanted letter is a choice: it must be the
    one that the answer makes.
    """
    words = plain(wanted)
    if not words:
        return wanted.strip() in text
    if len(words) == 1 and words in _CHOICES:
        return _choice(text) == words
    if _TELLING.search(wanted) or any(
        sign in "()[]{}" or unicodedata.category(sign) in ("Sm", "Sc") for sign in wanted
    ):
        return _as_it_is(wanted).search(_with_one_dash(text)) is not None
    if WITHOUT_SPACES.search(words):
        return _holds_without_spaces(plain(text).replace(" ", ""), words.replace(" ", ""))
    return f" {words} " in f" {plain(text)} "


def is_label(text: str, wanted: str) -> bool:
    """Whether an answer is a label and nothing else, but for capitals, punctuation, and what joins its words."""
    said, right = (_joined(plain(_with_one_dash(part)) or part.strip()) for part in (text, wanted))
    return said == right or _joined(_NAMED.sub("", plain(_with_one_dash(text)), count=1)) == right


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


def _with_one_dash(text: str) -> str:
    """A text whose minus is one, however it was written."""
    text = unicodedata.normalize("NFKC", text).replace("\u2212", "-").replace("\u2011", "-")
    return re.sub(r"(?<=\d)\s*[–—]\s*(?=\d)|(?<![\w])[–-]\s?(?=\d)", "-", text)


def _joined(label: str) -> str:
    """A label whose words are joined however: refund_request, Refund Request, Sci / Tech."""
    return re.sub(r"[\s_/]+|(?<=\w)-(?=\w)", "", label)


def _as_it_is(wanted: str) -> "re.Pattern[str]":
    """What finds a text with its signs, whatever blanks stand between them, and not as a part of something longer."""
    wanted = _with_one_dash(wanted.strip()).rstrip(".!?。")
    made, last, blank = "", "", False
    for part in re.findall(r"\s+|\d+|[^\W\d_]+|[^\w\s]|_", wanted):
        if part.isspace():
            blank = True
            continue
        # Between two words, or two numbers, a blank tells.
        tells = blank and ((last.isalpha() and part.isalpha()) or (last.isdigit() and part.isdigit()))
        made += (r"\s+" if tells else r"\s*" if made else "") + re.escape(part)
        last, blank = part, False
    money = "$€£" if wanted[:1].isdigit() else ""
    return re.compile(rf"(?<![\w.+\-~¬!*/\\^<>={money}])(?:{made})(?![\w+\-*/^(\[%]|[<>=]|[.,]\d)", re.IGNORECASE)


def _holds_without_spaces(text: str, wanted: str) -> bool:
    """Whether a text of a script without spaces has a part that isn't a part of a number, and isn't denied."""
    for found in re.finditer(re.escape(wanted), text):
        before, behind = text[: found.start()], text[found.end() :]
        cuts_a_number = bool(re.search(r"[\d][.,]?$", before) and wanted[0].isdigit()) or (
            wanted[-1].isdigit() and bool(re.match(r"[.,]?\d", behind))
        )
        cuts_a_word = wanted[0].isascii() and wanted[0].isalpha() and bool(re.search(r"[a-z]$", before))
        if not (cuts_a_number or cuts_a_word or before.endswith(_NOT) or before.endswith("-")):
            return True
    return False


def _choice(text: str) -> str | None:
    """The letter that an answer chooses, or None where it chooses none or several."""
    text = unicodedata.normalize("NFKC", text)
    if first := _FIRST.match(text):
        return first[1].lower()
    found = {letter[1].lower() for letter in _CHOICE.finditer(text) if _is_choice(text, letter)}
    return found.pop() if len(found) == 1 else None


def _is_choice(text: str, letter: "re.Match[str]") -> bool:
    """Whether a letter is no word, and no unit or variable: a small one is a choice with its mark alone."""
    if letter[1].islower():
        return any(_SMALL_CHOICE.match(text, start) for start in (max(letter.start() - 1, 0), letter.start()))
    return not _AN_ARTICLE.match(text, letter.start())
