"""Rows of Parquet and Arrow files, a part of the table at a time."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tunestack_training.failure import JobError
from tunestack_training.source_row import SourceRow


def _read_parquet(file: Path) -> Iterator[SourceRow]:
    import pyarrow
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(file) as table:
            yield from _rows_of(file, table.iter_batches(batch_size=1_000))
    except (pyarrow.ArrowException, OSError) as error:
        raise JobError(f"{file.name}: not Parquet, or half-written: {error}") from None


def _read_arrow(file: Path) -> Iterator[SourceRow]:
    import pyarrow
    import pyarrow.ipc

    try:
        with pyarrow.memory_map(str(file)) as source:
            try:
                opened = pyarrow.ipc.open_file(source)
                batches = (opened.get_batch(index) for index in range(opened.num_record_batches))
            except pyarrow.ArrowInvalid:
                source.seek(0)
                batches = iter(pyarrow.ipc.open_stream(source))
            yield from _rows_of(file, batches)
    except (pyarrow.ArrowException, OSError) as error:
        raise JobError(f"{file.name}: not Arrow, or half-written: {error}") from None


def _rows_of(file: Path, batches: Iterator[Any]) -> Iterator[SourceRow]:
    number = 0
    for batch in batches:
        if len({*batch.schema.names}) < len(batch.schema.names):
            raise JobError(f"{file.name}: it has two columns of one name")
        for value in _values_of(batch):
            number += 1
            if isinstance(value, Exception):
                yield SourceRow(file.name, number, None, f"it can't be read: {type(value).__name__}")
            else:
                yield SourceRow(file.name, number, _without_nulls(value))


def _without_nulls(value: Any) -> Any:
    """A row without the fields that a table must have for all of its rows: what isn't there and null are one in it."""
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value


def _values_of(batch: Any) -> Iterator[Any]:
    """The rows of a part of a table; of one that Python has no form for (text that is no UTF-8, a year 20,000) why."""
    try:
        yield from batch.to_pylist()
    except (ValueError, OverflowError):
        for index in range(batch.num_rows):
            try:
                yield from batch.slice(index, 1).to_pylist()
            except (ValueError, OverflowError) as error:
                yield error


READERS: dict[str, Callable[[Path], Iterator[SourceRow]]] = {
    ".parquet": _read_parquet, ".arrow": _read_arrow, ".feather": _read_arrow,
}  # fmt: skip
