"""Files as people have them: read, or refused with what makes one of them that is read."""

import json
from pathlib import Path
from typing import Any

import pytest
from tunestack_training.failure import JobError
from tunestack_training.file_text import check_text
from tunestack_training.rows import read_row, read_rows

ASKED, SAID = "How do I reset device 0?", "Hold the button for 0 seconds."
USER, ANSWER = {"role": "user", "content": ASKED}, {"role": "assistant", "content": SAID}
ROW = {"prompt": [USER], "completion": [ANSWER]}
LINE = json.dumps({"instruction": ASKED, "response": SAID})
FILES: dict[str, bytes] = {
    "list.json": f"[{LINE},\n {LINE}]".encode(),
    "lines.json": f"{LINE}\n{LINE}\n".encode(),
    "list.jsonl": f"[{LINE}, {LINE}]\n".encode(),
    "a.ndjson": f"{LINE}\n\n{LINE}".encode(),
    "A.JSONL": f"{LINE}\r\n{LINE}\r\n".encode("utf-8-sig"),
    "wide.jsonl": f"{LINE}\n{LINE}\n".encode("utf-16"),
    "comma.csv": f"instruction,response\n{ASKED},{SAID}\n{ASKED},{SAID}\n".encode(),
    "blanks.csv": f"Instruction, Response\n{ASKED}, {SAID}\n{ASKED}, {SAID}\n".encode(),
    "excel.csv": f"instruction;response\r\n{ASKED};{SAID}\r\n{ASKED};{SAID}\r\n".encode("utf-8-sig"),
    "excel16.csv": f"instruction\tresponse\n{ASKED}\t{SAID}\n{ASKED}\t{SAID}\n".encode("utf-16"),
    "index.csv": f",instruction,response\n0,{ASKED},{SAID}\n1,{ASKED},{SAID}\n".encode(),
    "spread.jsonl": (json.dumps(json.loads(LINE), indent=2) * 2).encode(),
    "spread.json": (json.dumps(json.loads(LINE), indent=2) + "\n" + json.dumps(json.loads(LINE), indent=2)).encode(),
    "spread_list.jsonl": json.dumps([json.loads(LINE)] * 2, indent=2).encode(),
    "sep.csv": f"sep=;\r\ninstruction;response\r\n{ASKED};{SAID}\r\n{ASKED};{SAID}\r\n".encode("utf-8-sig"),
    "trailing.csv": f"instruction,response,,\n{ASKED},{SAID},,\n{ASKED},{SAID}\n,,,\n".replace(
        f"{SAID}\n,", f"{SAID},,\n,"
    ).encode(),
    "blank.csv": f"\n\ninstruction,response\n{ASKED},{SAID}\n\n{ASKED},{SAID},\n".encode(),
    "quotes.csv": f'instruction,response\n"{ASKED}", "{SAID}"\n"{ASKED}", "{SAID}"\n'.encode(),
    "quoted_sep.csv": f'"sep=;"\ninstruction;response\n{ASKED};{SAID}\n{ASKED};{SAID}\n'.encode(),
    "drawn.csv": f" instruction | response \n------|------\n {ASKED} | {SAID} \n {ASKED} | {SAID} \n".encode(),
    "lists.jsonl": (json.dumps([USER, ANSWER]) + "\n" + json.dumps([USER, ANSWER])).encode(),
    "lists.json": json.dumps([[USER, ANSWER], [USER, ANSWER]]).encode(),
    "a.jsonlines": f"{LINE}\n{LINE}".encode(),
    "a.tsv": f"instruction\tresponse\n{ASKED}\t{SAID}\n{ASKED}\t{SAID}\n".encode(),
    "bars.csv": f"instruction|response\n{ASKED}|{SAID}\n{ASKED}|{SAID}\n".encode(),
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("packed", [False, True])
def test_a_file_of_any_form_holds_the_same_rows(name: str, packed: bool, tmp_path: Path) -> None:
    import gzip

    file = tmp_path / (f"{name}.gz" if packed else name)
    file.write_bytes(gzip.compress(FILES[name]) if packed else FILES[name])
    check_text(file)
    assert [read_row(source.value).row for source in read_rows(file)] == [ROW, ROW]


def test_tables_of_any_types_hold_rows(tmp_path: Path) -> None:
    import datetime
    from decimal import Decimal

    import pyarrow
    import pyarrow.parquet

    table = pyarrow.table(
        {
            "instruction": [ASKED, ASKED], "response": [SAID, None], "at": [datetime.datetime(2026, 1, 1)] * 2,
            "price": [Decimal("1.5")] * 2, "raw": [b"x"] * 2,
        }
    )  # fmt: skip
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet")
    with pyarrow.ipc.new_file(tmp_path / "a.arrow", table.schema) as out:
        out.write_table(table)
    with pyarrow.ipc.new_stream(tmp_path / "b.arrow", table.schema) as out:
        out.write_table(table)
    for name in ("a.parquet", "a.arrow", "b.arrow"):
        first, second = (read_row(source.value) for source in read_rows(tmp_path / name))
        assert first.row == ROW and dict(first.ignored) == {"at": 1, "price": 1, "raw": 1}
        assert second.row is None


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "instruction,response\nGröße,x\n".encode("cp1252"), "iconv -f WINDOWS-1252 -t UTF-8 a.csv"),
        ("a.csv", b"who,what\nx,y\n", "with commas, semicolons, tabs, bars between them"),
        ("a.jsonl.gz", b"no gzip", "is no gzip file, or half-written"),
        ("a.jsonl.gz", b"\x1f\x8b\x08\x00cut", "is no gzip file, or half-written"),
        ("a.json", b'[{"instruction": "x"}, ', "line 1: not JSON, or half-written"),
        ("a.xlsx", b"x", "save it as CSV"),
        ("a.zip", b"x", "unpack it"),
        ("a.parquet.gz", b"x", "a data file ends in"),
        ("a.arrow", b"x", "not Arrow, or half-written"),
        ("a.csv", b"PK\x03\x04rest", "a ZIP archive, or Excel's .xlsx"),
        ("a.csv", b"\xd0\xcf\x11\xe0rest", "an old Excel"),
        ("a.jsonl", b"\x1f\x8b\x08\x00rest", "give its name .gz at the end"),
        ("a.json", b"PAR1rest", "give its name .parquet"),
        ("a.parquet", b"version https://git-lfs.github.com/spec/v1\noid", "git lfs pull"),
        ("a.jsonl", b"version https://git-lfs.github.com/spec/v1\noid", "git lfs pull"),
        ("a.jsonl", LINE.encode("utf-16-le"), "UTF-16 without its mark"),
        ("a.jsonl", b"\n<!DOCTYPE html><html>", "a web page: download the file itself"),
        ("a.csv", b'instruction,response\n"say \\"hi\\"",x\n', 'a quote is doubled: ""'),
        ("a.csv", b"instruction,response,response\nx,y,z\n", "names a column twice"),
        (
            "a.jsonl",
            b'{\n"instruction": "x",\n"response": "y"\n}\n{\n"instruction": ',
            "line 6: not JSON, or half-written",
        ),
    ],
)
def test_a_file_that_is_not_read_says_what_makes_one_of_it(
    name: str, content: bytes, message: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(JobError) as refused:
        list(read_rows(tmp_path / name))
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"data": [{"instruction": ASKED, "response": SAID}]}, "'data' is a list of rows: save that list alone"),
        ({"train": [{"messages": [USER, ANSWER]}]}, "'train' is a list of rows"),
        ({"instruction": {"0": ASKED}, "response": {"0": SAID}}, "as pandas writes it"),
        ({"columns": ["instruction", "response"], "index": [0], "data": [[ASKED, SAID]]}, "as pandas writes it"),
    ],
)
def test_a_file_with_an_object_around_its_rows_is_named(value: Any, message: str, tmp_path: Path) -> None:
    for text in (json.dumps(value), json.dumps(value, indent=2)):
        (tmp_path / "a.json").write_text(text)
        (source,) = read_rows(tmp_path / "a.json")
        assert message in str(read_row(source.value).problem)


