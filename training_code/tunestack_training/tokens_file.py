"""Rows as the tokens that are trained: those that PrepareData proved, on the disk, as TRL takes them.

As rows they would go through Arrow, which gives each message, tool and argument the fields of all others, as nulls.
"""

import json
from itertools import islice
from pathlib import Path
from typing import Any

from tunestack_training.encoding import Encoder
from tunestack_training.failure import JobError

_AT_ONCE = 256


def write_tokens(rows_file: Path, tokenizer: Any, out: Path) -> Path:
    """Write `input_ids` and `completion_mask` (1: of the answer) of each row as an Arrow stream; the file written.

    Raises:
        JobError: the model's template refuses a row: it isn't one of PrepareData's.
    """
    import pyarrow
    import pyarrow.ipc

    encoder = Encoder(tokenizer)
    schema = pyarrow.schema(
        {"input_ids": pyarrow.list_(pyarrow.int32()), "completion_mask": pyarrow.list_(pyarrow.int8())}
    )
    with rows_file.open(encoding="utf-8") as lines, pyarrow.ipc.new_stream(str(out), schema) as stream:
        while rows := [json.loads(line) for line in islice(lines, _AT_ONCE)]:
            made = encoder.all([(row["prompt"], row["completion"], row.get("tools")) for row in rows])
            encoded = [item for item in made if not isinstance(item, ValueError)]
            if refused := [item for item in made if isinstance(item, ValueError)]:
                raise JobError(f"{rows_file}: {refused[0]}: it must be an output of PrepareData for this model")
            columns = {
                "input_ids": [item.tokens for item in encoded],
                "completion_mask": [[0] * item.answer + [1] * (len(item.tokens) - item.answer) for item in encoded],
            }
            stream.write_table(pyarrow.table(columns, schema=schema))
    return out
