"""Every call and every write that a job makes fails once: the job ends all the same, says why, and has lost nothing.

The calls are not listed here: a run without faults is recorded, and each of its calls is broken in turn.
"""

import errno
import json
import tarfile
import time
from io import BytesIO
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from tests.local.conftest import HANGS_AFTER_SECONDS, client, command
from tests.local.faulty import (
    BUCKET,
    FAULTS,
    KINDS,
    REQUEST,
    SERVER,
    FaultyClients,
    run_job,
    train,
)
from tunestack.aws import Aws
from tunestack.executions.advice import advice_for
from tunestack.files import write_whole
from tunestack.local import LocalAws
from tunestack.local.runner import container, transfers
from tunestack.local.runner import execution as execution_module
from tunestack.local.runner import job as job_module
from tunestack.local.runner import store as store_module
from tunestack.local.runner.execution import Execution
from tunestack.local.runner.steps import StepOutcome
from tunestack.local.runner.store import Store

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def bucket(deployed: Aws, local: LocalAws) -> Any:
    s3 = client(local, "s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="train/rows.jsonl", Body=b"rows")
    archive = BytesIO()
    tarfile.open(fileobj=archive, mode="w:gz").close()
    s3.put_object(Bucket=BUCKET, Key="model/model.tar.gz", Body=archive.getvalue())
    return s3


@pytest.fixture(autouse=True)
def own_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the image of a batch transform runs."""
    monkeypatch.setattr(container, "IMAGE_ENTRYPOINT", ("python", "-c", SERVER))


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Checkpoints are looked at ten times a second."""
    monkeypatch.setattr(transfers, "SYNC_EVERY_SECONDS", 0.1)


@pytest.mark.parametrize("kind", KINDS)
def test_each_call_of_a_job_may_fail_once(kind: str, bucket: Any, local: LocalAws, tmp_path: Path, quick: None) -> None:
    job = KINDS[kind]
    # GIVEN the calls of a run without faults, in order
    clean = FaultyClients(local)
    assert run_job(job, f"{kind}-clean", clean, Store(tmp_path), tmp_path / "job") == ("Completed", "")
    assert {call.partition(".")[0] for call in clean.calls} == job.services
    # WHEN each of them fails once, in each way
    for (number, call), (fault, answer_of) in product(enumerate(clean.calls), FAULTS.items()):
        name = f"{kind}-{fault}-{number}"
        clients = FaultyClients(local, broken=frozenset({number}), fault=answer_of)
        status, reason = run_job(job, name, clients, Store(tmp_path / name), tmp_path / name / "job")
        if status == "Failed":
            # THEN it was an input or an output, without which nothing goes on, and the reason is the service's
            assert "s3" in clients.hit, f"{call}: {reason}"
            assert "planted" in reason or "Could not connect" in reason, f"{call}: {reason}"
        else:
            # or a log, a metric or a checkpoint: the answer is whole, and every checkpoint is there
            key = job.answer.replace("NAME", name)
            assert bucket.get_object(Bucket=BUCKET, Key=key)["Body"].read() == b"rows", call
            kept = bucket.list_objects_v2(Bucket=BUCKET, Prefix=f"checkpoints/{name}/")["KeyCount"]
            assert kept == (2 if kind == "training" else 0), call


def test_an_upload_of_a_checkpoint_that_fails_is_tried_again_and_said(
    bucket: Any, local: LocalAws, tmp_path: Path, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload, failures = transfers.CheckpointSync._sync, iter([True, True, False])

    def sometimes(self: Any) -> None:
        if next(failures, False):
            raise EndpointConnectionError(endpoint_url="s3")
        upload(self)

    monkeypatch.setattr(transfers.CheckpointSync, "_sync", sometimes)
    record = train("again", FaultyClients(local), Store(tmp_path), tmp_path / "job")
    assert record["TrainingJobStatus"] == "Completed"
    assert "checkpoints are not uploaded, and tried again" in (tmp_path / "job" / "log.txt").read_text()
    assert bucket.list_objects_v2(Bucket=BUCKET, Prefix="checkpoints/again/")["KeyCount"] == 2


def test_checkpoints_that_can_never_be_uploaded_fail_the_job_with_what_to_do(
    bucket: Any, local: LocalAws, tmp_path: Path, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(self: Any) -> None:
        raise EndpointConnectionError(endpoint_url="s3")

    monkeypatch.setattr(transfers.CheckpointSync, "_sync", never)
    record = train("never", FaultyClients(local), Store(tmp_path), tmp_path / "job")
    assert record["TrainingJobStatus"] == "Failed"
    assert "checkpoints could not be uploaded" in record["FailureReason"]
    assert advice_for(record["FailureReason"]) is not None


def test_a_full_disk_at_any_write_of_the_runner_s_own_ends_no_job(
    bucket: Any, local: LocalAws, tmp_path: Path, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = write_whole
    writes = {"count": 0, "full": -1}

    def write(file: Path, content: str) -> None:
        writes["count"] += 1
        if writes["count"] == writes["full"]:
            raise OSError(errno.ENOSPC, "No space left on device")
        written(file, content)

    monkeypatch.setattr(store_module, "write_whole", write)
    train("counted", FaultyClients(local), Store(tmp_path / "counted"), tmp_path / "counted" / "job")
    for full in range(1, writes["count"] + 1):
        writes.update(count=0, full=full)
        folder = tmp_path / str(full)
        assert (
            train(f"full-{full}", FaultyClients(local), Store(folder), folder / "job")["TrainingJobStatus"]
            == "Completed"
        )
        # What could not be written at once is there with the next record.
        assert (
            json.loads((folder / "TrainingJob" / f"full-{full}.json").read_text())["TrainingJobName"] == f"full-{full}"
            or full == writes["count"]
        )


def test_a_log_on_a_full_disk_costs_the_file_its_lines_and_the_job_nothing(
    bucket: Any, local: LocalAws, tmp_path: Path, quick: None
) -> None:
    (tmp_path / "job").mkdir()
    (tmp_path / "job" / "log.txt").symlink_to("/dev/full")
    assert train("log", FaultyClients(local), Store(tmp_path), tmp_path / "job")["TrainingJobStatus"] == "Completed"


@pytest.mark.parametrize("error", [RuntimeError("planted"), OSError(errno.ENOSPC, "planted"), SystemExit("planted")])
def test_whatever_a_job_s_thread_ends_with_the_job_has_ended_and_says_why(
    error: BaseException, bucket: Any, local: LocalAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: Any, log: Any) -> None:
        raise error

    monkeypatch.setattr(job_module.Job, "run_container", lambda self, *_, **__: broken(self, None))
    record = train("thread", FaultyClients(local), Store(tmp_path), tmp_path / "job")
    assert record["TrainingJobStatus"] == "Failed" and "planted" in record["FailureReason"]


DEFINITION = {
    "Version": "2020-12-01",
    "Steps": [
        {"Name": name, "Type": "Model", "Arguments": {}, **({"DependsOn": [before]} if before else {})}
        for name, before in (("First", None), ("Second", "First"), ("Third", "Second"))
    ],
}


def execute(store: Store) -> dict[str, Any]:
    now = time.time()
    store.put(
        "executions", "e",
        {
            "Definition": json.dumps(DEFINITION), "CreationTime": now, "Parameters": {}, "Steps": [], "PipelineName": "p",
            "PipelineExecutionArn": "arn/e", "PipelineArn": "arn", "Status": "Executing", "LastModifiedTime": now,
        },
    )  # fmt: skip
    run = Execution("e", store=store, sagemaker=None, s3=None)  # type: ignore[arg-type]
    run.start()
    run.join(timeout=HANGS_AFTER_SECONDS)
    record = store.get("executions", "e")
    assert record is not None and record["Status"] in ("Succeeded", "Failed", "Stopped"), record
    return record


@pytest.mark.parametrize("name", ["_begin_step", "_set_step", "_scope", "_is_ready"])
@pytest.mark.parametrize("call", [0, 1, 2])
def test_whatever_breaks_in_an_execution_it_ends_and_names_the_trace(
    name: str, call: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execution_module, "run_step", lambda *_, **__: StepOutcome({}, {}))
    assert execute(Store(tmp_path / "clean"))["Status"] == "Succeeded"
    real, count = getattr(Execution, name), iter(range(1000))

    def sometimes(self: Any, *arguments: Any, **options: Any) -> Any:
        if next(count) == call:
            raise OSError(errno.EIO, "planted")
        return real(self, *arguments, **options)

    monkeypatch.setattr(Execution, name, sometimes)
    record = execute(Store(tmp_path / "broken"))
    reasons = f"{record.get('FailureReason')} {[step.get('FailureReason') for step in record['Steps']]}"
    assert record["Status"] == "Failed" and "planted" in reasons and "server.log" in reasons
    assert all(step["StepStatus"] in ("Succeeded", "Failed", "Stopped") for step in record["Steps"])


@pytest.mark.parametrize(
    ("reason", "advice"),
    [
        ("AlgorithmError: it ended without a word, exit code: -9 (killed, as when memory runs out)", "memory ran out"),
        ("AlgorithmError: OSError: unexpected pos 220736 vs 220630, exit code: 1", "raise volume_size_gb"),
        ("ClientError: An error occurred (503) when calling PutObject (reached max retries: 4): Slow Down (SlowDown)", "overloaded"),
        ("AlgorithmError: SafetensorError: Error while deserializing header: incomplete metadata", "upload the model again"),
        ("ClientError: Model package group tunestack-dev-models does not exist", "deploy the registry stack"),
    ],
)  # fmt: skip
def test_a_failure_has_its_advice(reason: str, advice: str) -> None:
    assert advice in (advice_for(reason) or "")


def test_a_training_that_runs_into_its_limit_is_stopped_as_on_aws(
    bucket: Any, local: LocalAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(REQUEST, "StoppingCondition", {"MaxRuntimeInSeconds": 0.2})
    record = train("limit", FaultyClients(local), Store(tmp_path), tmp_path / "job")
    assert (record["TrainingJobStatus"], record["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")


def test_the_commands_work_beside_all_this(deployed: Aws) -> None:
    assert command("executions", "--json").exit_code == 0
