"""The local AWS's server is found whatever its files hold, and is one."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Thread

import pytest

from tests.local.conftest import free_port
from tunestack.files import write_whole
from tunestack.local import LocalAws, lifecycle
from tunestack.local.runner.store import Store

SHAPES = [
    "", "{half", "[]", "null", "7", '"text"', "{}", '{"pid": null, "port": 1}', '{"pid": [], "port": 1}',
    '{"pid": 1, "port": "x"}', '{"pid": 99999999999999999999, "port": 1}', "[" * 5000,
]  # fmt: skip


@pytest.fixture
def aws(tmp_path: Path) -> LocalAws:
    return LocalAws(home=tmp_path / "local")


@pytest.mark.parametrize("text", [*SHAPES, b"\xff\xfe\x00"])
def test_a_server_file_of_any_shape_is_no_server_and_breaks_nothing(text: str | bytes, aws: LocalAws) -> None:
    write_whole(aws.server_file, text)
    assert not lifecycle.is_running(aws)
    assert aws.endpoint_url.startswith("http://localhost:")
    assert lifecycle.down(aws, delete_data=True) is False
    assert not aws.home.exists()


@pytest.mark.slow
def test_a_server_whose_file_was_spoilt_is_found_by_its_process_and_stopped(aws: LocalAws) -> None:
    port = free_port()
    assert lifecycle.up(aws, port=port)
    try:
        for text in ("{half", '{"pid": 1, "port": 1}', None):
            aws.server_file.write_text(text) if text else aws.server_file.unlink()
            found = lifecycle.running_server(aws)
            assert found is not None and (found.port, found.enforce) == (port, True)
            assert lifecycle.up(aws, port=port) is False
    finally:
        assert lifecycle.down(aws, delete_data=True)
    assert not lifecycle.is_running(aws)


@pytest.mark.slow
def test_two_who_start_it_at_once_start_one(aws: LocalAws) -> None:
    port, together = free_port(), Barrier(2)

    def start() -> bool:
        together.wait()
        return lifecycle.up(aws, port=port)

    with ThreadPoolExecutor(2) as pool:
        started = [future.result() for future in [pool.submit(start), pool.submit(start)]]
    try:
        assert sorted(started) == [False, True]
    finally:
        lifecycle.down(aws, delete_data=True)


@pytest.mark.parametrize("text", ["", "{half", "[]", "null", "[" * 5000])
def test_a_record_that_can_t_be_read_is_put_aside_and_the_others_are_there(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Store(tmp_path).put("executions", "good", {"Status": "Succeeded"})
    (tmp_path / "executions" / "bad.json").write_text(text)
    store = Store(tmp_path)
    assert store.all("executions") == [{"Status": "Succeeded"}]
    assert (tmp_path / "executions" / "bad.broken").read_text() == text
    assert "bad.json" in capsys.readouterr().out


def test_who_writes_a_file_at_once_leaves_one_of_both_whole(tmp_path: Path) -> None:
    texts = [json.dumps({"by": name, "text": name * 200_000}) for name in "ab"]

    def write(text: str) -> None:
        for _ in range(30):
            write_whole(tmp_path / "file.json", text)

    threads = [Thread(target=write, args=(text,)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / "file.json").read_text() in texts
    assert [item.name for item in tmp_path.iterdir()] == ["file.json"]
