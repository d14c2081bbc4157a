"""Logs of any length: in files of their own, not in memory, not in what is saved every two seconds."""

import time
from bisect import bisect_left
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.local.conftest import client, free_port, until
from tunestack.local import LocalAws, lifecycle
from tunestack.local.emulator.event_file import EventFile
from tunestack.local.runner.job_log import MOST_PENDING, JobLog

GROUP, STREAM = "/aws/sagemaker/TrainingJobs", "a/algo-1-1"
LINES, BATCH = 100_000, 10_000


def events(start: int, stop: int) -> list[dict[str, Any]]:
    return [{"timestamp": 1_000 + n // 3, "message": f"line {n} ü"} for n in range(start, stop)]


@given(
    batches=st.lists(st.integers(0, 700), max_size=4), bounds=st.tuples(st.integers(-20, 2500), st.integers(-20, 2500))
)
def test_events_in_a_file_are_what_a_list_of_them_is(
    batches: list[int], bounds: tuple[int, int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.mktemp("logs") / "a.jsonl"
    wanted: list[dict[str, Any]] = []
    found = EventFile.holding(file, [])
    for size in batches:
        more = events(len(wanted), len(wanted) + size)
        found.extend(more)
        wanted += more
    for made in (found, EventFile(file)):
        assert (len(made), list(made)) == (len(wanted), wanted)
        assert made[bounds[0] : bounds[1]] == wanted[bounds[0] : bounds[1]]
        assert [made[index] for index in (0, -1, len(wanted) // 2) if wanted] == [
            wanted[index] for index in (0, -1, len(wanted) // 2) if wanted
        ]
        at = bisect_left(made, 1_100, key=lambda event: event["timestamp"])
        assert at == bisect_left(wanted, 1_100, key=lambda event: event["timestamp"])
    assert list(deepcopy(found)) == []


def test_a_line_that_a_kill_cut_off_is_not_there_and_spoils_nothing(tmp_path: Path) -> None:
    file = EventFile.holding(tmp_path / "a.jsonl", events(0, 300)).file
    with file.open("ab") as out:
        out.write(b'{"timestamp": 1, "mess')
    again = EventFile(file)
    again.extend(events(300, 301))
    assert list(again) == list(EventFile(file)) == events(0, 301)


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    """A local AWS in which a job wrote a long log."""
    made = LocalAws(home=tmp_path_factory.mktemp("project") / "local")
    lifecycle.up(made, port=free_port())
    logs = client(made, "logs")
    logs.create_log_group(logGroupName=GROUP)
    logs.create_log_stream(logGroupName=GROUP, logStreamName=STREAM)
    for start in range(0, LINES, BATCH):
        put(logs, events(start, start + BATCH))
    yield made
    lifecycle.down(made, delete_data=True)


def put(logs: Any, batch: list[dict[str, Any]]) -> None:
    logs.put_log_events(logGroupName=GROUP, logStreamName=STREAM, logEvents=batch)


def messages(logs: Any) -> Iterator[str]:
    """The stream, page by page."""
    token: dict[str, str] = {}
    while True:
        page = logs.get_log_events(logGroupName=GROUP, logStreamName=STREAM, startFromHead=True, **token)
        if not page["events"]:
            return
        yield from (event["message"] for event in page["events"])
        token = {"nextToken": page["nextForwardToken"]}


@pytest.mark.slow
def test_a_long_log_is_read_back_and_not_saved_with_the_state(aws: LocalAws) -> None:
    wanted = [event["message"] for event in events(0, LINES)]
    saved = aws.home / "state" / "cloudwatch_logs.json"
    until(lambda: saved.exists() and "algo-1-1" in saved.read_text(), "state with the stream")
    assert saved.stat().st_size < 20_000
    assert list(messages(client(aws, "logs"))) == wanted
    # The end alone, what holds a word, and what a query finds: each as before.
    logs = client(aws, "logs")
    page = logs.get_log_events(logGroupName=GROUP, logStreamName=STREAM, limit=2)["events"]
    assert [event["message"] for event in page] == wanted[-2:]
    found = logs.filter_log_events(logGroupName=GROUP, filterPattern='"line 77777 "')["events"]
    assert [event["message"] for event in found] == ["line 77777 ü"]
    asked = logs.start_query(
        logGroupName=GROUP, startTime=0, endTime=10**6, queryString="fields @message | filter @message like /line 5 /"
    )
    rows = logs.get_query_results(queryId=asked["queryId"])["results"]
    assert [field["value"] for row in rows for field in row if field["field"] == "@message"] == ["line 5 ü"]


@pytest.mark.slow
def test_it_survives_a_restart_and_goes_with_its_group(aws: LocalAws) -> None:
    port = aws.port()
    assert port is not None
    lifecycle.down(aws, delete_data=False)
    lifecycle.up(aws, port=port)
    logs = client(aws, "logs")
    # One that comes late is put in its place.
    put(logs, [{"timestamp": 999, "message": "first of all"}])
    read = messages(logs)
    assert (next(read), next(read)) == ("first of all", "line 0 ü")
    put(logs, [{"timestamp": 10**12, "message": "last of all"}])
    assert sum(1 for _ in messages(logs)) == LINES + 2
    logs.delete_log_group(logGroupName=GROUP)
    assert not list(aws.logs_folder.iterdir())


@pytest.mark.slow
def test_what_is_older_than_its_group_keeps_it_is_gone_after_the_next_start(aws: LocalAws) -> None:
    logs, port = client(aws, "logs"), aws.port()
    assert port is not None
    logs.create_log_group(logGroupName=GROUP)
    for name, day in (("old", 1), ("new", 40_000)):
        logs.create_log_stream(logGroupName=GROUP, logStreamName=name)
        event = {"timestamp": day * 86_400_000, "message": "x"}
        logs.put_log_events(logGroupName=GROUP, logStreamName=name, logEvents=[event])
    logs.put_retention_policy(logGroupName=GROUP, retentionInDays=7)
    lifecycle.down(aws, delete_data=False)
    lifecycle.up(aws, port=port)
    streams = client(aws, "logs").describe_log_streams(logGroupName=GROUP)["logStreams"]
    assert [stream["logStreamName"] for stream in streams] == ["new"] and len(list(aws.logs_folder.iterdir())) == 1


class SlowLogs:
    """CloudWatch Logs that take what they are sent, and see how much waits behind it."""

    exceptions = boto3.client("logs", region_name="us-east-1").exceptions

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.log: JobLog | None = None
        self.most_waiting = 0

    def create_log_group(self, **_: Any) -> None: ...

    def create_log_stream(self, **_: Any) -> None: ...

    def put_log_events(self, *, logEvents: list[dict[str, Any]], **_: Any) -> None:  # noqa: N803 - the API's
        assert self.log is not None
        # Long enough for a job to write on.
        time.sleep(0.01)
        self.most_waiting = max(self.most_waiting, len(self.log._pending))
        self.lines += [event["message"] for event in logEvents]


def test_a_job_that_writes_faster_than_its_log_is_sent_waits_for_it(tmp_path: Path) -> None:
    slow: Any = SlowLogs()
    with JobLog(slow, group=GROUP, stream=STREAM, file=tmp_path / "log", metrics=[]) as log:
        slow.log = log
        for number in range(5 * MOST_PENDING):
            log.write(str(number))
    assert slow.lines == [str(number) for number in range(5 * MOST_PENDING)]
    assert 0 < slow.most_waiting <= MOST_PENDING
