"""A job's log: to CloudWatch Logs as SageMaker writes it, and watched for metrics."""

import contextlib
import re
import threading
import time
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from types_boto3_logs import CloudWatchLogsClient
    from types_boto3_logs.type_defs import InputLogEventTypeDef

SEND_EVERY_SECONDS = 0.5
# Lines that wait to be sent; a job that writes faster waits for them, for so long at the most.
MOST_PENDING, MOST_WAIT_SECONDS = 10_000, 30.0


class JobLog:
    """Takes lines; sends them in batches to the job's stream, and to a file beside the job."""

    def __init__(
        self, logs: "CloudWatchLogsClient", *, group: str, stream: str, file: Path, metrics: list[dict[str, str]]
    ) -> None:
        self._logs, self._group, self._stream = logs, group, stream
        file.parent.mkdir(parents=True, exist_ok=True)
        self._file = file.open("a", encoding="utf-8")
        self._patterns = [(metric["Name"], re.compile(metric["Regex"])) for metric in metrics]
        self.metrics: dict[str, list[tuple[float, float]]] = {}
        # The last ones, for the reason of a failure: a job may print a million.
        self.lines: deque[str] = deque(maxlen=1000)
        self._pending: list[InputLogEventTypeDef] = []
        self._changed = threading.Condition()
        self._sends = True
        self._stopped = False
        self._thread = threading.Thread(target=self._send_regularly, daemon=True)

    def __enter__(self) -> "JobLog":
        try:
            with contextlib.suppress(self._logs.exceptions.ResourceAlreadyExistsException):
                self._logs.create_log_group(logGroupName=self._group)
            self._logs.create_log_stream(logGroupName=self._group, logStreamName=self._stream)
        except (ClientError, BotoCoreError) as error:
            self._stop_sending(error)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._thread.join()
        self._send()
        with contextlib.suppress(OSError):
            self._file.close()

    def write(self, line: str) -> None:
        """One line of a job's output."""
        now = time.time()
        self._keep(line)
        self.lines.append(line)
        for name, pattern in self._patterns:
            if found := pattern.search(line):
                try:
                    self.metrics.setdefault(name, []).append((now, float(found.group(1))))
                except ValueError:
                    continue
        with self._changed:
            # The API takes no empty message.
            self._pending.append({"timestamp": int(now * 1000), "message": line or " "})
            if len(self._pending) >= MOST_PENDING and self._thread.is_alive():
                self._changed.notify_all()
                self._changed.wait_for(lambda: len(self._pending) < MOST_PENDING, timeout=MOST_WAIT_SECONDS)

    def _keep(self, line: str) -> None:
        # A full disk costs the file its lines, and the job nothing: they are in CloudWatch.
        with contextlib.suppress(OSError):
            self._file.write(line + "\n")
            self._file.flush()

    def _send_regularly(self) -> None:
        while not self._stopped:
            with self._changed:
                self._changed.wait_for(
                    lambda: self._stopped or len(self._pending) >= MOST_PENDING, timeout=SEND_EVERY_SECONDS
                )
            self._send()

    def _send(self) -> None:
        with self._changed:
            pending, self._pending = self._pending, []
            self._changed.notify_all()
        if not self._sends:
            return
        for start in range(0, len(pending), 1000):
            try:
                self._logs.put_log_events(
                    logGroupName=self._group, logStreamName=self._stream, logEvents=pending[start : start + 1000]
                )
            except ClientError as error:
                self._stop_sending(error)
                return
            except BotoCoreError:
                # Not to be reached for the moment: sent with what comes next.
                with self._changed:
                    self._pending = pending[start:] + self._pending
                return

    def _stop_sending(self, error: Exception) -> None:
        """A job whose role may not write its log runs on without one, as on AWS; the file says why."""
        self._sends = False
        self.write(f"[tunestack] no log in CloudWatch: {error}")
