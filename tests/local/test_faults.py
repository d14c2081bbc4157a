"""Every call and every write that a job makes fails once: the job ends all the same, says why, and has lost nothing.

The calls are not listed here: a run without faults is recorded, and each of its calls is broken in turn.
"""

import errno
import json
import tarfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import EndpointConnectionError

from tests.conftest import ROOT
from tests.local.conftest import HANGS_AFTER_SECONDS, client, command
from tunestack.aws import Aws
from tunestack.executions.advice import advice_for
from tunestack.files import write_whole
from tunestack.local import LocalAws
from tunestack.local.authorization.credentials import Credentials
from tunestack.local.runner import container, transfers
from tunestack.local.runner import execution as execution_module
from tunestack.local.runner import job as job_module
from tunestack.local.runner import store as store_module
from tunestack.local.runner.clients import Clients
from tunestack.local.runner.container import ContainerHost
from tunestack.local.runner.execution import Execution
from tunestack.local.runner.job import Job
from tunestack.local.runner.processing_job import ProcessingJob
from tunestack.local.runner.steps import StepOutcome
from tunestack.local.runner.store import Store
from tunestack.local.runner.training_job import TrainingJob
from tunestack.local.runner.transform_job import TransformJob

pytestmark = pytest.mark.slow
BUCKET = "faults"
# A training as far as the runner sees one: it reads its channel, logs, keeps checkpoints, and leaves a model.
SCRIPT = """
import os, pathlib, time
ml = pathlib.Path(os.environ["TUNESTACK_ML_FOLDER"])
rows = (ml / "input/data/train/rows.jsonl").read_text()
for step in (1, 2):
    print(f"step {step}/2: {{'loss': {1 / step}}}", flush=True)
    (ml / f"checkpoints/checkpoint-{step}").mkdir(exist_ok=True)
    (ml / f"checkpoints/checkpoint-{step}/weights").write_text(str(step))
    time.sleep(0.3)
(ml / "model/adapter").write_text(rows)
"""
REQUEST = {
    "AlgorithmSpecification": {
        "TrainingImage": "none", "ContainerEntrypoint": ["python", "-c", SCRIPT], "ContainerArguments": [],
        "MetricDefinitions": [{"Name": "train:loss", "Regex": "'loss': ([0-9.]+)"}],
    },
    "InputDataConfig": [{"ChannelName": "train", "DataSource": {"S3DataSource": {"S3Uri": f"s3://{BUCKET}/train/"}}}],
    "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/out", "CompressionType": "NONE"},
    "CheckpointConfig": {"S3Uri": f"s3://{BUCKET}/checkpoints/NAME"},
    "StoppingCondition": {"MaxRuntimeInSeconds": 60},
}  # fmt: skip
PROCESS = {
    "AppSpecification": {
        "ImageUri": "none", "ContainerArguments": [],
        "ContainerEntrypoint": ["python", "-c", """
import os, pathlib
ml = pathlib.Path(os.environ["TUNESTACK_ML_FOLDER"])
(ml / "output/answers/adapter").write_text((ml / "input/rows/rows.jsonl").read_text())
(ml / "output/message").write_text("one row")
"""],
    },
    "ProcessingInputs": [{"InputName": "rows", "S3Input": {"S3Uri": f"s3://{BUCKET}/train/", "LocalPath": "/opt/ml/input/rows"}}],
    "ProcessingOutputConfig": {
        "Outputs": [{"OutputName": "answers", "S3Output": {"S3Uri": f"s3://{BUCKET}/out/NAME", "LocalPath": "/opt/ml/output/answers"}}]
    },
}  # fmt: skip
SERVER = """
import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self, body):
        self.send_response(200), self.end_headers(), self.wfile.write(body)
    def do_GET(self):
        self.answer(b"")
    def do_POST(self):
        self.answer(self.rfile.read(int(self.headers["Content-Length"])))
http.server.HTTPServer(("127.0.0.1", int(os.environ["SAGEMAKER_BIND_TO_PORT"])), Handler).serve_forever()
"""
TRANSFORM = {
    "TransformInput": {"DataSource": {"S3DataSource": {"S3Uri": f"s3://{BUCKET}/train/"}}},
    "TransformOutput": {"S3OutputPath": f"s3://{BUCKET}/out/NAME"},
}
MODEL = {"PrimaryContainer": {"Image": "none", "ModelDataUrl": f"s3://{BUCKET}/model/model.tar.gz"}}
Fault = Callable[[Any], Any]


