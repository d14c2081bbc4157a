"""Files that are there whole or not at all."""

import os
import threading
from pathlib import Path


def write_whole(file: Path, content: str | bytes) -> None:
    """Write a file in place of an older one, its folder made if need be; a reader never sees half of it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    # A name of its own: two who write at once would take each other's half.
    half = file.with_name(f".{file.name}.{os.getpid()}-{threading.get_ident()}.half")
    try:
        half.write_bytes(content.encode() if isinstance(content, str) else content)
        half.replace(file)
    except OSError:
        half.unlink(missing_ok=True)
        raise
