"""JSON in a file, a value at a time, of a list or one after the other: the file may be larger than the memory."""

import json
from collections.abc import Callable, Iterator
from typing import Any

_BLANKS = " \t\r\n"
_BEHIND = (",", "]", *_BLANKS)


class JsonListError(ValueError):
    """The text is no JSON; `line` is where it isn't."""

    def __init__(self, problem: str, line: int) -> None:
        super().__init__(problem)
        self.line = line


class _Window:
    """The part of a text that is looked at; what is behind is let go, and counted in lines."""

    def __init__(self, read: Callable[[int], str], size: int) -> None:
        self._read, self._size = read, size
        self.text, self.at, self.ended = "", 0, False
        self._lines_before = 0

    def more(self) -> bool:
        """Look at as much text again, if there is any."""
        found = "" if self.ended else self._read(self._size)
        if not found:
            self.ended = True
            return False
        self._lines_before += self.text.count("\n", 0, self.at)
        self.text, self.at = self.text[self.at :] + found, 0
        return True

    def is_short_of(self, characters: int) -> bool:
        """Whether what doesn't go on as it should may only be cut."""
        return len(self.text) - self.at <= characters

    def next_sign(self) -> str:
        """The next character that is no blank, or nothing at the end."""
        while True:
            while self.at < len(self.text) and self.text[self.at] in _BLANKS:
                self.at += 1
            if self.at < len(self.text):
                return self.text[self.at]
            if not self.more():
                return ""

    def line(self, place: int) -> int:
        """The line of a place in what is looked at."""
        return self._lines_before + self.text.count("\n", 0, place) + 1


def without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON.

    Raises:
        ValueError: a key stands there twice: one of its values would be lost.
    """
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError("a key stands there twice")
    return made


def items_of(read: Callable[[int], str], most_characters: int) -> Iterator[Any]:
    """The items of the list that a text holds, or its values; `read` gives so many characters of it, or what is left.

    Raises:
        JsonListError: the text is no JSON, or an item of it has more than `most_characters`.
    """
    window = _Window(read, most_characters)
    if window.next_sign() != "[":
        while window.next_sign():
            yield _item(window, most_characters)
        return
    window.at += 1
    if window.next_sign() == "]":
        window.at += 1
    else:
        yield from _items(window, most_characters)
    if window.next_sign():
        raise JsonListError("there is more behind its end", window.line(window.at))


def _items(window: _Window, most_characters: int) -> Iterator[Any]:
    while True:
        window.next_sign()
        yield _item(window, most_characters)
        sign = window.next_sign()
        if sign not in (",", "]"):
            raise JsonListError("a , or ] is missing" if sign else "it has no end", window.line(window.at))
        window.at += 1
        if sign == "]":
            return


def _item(window: _Window, most_characters: int) -> Any:
    decode = json.JSONDecoder(object_pairs_hook=without_twins).raw_decode
    while True:
        try:
            value, end = decode(window.text, window.at)
        except json.JSONDecodeError as error:
            if window.is_short_of(most_characters) and window.more():
                continue
            raise JsonListError(error.msg, window.line(error.pos)) from None
        except ValueError as error:
            raise JsonListError(str(error), window.line(window.at)) from None
        if end - window.at > most_characters:
            raise JsonListError(
                f"an item has more than {most_characters:,} characters: a list of rows, not one object with all rows",
                window.line(window.at),
            )
        # A number at the end of what is looked at may go on: 2. is the beginning of 2.5.
        if not window.text[end : end + 1].startswith(_BEHIND) and window.is_short_of(most_characters) and window.more():
            continue
        window.at = end
        return value
