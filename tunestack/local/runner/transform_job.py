"""A batch transform, as SageMaker runs it: a server with the model, and requests of one line or of several."""

import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from io import BytesIO
from typing import Any

from tunestack.definition.job_files import files_read, files_written
from tunestack.files import unpack
from tunestack.job_api import TRANSFORM_API
from tunestack.layout import S3Uri
from tunestack.local.runner.container import ContainerSpec, RunningContainer
from tunestack.local.runner.errors import JobFailure, JobStopped
from tunestack.local.runner.job import Job
from tunestack.local.runner.job_log import JobLog
from tunestack.local.runner.transfers import encryption, list_keys

START_SECONDS = 600
# What the service takes where ModelClientConfig says nothing.
INVOCATION_SECONDS = 600
RETRIES = 3
POLL_SECONDS = 0.5


class TransformJob(Job):
    """Every line of every input file gets an answer; a file's `.out` appears when all of its lines have one."""

    api = TRANSFORM_API

    def __init__(self, *arguments: Any, model: dict[str, Any], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._model = model["PrimaryContainer"]

    def prepare(self) -> None:
        bucket, key = S3Uri.parse(self._model["ModelDataUrl"])
        self.folder.mkdir(parents=True, exist_ok=True)
        archive = self.folder / "model.tar.gz"
        try:
            self.clients.s3.download_file(bucket, key, str(archive))
        except self.clients.s3.exceptions.ClientError as error:
            raise JobFailure(f"ClientError: no model archive at {self._model['ModelDataUrl']}: {error}") from None
        unpack(archive, self.ml_folder / "model")
        archive.unlink()

    def execute(self, log: JobLog) -> None:
        port = _free_port()
        environment = {"SAGEMAKER_BIND_TO_PORT": str(port), **self._model.get("Environment", {})}
        spec = ContainerSpec(
            image_uri=self._model["Image"],
            entrypoint=None,
            arguments=["serve"],
            environment={**environment, **self.request.get("Environment", {})},
            ml_folder=self.ml_folder,
            port=port,
        )
        server = self.host.start(spec)
        log.write(f"[tunestack] {self.kind} {self.name} runs in {server.kind}")
        reader = threading.Thread(target=_read_output, args=(server, log), daemon=True)
        reader.start()
        try:
            self._wait_until_ready(server, port, log)
            self._answer_all(port, log)
        finally:
            server.terminate()
            reader.join()

    def _wait_until_ready(self, server: RunningContainer, port: int, log: JobLog) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.stopping.is_set():
                raise JobStopped
            if server.process.poll() is not None:
                raise JobFailure(f"AlgorithmError: the server ended: {self._failure_text(log)}")
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/ping", timeout=2):
                    return
            except OSError:
                time.sleep(0.2)
        raise JobFailure(f"ClientError: the server did not answer /ping within {START_SECONDS} s")

    def _answer_all(self, port: int, log: JobLog) -> None:
        (data,) = files_read(self.request)
        source = data.uri
        keys = list_keys(self.clients.s3, source)
        if not keys:
            raise JobFailure(f"ClientError: No S3 objects found under {source}")
        bucket, _ = S3Uri.parse(source)
        limit = int(self.request.get("MaxPayloadInMB", 6) * 1024 * 1024)
        single = self.request.get("BatchStrategy", "MultiRecord") == "SingleRecord"
        pool = ThreadPoolExecutor(max_workers=self.request.get("MaxConcurrentTransforms", 1))
        try:
            for key in keys:
                body = self.clients.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
                requests = [
                    pool.submit(self._invoke, port, batch, key) for batch in _batches(body, limit, key, single=single)
                ]
                self._write_answers(key, self._results(requests))
                log.write(f"[tunestack] answered {key}")
        finally:
            # What is still under way ends with the server.
            pool.shutdown(wait=False, cancel_futures=True)

    def _results(self, requests: "Sequence[Future[bytes]]") -> list[bytes]:
        """The answers in order, as soon as all are there or one has failed."""
        waiting: set[Future[bytes]] = set(requests)
        while waiting:
            done, waiting = wait(waiting, timeout=POLL_SECONDS, return_when=FIRST_EXCEPTION)
            for request in done:
                request.result()
            if self.stopping.is_set():
                raise JobStopped
        return [request.result() for request in requests]

    def _invoke(self, port: int, batch: bytes, key: str) -> bytes:
        headers = {
            "Content-Type": self.request["TransformInput"].get("ContentType", "application/octet-stream"),
            "Accept": self.request["TransformOutput"].get("Accept", "*/*"),
        }
        client = self.request.get("ModelClientConfig", {})
        timeout = client.get("InvocationsTimeoutInSeconds", INVOCATION_SECONDS)
        problem = ""
        for _ in range(client.get("InvocationsMaxRetries", RETRIES) + 1):
            if self.stopping.is_set():
                raise JobStopped
            request = urllib.request.Request(f"http://127.0.0.1:{port}/invocations", data=batch, headers=headers)
            try:
                with urllib.request.urlopen(request, timeout=timeout) as answer:
                    body: bytes = answer.read()
                    return body
            except urllib.error.HTTPError as error:
                problem = f"{error.code}: {error.read().decode(errors='replace')[:500]}"
                if error.code < 500:
                    break
            except OSError as error:
                problem = str(error)
        raise JobFailure(f"ClientError: {key}: the server refused a batch: {problem}")

    def _below_the_source(self, key: str) -> str:
        """A file's name in the output: with the folders that it lies in below the source's."""
        (data,) = files_read(self.request)
        _, source = S3Uri.parse(data.uri)
        return key.removeprefix(source if source.endswith("/") else f"{source.rpartition('/')[0]}/")

    def _write_answers(self, key: str, answers: list[bytes]) -> None:
        (target,) = files_written(self.request)
        bucket, prefix = S3Uri.parse(target.uri)
        newline = b"\n" if self.request["TransformOutput"].get("AssembleWith") == "Line" else b""
        lines = b"".join(answer + newline for answer in answers)
        self.clients.s3.upload_fileobj(
            BytesIO(lines),
            bucket,
            f"{prefix.rstrip('/')}/{self._below_the_source(key)}.out",
            ExtraArgs=encryption(target.kms_key),
        )


def _batches(body: bytes, limit: int, key: str, *, single: bool) -> Iterator[bytes]:
    """The lines of a file in requests of one line each, or of at most `limit` bytes."""
    batch = b""
    for line in body.splitlines(keepends=True):
        if len(line) > limit:
            raise JobFailure(f"ClientError: {key}: a line of {len(line)} bytes is larger than MaxPayloadInMB")
        if batch and (single or len(batch) + len(line) > limit):
            yield batch
            batch = b""
        batch += line
    if batch:
        yield batch


def _read_output(server: RunningContainer, log: JobLog) -> None:
    assert server.process.stdout is not None
    for line in server.process.stdout:
        log.write(line.rstrip("\n"))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
