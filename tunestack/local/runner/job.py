"""What all kinds of job share: a record that Describe answers from, a folder, a log, an end."""

import shutil
import threading
import time
import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any

from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError

from tunestack.job_api import Api
from tunestack.local.runner.clients import Clients
from tunestack.local.runner.container import ContainerHost, ContainerSpec
from tunestack.local.runner.errors import ApiError, JobFailure, JobStopped, MaxRuntimeExceeded
from tunestack.local.runner.job_log import JobLog
from tunestack.local.runner.store import Store

FAILURE_TEXT_LIMIT = 1024


class Job(ABC):
    """One job in a thread of its own; a subclass says what it does."""

    api: Api

    def __init__(
        self,
        name: str,
        request: dict[str, Any],
        *,
        arn: str,
        store: Store,
        clients: Clients,
        host: ContainerHost,
        folder: Path,
        authorize: Callable[[], None],
    ) -> None:
        self._authorize = authorize
        self.name, self.request, self.arn = name, request, arn
        self.store, self.clients, self.host, self.folder = store, clients, host, folder
        self.ml_folder = folder / "opt-ml"
        self.stopping = threading.Event()
        record = {**request, f"{self.kind}Name": name, f"{self.kind}Arn": arn, f"{self.kind}Status": "InProgress"}
        record["CreationTime"] = record["LastModifiedTime"] = time.time()
        self.store.put(self.kind, name, record)
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def kind(self) -> str:
        """What the API calls such a job."""
        return self.api.noun

    def start(self) -> None:
        """Begin; the record tells how it goes."""
        self._thread.start()

    def stop(self) -> None:
        """Ask it to end: SIGTERM to its container, and SageMaker's grace period."""
        self.stopping.set()
        record = self.store.get(self.kind, self.name)
        if record is not None and record[f"{self.kind}Status"] == "InProgress":
            self.update(**{f"{self.kind}Status": "Stopping"})

    def join(self, timeout: float | None = None) -> None:
        """Wait for its end."""
        self._thread.join(timeout)

    def update(self, **changes: Any) -> None:
        """Change the record."""
        self.store.update(self.kind, self.name, LastModifiedTime=time.time(), **changes)

    # What a kind of job must say.

    @abstractmethod
    def prepare(self) -> None:
        """Bring the inputs."""

    @abstractmethod
    def execute(self, log: JobLog) -> None:
        """Do the work.

        Raises:
            JobFailure: it failed.
        """

    def metric_definitions(self) -> list[dict[str, str]]:
        """The metrics to read off the log."""
        return []

    def finish(self) -> dict[str, Any]:
        """Take the outputs away after success; what the record gains."""
        return {}

    def conclude(self, log: JobLog) -> dict[str, Any]:
        """What the record gains however it ended."""
        return {}

    def over_time(self, failure: MaxRuntimeExceeded) -> dict[str, Any]:
        """How the record says that the job ran into its time limit."""
        return {f"{self.kind}Status": "Failed", "FailureReason": str(failure)}

    # What all do alike.

    def run_container(self, spec: ContainerSpec, log: JobLog, *, max_runtime_seconds: float) -> None:
        """Run to the end and turn a bad one into the job's failure."""
        container = self.host.start(spec)
        log.write(f"[tunestack] {self.kind} {self.name} runs in {container.kind}")
        code = container.run(on_line=log.write, max_runtime_seconds=max_runtime_seconds, stopping=self.stopping)
        if self.stopping.is_set():
            raise JobStopped
        if code != 0:
            killed = " (killed, as when memory runs out)" if code in (137, -9) else ""
            raise JobFailure(f"AlgorithmError: {self._failure_text(log)}, exit code: {code}{killed}")

    def _failure_text(self, log: JobLog) -> str:
        """The failure file's text, or the log's last line."""
        for name in ("failure", "message"):
            file = self.ml_folder / "output" / name
            if file.exists() and (text := file.read_text(encoding="utf-8", errors="replace").strip()):
                return text[:FAILURE_TEXT_LIMIT]
        own = (line for line in reversed(log.lines) if line.strip() and not line.startswith("[tunestack]"))
        last = next(own, "it ended without a word")
        return last[:FAILURE_TEXT_LIMIT]

    def _run(self) -> None:
        """The thread: whatever happens in it, the job ends, and says how."""
        started = time.time()
        try:
            outcome = self._logged(started)
        except BaseException as error:  # A thread's last stop: whatever it is, the job has failed and says why.
            traceback.print_exc()
            outcome = self._failed(error)
        ended = time.time()
        self.update(**outcome, **self.times(ended=ended, seconds=ended - started))
        if outcome[f"{self.kind}Status"] == "Completed":
            shutil.rmtree(self.ml_folder, ignore_errors=True)

    def _logged(self, started: float) -> dict[str, Any]:
        stream = f"{self.name}/algo-1-{int(started)}"
        metrics = self.metric_definitions()
        with JobLog(
            self.clients.logs, group=self.api.log_group, stream=stream, file=self.folder / "log.txt", metrics=metrics
        ) as log:
            self.update(**self.times(started=started))
            return self._attempt(log) | self.conclude(log)

    def _failed(self, error: BaseException) -> dict[str, Any]:
        """What the record says of an error that nobody foresaw."""
        reason = f"InternalServerError: {type(error).__name__}: {error}"
        return {f"{self.kind}Status": "Failed", "FailureReason": reason}

    def _attempt(self, log: JobLog) -> dict[str, Any]:
        status = f"{self.kind}Status"
        try:
            self._authorize()
            self.prepare()
            self.execute(log)
            gained = self.finish()
        except JobStopped:
            log.write("[tunestack] stopped")
            return {status: "Stopped"}
        except MaxRuntimeExceeded as failure:
            log.write(f"[tunestack] {failure}")
            return self.over_time(failure)
        except JobFailure as failure:
            log.write(f"[tunestack] failed: {failure}")
            return {status: "Failed", "FailureReason": str(failure)}
        except (ApiError, ClientError, Boto3Error, BotoCoreError) as error:
            log.write(f"[tunestack] failed: {error}")
            return {status: "Failed", "FailureReason": f"ClientError: {error}"}
        except Exception as error:  # Its trace belongs in the job's log.
            for line in traceback.format_exc().splitlines():
                log.write(line)
            return self._failed(error)
        return {status: "Completed", **gained}

    def times(
        self, *, started: float | None = None, ended: float | None = None, seconds: float | None = None
    ) -> dict[str, Any]:
        """The record's start and end, under the names of the job's kind."""
        noun = self.api.step_type
        times: dict[str, Any] = {}
        if started is not None:
            times[f"{noun}StartTime"] = started
        if ended is not None:
            times[f"{noun}EndTime"] = ended
        return times
