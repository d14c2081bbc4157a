"""A pipeline execution: every step as soon as what it waits for is done, until all are or one has failed."""

import json
import threading
import time
import traceback
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from tunestack.definition.graph import PlacedStep, placed_steps, predecessors
from tunestack.definition.scope import Scope
from tunestack.layout import S3Uri
from tunestack.local.address import LOG_NAME
from tunestack.local.runner.errors import JobFailure, JobStopped
from tunestack.local.runner.steps import SageMaker, StepOutcome, run_step
from tunestack.local.runner.store import Store

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

PARALLEL_STEPS = 2
KIND = "executions"


class Execution:
    """Runs in a thread of its own; the store's record tells how it goes."""

    def __init__(self, execution_id: str, *, store: Store, sagemaker: SageMaker, s3: "S3Client") -> None:
        record = store.get(KIND, execution_id)
        assert record is not None
        self.id, self._store, self._sagemaker, self._s3 = execution_id, store, sagemaker, s3
        self._definition = json.loads(record["Definition"])
        self._steps = list(placed_steps(self._definition["Steps"]))
        self._started = record["CreationTime"]
        self._parameters = record["Parameters"]
        self._execution_variables = {
            "PipelineExecutionId": execution_id,
            "PipelineExecutionArn": record["PipelineExecutionArn"],
            "PipelineName": record["PipelineName"],
            "PipelineArn": record["PipelineArn"],
            "StartDateTime": _timestamp(self._started),
            "CurrentDateTime": _timestamp(self._started),
        }
        # Of an execution that is retried, what had succeeded stays.
        self._outcomes = {
            step["StepName"]: StepOutcome(**step["Outcome"])
            for step in record["Steps"]
            if step["StepStatus"] == "Succeeded"
        }
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name=f"execution-{execution_id}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Ask it to end: running jobs are stopped, no step is started any more."""
        self._stopping.set()
        with self._lock:
            record = self._store.get(KIND, self.id)
            if record is not None and record["Status"] == "Executing":
                self._store.update(KIND, self.id, LastModifiedTime=time.time(), Status="Stopping")

    def join(self, timeout: float | None = None) -> None:
        """Wait for its end."""
        self._thread.join(timeout)

    def _run(self) -> None:
        """The thread: whatever happens in it, the execution ends, and says how."""
        try:
            failed, stopped = self._run_steps()
        except BaseException as error:
            traceback.print_exc()
            self._break(f"InternalServerError: {_named(error)}")
            return
        self._end(failed=failed, stopped=stopped or self._stopping.is_set())

    def _run_steps(self) -> tuple[bool, bool]:
        """Every step that can be; whether one failed, and whether one was stopped."""
        failed = stopped = False
        waiting = {step.name: step for step in self._steps if step.name not in self._outcomes}
        running: dict[Future[StepOutcome], PlacedStep] = {}
        with ThreadPoolExecutor(max_workers=PARALLEL_STEPS) as pool:
            while True:
                if not (failed or stopped or self._stopping.is_set()):
                    for step in [step for step in waiting.values() if self._is_ready(step)]:
                        del waiting[step.name]
                        running[pool.submit(self._run_step, step)] = step
                if not running:
                    return failed, stopped
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    step = running.pop(future)
                    try:
                        self._outcomes[step.name] = future.result()
                    except JobStopped:
                        stopped = True
                    except JobFailure:
                        failed = True

    def _is_ready(self, step: PlacedStep) -> bool:
        if not all(name in self._outcomes for name in predecessors(step)):
            return False
        return all(
            self._outcomes[condition].branch_taken == (branch == "IfSteps") for condition, branch in step.branches
        )

    def _run_step(self, step: PlacedStep) -> StepOutcome:
        self._begin_step(step)
        try:
            outcome = run_step(
                step.entry,
                execution_id=self.id,
                scope=self._scope(),
                sagemaker=self._sagemaker,
                stopping=self._stopping.is_set,
                on_start=lambda metadata: self._set_step(step, Metadata=metadata),
            )
        except JobFailure as failure:
            self._set_step(step, StepStatus="Failed", FailureReason=str(failure), EndTime=time.time())
            raise
        except JobStopped:
            self._set_step(step, StepStatus="Stopped", EndTime=time.time())
            raise
        except Exception as error:
            traceback.print_exc()
            reason = f"InternalServerError: {_named(error)}"
            self._set_step(step, StepStatus="Failed", FailureReason=reason, EndTime=time.time())
            raise JobFailure(reason) from error
        self._set_step(
            step,
            StepStatus="Succeeded",
            Metadata=outcome.metadata,
            EndTime=time.time(),
            Outcome=outcome.to_json(),
        )
        return outcome

    def _scope(self) -> Scope:
        files = {
            (step.name, file["PropertyFileName"]): file
            for step in self._steps
            for file in step.entry.get("PropertyFiles", [])
        }
        return Scope(
            parameters=self._parameters,
            execution=self._execution_variables,
            outcomes={name: outcome.described for name, outcome in self._outcomes.items()},
            property_files=files,
            read_file=self._read,
        )

    def _read(self, uri: str) -> bytes:
        bucket, key = S3Uri.parse(uri)
        try:
            content: bytes = self._s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        except self._s3.exceptions.NoSuchKey:
            raise JobFailure(f"ClientError: the step did not write its property file {uri}") from None
        except ClientError as error:
            raise JobFailure(f"ClientError: the property file {uri} can't be read: {error}") from None
        return content

    def _begin_step(self, step: PlacedStep) -> None:
        with self._lock:
            steps: list[dict[str, Any]] = self._record()["Steps"]
            tried = next((item for item in steps if item["StepName"] == step.name), {"AttemptCount": 0})
            begun: dict[str, Any] = {
                "StepName": step.name,
                "AttemptCount": tried["AttemptCount"] + 1,
                "Metadata": {},
                "StepStatus": "Executing",
                "StartTime": time.time(),
            }
            others = [item for item in steps if item["StepName"] != step.name]
            self._store.update(KIND, self.id, Steps=[*others, begun], LastModifiedTime=time.time())

    def _set_step(self, step: PlacedStep, **changes: Any) -> None:
        with self._lock:
            steps: list[dict[str, Any]] = self._record()["Steps"]
            next(item for item in steps if item["StepName"] == step.name).update(changes)
            self._store.update(KIND, self.id, Steps=steps, LastModifiedTime=time.time())

    def _record(self) -> dict[str, Any]:
        record = self._store.get(KIND, self.id)
        assert record is not None
        return record

    def _end(self, *, failed: bool, stopped: bool) -> None:
        if failed:
            self._update(Status="Failed", FailureReason="Step failure: One or multiple steps failed.")
        else:
            self._update(Status="Stopped" if stopped else "Succeeded")

    def _break(self, reason: str) -> None:
        """End it, and every step that was under way."""
        with self._lock:
            steps: list[dict[str, Any]] = self._record()["Steps"]
            for step in steps:
                if step["StepStatus"] == "Executing":
                    step.update(StepStatus="Failed", FailureReason=reason, EndTime=time.time())
            changes = {"Status": "Failed", "FailureReason": reason, "LastModifiedTime": time.time()}
            self._store.update(KIND, self.id, Steps=steps, **changes)

    def _update(self, **changes: Any) -> None:
        with self._lock:
            self._store.update(KIND, self.id, LastModifiedTime=time.time(), **changes)


def _named(error: BaseException) -> str:
    """An error with the place of its trace, which the server prints."""
    return f"{type(error).__name__}: {error} (the trace is in {LOG_NAME} of the local AWS's folder)"


def _timestamp(moment: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))
