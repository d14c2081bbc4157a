"""The number that an answer comes to, as people write numbers: signs, separators, currencies, units.

What may be another number is none: a false right passes a gate, and a false wrong is seen in the answers.
"""

import re
import unicodedata
from decimal import Decimal, DecimalException
from typing import NamedTuple

# Marks around an answer that are no part of it: tags, LaTeX's boxes and dollars, a calculator's sums, markdown.
_AROUND = re.compile(
    r"</?[A-Za-z][^<>\n]{0,40}>|<<[^<>\n]{0,200}>>|\\(?:boxed|text|mathbf|mathrm)\b|[{}*_`]|\\[()\[\]]|\\(?=[$%])"
)
_UNSEEN = re.compile("[\u200b-\u200f\u2060\ufeff]")
# A power of a unit has no digit of its own (m², cm^3, km2); that of a number makes another of it.
_POWER_OF_A_UNIT = re.compile(r"(?<=[A-Za-z])[²³]|(?<=(?<![A-Za-z])m)\^?[23]\b|(?<=[kcdm]m)\^?[23]\b|(?<=ft)\^?[23]\b")
_SUPERSCRIPT = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹]+")
_MARKS = str.maketrans({"\u2212": "-", "\ufe63": "-", "\uff0d": "-", "\u066c": ",", "\u066b": "."})
# Groups of three digits with what may stand between them, beside a comma.
_GROUPED = re.compile(r"(?<![\w.,])(\d{1,3})((?:[ _'\u2019]\d{3})+)(?!\d)")
# What numbers stand between: blanks, letters of scripts that put none, arrows, and a single sign of equality.
_BETWEEN = re.compile(
    r"([\s\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3001-\u30ff\u3400-\u9fff\uac00-\ud7af]+|=>|[⇒→—]|(?<![!<>=])=(?![=<>]))"
)
_CURRENCY = r"(?:(?:US|CA|AU|NZ|HK|[ACRS])?[$€£¥₹₩₽₪₫₺₦]|Rs\.?)"
_UNIT = (
    r"(?:[kcdmµn]?m|[kmµ]?g|m?l|mi|yd|in|ft|lbs?|oz|tons?|h|hrs?|hours?|m?s|secs?|seconds?|mins?|minutes?|days?|weeks?"
    r"|months?|years?|usd|eur|gbp|dollars?|euros?|cents?|[kmgt]?b|[kmg]?hz|[kmg]?wh?|v|mph)"
)
_CLEAN = re.compile(
    rf"""(?:[^\W\d_]*:)? ["'“”‘’«»(\[~≈|$]*
    (?P<sign>[-+]?) {_CURRENCY}? (?P<after_currency>[-+]?)
    (?P<digits>(?:\d+(?:[.,]\d+)*|\.\d+)(?:e[-+]?\d+)?)
    (?:{_UNIT}?(?:/[a-z]{{1,6}})?\b|°[cf]?|℃|℉)
    [^\w/:+<=>^×÷·⁄-]*""",
    re.VERBOSE | re.IGNORECASE,
)
# What begins with a letter is a name: CO2, v2.
_NAME = re.compile(r"\W*[^\W\d_]+\d[^:=]*")
_EXPONENT = r"(?:e[-+]?\d+)?"
_ENGLISH = re.compile(
    rf"(?:\d{{1,3}}(?:,\d{{3}})+|\d{{1,2}}(?:,\d{{2}})+,\d{{3}}|\d+)?(?:\.\d+)?{_EXPONENT}", re.IGNORECASE
)
_CONTINENTAL = re.compile(rf"(?:\d{{1,3}}(?:\.\d{{3}})+|\d+)(?:,\d+)?{_EXPONENT}", re.IGNORECASE)
# With one of these between them, two numbers are one thing: a range, a pair, a sum, a date, a time.
_JOINED = re.compile(
    r"[-–,;/:×x·÷+^~&]|(?:and|or)(?: [a-z] ?=)?|to|of|out of|over|und|oder|bis|et|ou|hours?|hrs?|feet|ft|minutes?"
    r"|[年月时時点分到至或和]|から|分の|分之",
    re.IGNORECASE,
)
# Before a number: it is compared, negated, or a part of something.
_OF_ANOTHER = re.compile(
    r".*(?:[-–<≤≥≠±^√]|(?<!=)>|!=|\\(?:leq?|geq?|neq?|pm|sqrt)|\b(?:minus|negative)"
    r"|[負负]|マイナス|不[到是]|超[过過]|分[之の])",
    re.IGNORECASE | re.DOTALL,
)
# Behind a number: it is scaled, or a part of something.
_SCALED = re.compile(
    r"(?:[KMBkπi]|bn|mn)\b|[π√×÷^]|[万萬億亿兆千百만억천백]|\\(?!text|%)[a-z]"
    r"|or (?:more|less|fewer|so)\b|(?i:thousand|million|billion|trillion|dozen|hundred|lakh|crore|pi)\b"
)