def answer(status: int, code: str) -> Fault:
    """A service's refusal, as it comes over the wire: in XML, or in JSON for CloudWatch Logs."""

    def fault(request: Any) -> AWSResponse:
        xml = f"<Error><Code>{code}</Code><Message>planted</Message></Error>"
        in_json = "Logs" in str(request.headers.get("X-Amz-Target", ""))
        body = json.dumps({"__type": code, "message": "planted"}) if in_json else xml
        response = AWSResponse(request.url, status, {}, None)
        response._content = body.encode()
        return response

    return fault


def unreachable(request: Any) -> Any:
    raise EndpointConnectionError(endpoint_url=request.url)


FAULTS: dict[str, Fault] = {
    "denied": answer(403, "AccessDenied"),
    "broken": answer(500, "InternalError"),
    "unreachable": unreachable,
}


class FaultyClients(Clients):
    """Breaks the calls whose numbers are given, each as often as it is tried again; counts them all."""

    def __init__(self, local: LocalAws, *, broken: frozenset[int] = frozenset(), fault: Fault | None = None) -> None:
        super().__init__(
            endpoint_url=local.endpoint_url, credentials=Credentials.of_account("000000000000"), region="us-east-1"
        )
        self.calls: list[str] = []
        self.hit: set[str] = set()
        self._broken, self._fault = broken, fault

    def _client(self, service: str) -> Any:
        made = super()._client(service)
        made.meta.config.retries = {"total_max_attempts": 1}

        def before(model: Any, **_: Any) -> None:
            self.calls.append(f"{service}.{model.name}")

        def send(request: Any, **_: Any) -> Any:
            # Log and checkpoints are sent by threads of their own: what is broken is whatever is sent now.
            if self._fault is None or len(self.calls) - 1 not in self._broken:
                return None
            self.hit.add(service)
            return self._fault(request)

        made.meta.events.register("before-call", before)
        made.meta.events.register("before-send", send)
        return made


@pytest.fixture(scope="module")
def bucket(deployed: Aws, local: LocalAws) -> Any:
    s3 = client(local, "s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="train/rows.jsonl", Body=b"rows")
    archive = BytesIO()
    tarfile.open(fileobj=archive, mode="w:gz").close()
    s3.put_object(Bucket=BUCKET, Key="model/model.tar.gz", Body=archive.getvalue())
    return s3


@dataclass(frozen=True)
class Kind:
    """A kind of job, what it is asked for, and where its answer lies."""

    job: type[Job]
    request: dict[str, Any]
    answer: str
    options: dict[str, Any] = field(default_factory=dict)
    services: frozenset[str] = frozenset({"s3", "logs"})


KINDS = {
    "training": Kind(
        TrainingJob, REQUEST, "out/NAME/output/model/adapter", services=frozenset({"s3", "logs", "cloudwatch"})
    ),
    "processing": Kind(ProcessingJob, PROCESS, "out/NAME/adapter"),
    "transform": Kind(TransformJob, TRANSFORM, "out/NAME/rows.jsonl.out", {"model": MODEL}),
}


def run_job(kind: Kind, name: str, clients: Clients, store: Store, folder: Path) -> tuple[str, str]:
    """A job run to its end: its status, and the reason of its failure. One that hangs fails the test."""
    request = json.loads(json.dumps(kind.request).replace("NAME", name))
    job = kind.job(
        name, request, arn=f"arn:aws:sagemaker:us-east-1:000000000000:job/{name}", store=store,
        clients=clients, host=ContainerHost(ROOT, docker_host=None), folder=folder, authorize=lambda: None,
        **kind.options,
    )  # fmt: skip
    job.start()
    job.join(timeout=HANGS_AFTER_SECONDS)
    record = store.get(job.kind, name)
    assert record is not None and record[f"{job.kind}Status"] in ("Completed", "Failed", "Stopped"), record
    return record[f"{job.kind}Status"], record.get("FailureReason", "")


def train(name: str, clients: Clients, store: Store, folder: Path) -> dict[str, Any]:
    """A training run to its end; its record."""
    run_job(KINDS["training"], name, clients, store, folder)
    record = store.get("TrainingJob", name)
    assert record is not None
    return record


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