def test_a_broken_row_costs_itself_alone(tmp_path: Path) -> None:
    twice = '{"instruction": "a", "response": "b", "response": "c"}'
    (tmp_path / "a.jsonl").write_text(f'{{"instruction": "a", "resp\n{LINE}\n{twice}\n{{"a": 1}},\n{LINE}\n')
    problems = [source.problem or "" for source in read_rows(tmp_path / "a.jsonl")]
    assert [bool(problem) for problem in problems] == [True, False, True, True, False]
    assert problems[2] == "a key stands there twice"


def test_joined_and_unquoted_tables_are_read_line_by_line(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(f"instruction,response\n{ASKED},{SAID}\ninstruction,response\n{ASKED},{SAID}\n")
    problems = [source.problem for source in read_rows(tmp_path / "a.csv")]
    assert problems == [None, "it names the columns once more, as of files that were joined", None]
    (tmp_path / "a.tsv").write_text('instruction\tresponse\nSay hi\t"Hi" she said\n')
    (source,) = read_rows(tmp_path / "a.tsv")
    assert source.value == {"instruction": "Say hi", "response": '"Hi" she said'}
    (tmp_path / "b.csv").write_text(f"instruction,input,response\n{ASKED},#N/A,{SAID}\n{ASKED},\\N,#REF!\n")
    first, second = (read_row(source.value) for source in read_rows(tmp_path / "b.csv"))
    assert first.row == ROW and second.problem == "'response' is empty"
    (tmp_path / "a.jsonl").write_text(f"{LINE},\n{LINE},\n")
    assert [str(source.problem)[:14] for source in read_rows(tmp_path / "a.jsonl")] == ["a comma stands"] * 2


def test_a_table_s_nulls_are_no_part_of_an_answer(tmp_path: Path) -> None:
    import pyarrow
    import pyarrow.parquet

    pyarrow.parquet.write_table(
        pyarrow.table({"instruction": [ASKED] * 2, "response": [{"a": "x"}, {"b": "y"}]}), tmp_path / "a.parquet"
    )
    said = [read_row(source.value).rows[0]["completion"][0]["content"] for source in read_rows(tmp_path / "a.parquet")]
    assert said == ['{"a": "x"}', '{"b": "y"}']


def test_a_row_of_a_table_that_has_no_form_here_costs_itself_alone(tmp_path: Path) -> None:
    import pyarrow
    import pyarrow.parquet

    raw = pyarrow.array([SAID.encode(), b"\xff\xfe", SAID.encode()]).cast(pyarrow.binary())
    texts = pyarrow.Array.from_buffers(pyarrow.string(), 3, raw.buffers())
    table = pyarrow.table({"instruction": [ASKED] * 3, "response": texts})
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet")
    read = list(read_rows(tmp_path / "a.parquet"))
    assert [source.problem for source in read] == [None, "it can't be read: UnicodeDecodeError", None]
    assert read_row(read[2].value).row == ROW
    twins = pyarrow.Table.from_arrays([raw, raw], names=["response", "response"])
    pyarrow.parquet.write_table(twins, tmp_path / "b.parquet")
    with pytest.raises(JobError, match="two columns of one name"):
        list(read_rows(tmp_path / "b.parquet"))
