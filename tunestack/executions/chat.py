"""A registered version, served on this machine by the code that serves it on AWS."""

import json
import socket
import tarfile
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tunestack.aws import Aws
from tunestack.errors import UserError
from tunestack.executions.versions import Version
from tunestack.files import unpack
from tunestack.layout import S3Uri
from tunestack.local.runner.container import ContainerHost, ContainerSpec, RunningContainer
from tunestack.local.runner.errors import JobFailure

ROOT = Path(__file__).parents[2]
START_SECONDS = 600
ANSWER_SECONDS = 600
# Of the server's output: what is shown when it ends.
LAST_LINES = 5
Conversation = list[dict[str, str]]


class ChatModel:
    """A running model that goes on with a conversation."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}"

    def answer(self, conversation: Conversation) -> str:
        """What the model says next.

        Raises:
            UserError: it can't; the text is the server's reason.
        """
        body = json.dumps({"messages": conversation}).encode()
        headers = {"Content-Type": "application/jsonlines"}
        request = urllib.request.Request(f"{self._url}/invocations", data=body, headers=headers)  # noqa: S310 - loopback
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_SECONDS) as response:  # noqa: S310
                given = json.loads(response.read())
        except OSError as error:
            raise UserError(f"the model doesn't answer: {error}") from None
        if "error" in given:
            raise UserError(f"the model can't answer: {given['error']}")
        return str(given["response"])


@contextmanager
def served(aws: Aws, version: Version) -> Iterator[ChatModel]:
    """Download a version's archive and serve it; both are gone afterwards.

    Raises:
        UserError: the archive isn't there, or the server ends before it is ready.
    """
    with tempfile.TemporaryDirectory(prefix="tunestack-chat-") as folder:
        _download(aws, version, Path(folder))
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        spec = ContainerSpec(
            image_uri=version.image_uri,
            entrypoint=None,
            arguments=["serve"],
            environment={"SAGEMAKER_BIND_TO_PORT": str(port)},
            ml_folder=Path(folder),
            port=port,
        )
        try:
            server = ContainerHost(ROOT, docker_host=None).start(spec)
        except JobFailure as error:
            raise UserError(str(error)) from None
        lines: list[str] = []
        reader = threading.Thread(target=_collect, args=(server, lines), daemon=True)
        reader.start()
        try:
            _wait_until_ready(server, port, lines)
            yield ChatModel(port)
        finally:
            server.terminate()
            reader.join()


def _download(aws: Aws, version: Version, folder: Path) -> None:
    bucket, key = S3Uri.parse(version.model_data_url)
    archive = folder / "model.tar.gz"
    try:
        aws.s3.download_file(bucket, key, str(archive))
    except aws.s3.exceptions.ClientError as error:
        raise UserError(f"version {version.number}: no archive at {version.model_data_url}: {error}") from None
    try:
        unpack(archive, folder / "model")
    except (tarfile.TarError, EOFError) as error:
        raise UserError(f"version {version.number}: {version.model_data_url} is no whole archive: {error}") from None
    archive.unlink()


def _wait_until_ready(server: RunningContainer, port: int, lines: list[str]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            raise UserError("the model's server ended: " + "\n".join(lines[-LAST_LINES:]))
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/ping", timeout=2):
                return
        except OSError:
            time.sleep(0.2)
    raise UserError(f"the model's server isn't ready after {START_SECONDS} s")


def _collect(server: RunningContainer, lines: list[str]) -> None:
    assert server.process.stdout is not None
    lines.extend(line.rstrip("\n") for line in server.process.stdout)
