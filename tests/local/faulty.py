"""Jobs as far as the runner sees them, and clients whose calls break."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.exceptions import EndpointConnectionError

from tests.conftest import ROOT
from tests.local.conftest import HANGS_AFTER_SECONDS
from tunestack.local import LocalAws
from tunestack.local.authorization.credentials import Credentials
from tunestack.local.runner.clients import Clients
from tunestack.local.runner.container import ContainerHost
from tunestack.local.runner.job import Job
from tunestack.local.runner.processing_job import ProcessingJob
from tunestack.local.runner.store import Store
from tunestack.local.runner.training_job import TrainingJob
from tunestack.local.runner.transform_job import TransformJob

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
