"""A log stream's events in a file of their own: appended, and never in memory, however long a job's log is."""

import json
from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, overload

Event = dict[str, Any]
# Every so many events it is kept where one begins.
_BLOCK = 256


class EventFile(Sequence[Event]):
    """What ministack takes for a list of events in the order of their time: it asks for its length, slices and ends.

    A copy of it is empty: what is saved of ministack's state holds no events.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self._length = self._end = 0
        self._starts = array("Q")
        self._cached: tuple[int, list[Event]] = (-1, [])
        if file.exists():
            self._index()

    @classmethod
    def holding(cls, file: Path, events: Iterable[Event]) -> "EventFile":
        """A file of these events alone, whatever it held."""
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"")
        made = cls(file)
        made.extend(events)
        return made

    def extend(self, events: Iterable[Event]) -> None:
        """Append events."""
        with self.file.open("ab") as out:
            for event in events:
                self._count(out.write(json.dumps(event).encode() + b"\n"))
        self._cached = (-1, [])

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[Event]:
        return self._read(0, self._length)

    @overload
    def __getitem__(self, index: int) -> Event: ...

    @overload
    def __getitem__(self, index: slice) -> list[Event]: ...

    def __getitem__(self, index: int | slice) -> Event | list[Event]:
        if isinstance(index, slice):
            start, stop, step = index.indices(self._length)
            return list(self._read(start, stop))[::step] if step > 0 else list(self)[index]
        position = index + self._length if index < 0 else index
        if not 0 <= position < self._length:
            raise IndexError(index)
        block, offset = divmod(position, _BLOCK)
        if self._cached[0] != block:
            self._cached = (block, list(self._read(block * _BLOCK, min((block + 1) * _BLOCK, self._length))))
        return self._cached[1][offset]

    def __deepcopy__(self, memo: dict[int, Any]) -> list[Event]:
        return []

    def _read(self, start: int, stop: int) -> Iterator[Event]:
        if start >= stop:
            return
        with self.file.open("rb") as lines:
            lines.seek(self._starts[start // _BLOCK])
            for line in islice(lines, start % _BLOCK, start % _BLOCK + stop - start):
                yield json.loads(line)

    def _index(self) -> None:
        with self.file.open("rb") as lines:
            for line in _whole_lines(lines):
                self._count(len(line))
        # A line that a kill cut off would be one with the next.
        if self.file.stat().st_size != self._end:
            with self.file.open("r+b") as out:
                out.truncate(self._end)

    def _count(self, size: int) -> None:
        if self._length % _BLOCK == 0:
            self._starts.append(self._end)
        self._length, self._end = self._length + 1, self._end + size


def _whole_lines(lines: BinaryIO) -> Iterator[bytes]:
    return (line for line in lines if line.endswith(b"\n"))