class _Piece(NamedTuple):
    """A part of a text with a digit in it, and what stands before it, to the one before, and behind it."""

    text: str
    before: str
    behind: str
    is_first: bool


def is_number(text: str) -> bool:
    """Whether a text is a number and nothing else, whose point and commas mean what they do in English.

    `2,5` may be anything but 25.
    """
    plain = _plain(text).strip()
    digits = plain.removeprefix("-").removeprefix("+")
    return bool(_ENGLISH.fullmatch(digits)) and _value(digits) is not None


def last_number(text: str) -> Decimal | None:
    """The last thing with a digit in a text, where that is a number by itself.

    A date, fraction, range, power, product or version is none, nor is one of several (`1, 72`) or what is scaled
    (`72 million`, `72k`) or compared (`> 72`).
    """
    piece = _last_with_a_digit(_plain(text))
    found = _CLEAN.fullmatch(piece.text) if piece else None
    if piece is None or found is None or re.search(r"\d[KMB]\b", piece.text):
        return None
    between = piece.before.strip()
    is_joined = not piece.is_first and (_JOINED.fullmatch(between) or (not between and "\n" not in piece.before))
    if is_joined or _OF_ANOTHER.fullmatch(between) or _SCALED.match(piece.behind.lstrip()):
        return None
    value = _value(found["digits"])
    # Not by the sign's operator: that rounds.
    return value.copy_negate() if value is not None and "-" in found["sign"] + found["after_currency"] else value


def _plain(text: str) -> str:
    """Digits and signs as ASCII has them, in one piece where they are grouped, without what stands around them."""
    text = _POWER_OF_A_UNIT.sub("", _UNSEEN.sub("", text))
    text = _SUPERSCRIPT.sub(lambda found: "^" + found[0], text)
    text = unicodedata.normalize("NFKC", text).translate(_MARKS).replace("{,}", ",").replace("\\,", "")
    text = re.sub(r"\d", _ascii_digit, text)
    text = _GROUPED.sub(lambda found: found[1] + re.sub(r"\D", "", found[2]), text)
    return _AROUND.sub(" ", text)


def _ascii_digit(found: "re.Match[str]") -> str:
    return str(unicodedata.digit(found[0]))


def _last_with_a_digit(text: str) -> _Piece | None:
    parts = _BETWEEN.split(text)
    with_digits = [
        index
        for index, part in enumerate(parts)
        if index % 2 == 0 and re.search(r"\d", part) and not _NAME.fullmatch(part)
    ]
    if not with_digits:
        return None
    last = with_digits[-1]
    start = with_digits[-2] + 1 if len(with_digits) > 1 else 0
    return _Piece(parts[last], "".join(parts[start:last]), "".join(parts[last + 1 :]), len(with_digits) == 1)


def _value(digits: str) -> Decimal | None:
    if _ENGLISH.fullmatch(digits):
        plain = digits.replace(",", "")
    elif _CONTINENTAL.fullmatch(digits):
        plain = digits.replace(".", "").replace(",", ".")
    else:
        return None
    try:
        return Decimal(plain)
    except DecimalException:
        return None
