"""The number that an answer comes to, as people write numbers: signs, separators, currencies, units."""

import re
import unicodedata
from decimal import Decimal, DecimalException

_MINUS = "\u2212"
# Groups of three digits with what may stand between them, beside a comma.
_GROUPED = re.compile(r"(?<![\w.,])(\d{1,3})((?:[ _'\u2019]\d{3})+)(?!\d)")
# What numbers stand between: blanks, letters of scripts that put none, and a single equals sign.
_BETWEEN = re.compile(
    r"[\s\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3001-\u30ff\u3400-\u9fff\uac00-\ud7af]+|(?<![!<>=])=(?!=)"
)
_CLEAN = re.compile(
    r"""(?:[^\W\d_]+:)? (?:\\boxed\{|\\[(\[]|["'(\[{*_`~≈])*
    (?P<sign>[-+]?) [$€£¥₹₩₽]? (?P<after_currency>[-+]?)
    (?P<digits>(?:\d+(?:[.,]\d+)*|\.\d+)(?:e[-+]?\d+)?)
    (?:(?!(?:st|nd|rd|th|am|pm|x)\b)[a-zµ]{1,5}\b)?
    [^\w/:+<=>^-]*""",
    re.VERBOSE | re.IGNORECASE,
)
_EXPONENT = r"(?:e[-+]?\d+)?"
_ENGLISH = re.compile(rf"(?:\d{{1,3}}(?:,\d{{3}})+|\d+)?(?:\.\d+)?{_EXPONENT}", re.IGNORECASE)
_CONTINENTAL = re.compile(rf"(?:\d{{1,3}}(?:\.\d{{3}})+|\d+)(?:,\d+)?{_EXPONENT}", re.IGNORECASE)


def is_number(text: str) -> bool:
    """Whether a text is a number and nothing else, whose point and commas mean what they do in English.

    `2,5` may be anything but 25.
    """
    plain = _plain(text).strip()
    digits = plain.removeprefix("-").removeprefix("+")
    return bool(_ENGLISH.fullmatch(digits)) and _value(digits) is not None


def last_number(text: str) -> Decimal | None:
    """The last thing with a digit in a text, where that is a number: no date, fraction, range, version or power."""
    with_digits = [part for part in _BETWEEN.split(_plain(text)) if re.search(r"\d", part)]
    found = _CLEAN.fullmatch(with_digits[-1]) if with_digits else None
    value = _value(found["digits"]) if found else None
    if found is None or value is None:
        return None
    # Not by the sign's operator: that rounds.
    return value.copy_negate() if "-" in found["sign"] + found["after_currency"] else value


def _plain(text: str) -> str:
    """Digits and signs as ASCII has them, in one piece where they are grouped."""
    plain = unicodedata.normalize("NFKC", text).replace(_MINUS, "-")
    return _GROUPED.sub(lambda found: found[1] + re.sub(r"\D", "", found[2]), plain)


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
