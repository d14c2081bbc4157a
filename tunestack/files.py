"""Files that are there whole or not at all."""

from pathlib import Path


def write_whole(file: Path, content: str | bytes) -> None:
    """Write a file in place of an older one, its folder made if need be; a reader never sees half of it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    half = file.with_name(f".{file.name}.half")
    half.write_bytes(content.encode() if isinstance(content, str) else content)
    half.replace(file)
