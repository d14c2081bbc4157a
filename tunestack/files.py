"""Files that are there whole or not at all, and archives that write nowhere else."""

import os
import tarfile
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


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a tar archive of files and folders, none of which may lie elsewhere.

    Python's own filter for that is there from 3.11.4 on; Debian 12 has 3.11.2.

    Raises:
        tarfile.TarError: it holds something else, or isn't an archive.
    """
    with tarfile.open(archive) as tar:
        for member in tar.getmembers():
            inside = (folder / member.name).resolve().is_relative_to(folder.resolve())
            if not inside or not (member.isfile() or member.isdir()):
                raise tarfile.TarError(f"{archive}: {member.name!r} is no file or folder of its own")
        ours = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
        tar.extractall(folder, **ours)  # type: ignore[arg-type]  # noqa: S202 - each member was looked at
