"""An archive is unpacked into its folder and nowhere else, by any Python from 3.11 on."""

import io
import tarfile
from pathlib import Path

import pytest

from tunestack.files import unpack


def archive(folder: Path, *members: tarfile.TarInfo) -> Path:
    file = folder / "model.tar.gz"
    with tarfile.open(file, "w:gz") as tar:
        for member in members:
            member.size = 3 if member.isfile() else 0
            tar.addfile(member, io.BytesIO(b"abc") if member.isfile() else None)
    return file


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, link
    return made


@pytest.mark.parametrize("has_filter", [True, False])
def test_files_and_folders_are_unpacked(has_filter: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not has_filter:
        # As of Debian 12's Python.
        monkeypatch.delattr(tarfile, "data_filter", raising=False)
    file = archive(tmp_path, member("code", tarfile.DIRTYPE), member("code/a.txt"), member("b.txt"))
    unpack(file, tmp_path / "out")
    found = {str(item.relative_to(tmp_path / "out")) for item in (tmp_path / "out").rglob("*")}
    assert found == {"code", "code/a.txt", "b.txt"}


@pytest.mark.parametrize(
    "bad",
    [
        member("../out.txt"), member("/etc/x"), member("a/../../x"), member("link", tarfile.SYMTYPE, "/etc/passwd"),
        member("hard", tarfile.LNKTYPE, "b.txt"), member("device", tarfile.CHRTYPE),
    ],
    ids=lambda item: item.name,
)  # fmt: skip
def test_what_lies_elsewhere_or_is_no_file_is_refused_and_nothing_is_unpacked(
    bad: tarfile.TarInfo, tmp_path: Path
) -> None:
    with pytest.raises(tarfile.TarError, match="is no file or folder of its own"):
        unpack(archive(tmp_path, member("b.txt"), bad), tmp_path / "out")
    assert not (tmp_path / "out").exists()
