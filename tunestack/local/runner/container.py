"""A job's container: in Docker when its image is there, else the same command in the training environment."""

import contextlib
import ctypes
import json
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tunestack.local.runner.errors import JobFailure, JobStopped, MaxRuntimeExceeded
from tunestack.local.runner.processes import kill_all, new_mark

# As SageMaker: a stopped container gets SIGTERM, and this long to end.
GRACE_SECONDS = 120
# How long the output of a process that has ended is read, while another holds it.
OUTPUT_SECONDS = 2.0
# What training_code/Dockerfile has as its entry point.
IMAGE_ENTRYPOINT = ("python", "-m", "tunestack_training")
_PR_SET_PDEATHSIG = 1
# At import, not between fork and exec, where loading a library can hang.
_LIBC = ctypes.CDLL(None)


@dataclass(frozen=True, kw_only=True)
class ContainerSpec:
    """What to run: the image, its command, its environment, and the folder that is its `/opt/ml`."""

    image_uri: str
    entrypoint: Sequence[str] | None
    arguments: Sequence[str]
    environment: Mapping[str, str]
    ml_folder: Path
    port: int | None = None


class ContainerHost:
    """Where containers run. Of the caller's environment, the number of threads alone reaches them."""

    def __init__(self, project_root: Path, *, docker_host: str | None) -> None:
        self._root = project_root
        self._docker_environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}
        if docker_host:
            self._docker_environment["DOCKER_HOST"] = docker_host

    def start(self, spec: ContainerSpec) -> "RunningContainer":
        """Start a container; its output is one stream of lines."""
        if self._has_image(spec.image_uri):
            return RunningContainer(self._docker_command(spec), environment=self._docker_environment, kind="docker")
        return RunningContainer(
            self._plain_command(spec), environment=self._plain_environment(spec), kind="training environment"
        )

    def _has_image(self, image_uri: str) -> bool:
        if shutil.which("docker", path=self._docker_environment["PATH"]) is None:
            return False
        inspected = subprocess.run(
            ["docker", "image", "inspect", image_uri], env=self._docker_environment, capture_output=True, check=False
        )
        return inspected.returncode == 0

    def _docker_command(self, spec: ContainerSpec) -> list[str]:
        command = ["docker", "run", "--rm", "--init", f"--volume={spec.ml_folder}:/opt/ml"]
        # Isolated, as on SageMaker; a server must be reachable from here.
        command += ["--network=host" if spec.port else "--network=none"]
        command += [f"--env={key}={value}" for key, value in spec.environment.items()]
        if spec.entrypoint:
            command += [f"--entrypoint={spec.entrypoint[0]}"]
        return [*command, spec.image_uri, *(spec.entrypoint or ())[1:], *spec.arguments]

    def _plain_command(self, spec: ContainerSpec) -> list[str]:
        python = self._root / ".venv-training" / "bin" / "python"
        if not python.exists():
            raise JobFailure(f"no image {spec.image_uri} in Docker and no training environment at {python}: make setup")
        program, *rest = [*(spec.entrypoint or IMAGE_ENTRYPOINT), *spec.arguments]
        return [str(python) if program == "python" else program, *rest]

    def _plain_environment(self, spec: ContainerSpec) -> dict[str, str]:
        return {
            "HOME": str(spec.ml_folder),
            "LANG": "C.UTF-8",
            "PATH": f"{self._root / '.venv-training' / 'bin'}:/usr/local/bin:/usr/bin:/bin",
            "PYTHONPATH": str(self._root / "training_code"),
            "PYTHONUNBUFFERED": "1",
            "TUNESTACK_ML_FOLDER": str(spec.ml_folder),
            # Several jobs on one machine, each with a thread a core, wait for each other most of the time.
            **{name: os.environ[name] for name in ("OMP_NUM_THREADS",) if name in os.environ},
            **spec.environment,
        }


class RunningContainer:
    """A started container."""

    def __init__(self, command: Sequence[str], *, environment: Mapping[str, str], kind: str) -> None:
        self.kind = kind
        self._mark = new_mark()
        self.process = subprocess.Popen(
            command,
            env={**environment, **self._mark},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
            preexec_fn=_die_with_parent,  # noqa: PLW1509 - one prctl call, loaded at import
        )

    def run(self, *, on_line: Callable[[str], None], max_runtime_seconds: float, stopping: threading.Event) -> int:
        """Feed each line of output to `on_line` until the container's first process ends; its exit code.

        What that left behind ends with it, as in a container: it could hold the output for ever.

        Raises:
            MaxRuntimeExceeded: it ran longer than allowed.
            JobStopped: somebody stopped it.
        """
        ended = threading.Event()
        outcome: list[Exception] = []
        watcher = threading.Thread(
            target=self._watch, args=(time.monotonic() + max_runtime_seconds, stopping, ended, outcome), daemon=True
        )
        watcher.start()
        assert self.process.stdout is not None
        try:
            for line in self.process.stdout:
                on_line(line.rstrip("\n"))
            code = self.process.wait()
        except BaseException:
            # Nobody reads its output any more: it would go on, or wait for ever.
            self.terminate()
            raise
        finally:
            ended.set()
        watcher.join()
        self._end_the_rest()
        if outcome:
            raise outcome[0]
        return code

    def terminate(self) -> None:
        """SIGTERM, and after the time that SageMaker gives, SIGKILL."""
        self._signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self._signal(signal.SIGKILL)
        self._end_the_rest()

    def _watch(
        self, deadline: float, stopping: threading.Event, ended: threading.Event, outcome: list[Exception]
    ) -> None:
        while not ended.wait(0.1):
            if self.process.poll() is not None:
                # What it wrote last may still be read.
                if not ended.wait(OUTPUT_SECONDS):
                    self._end_the_rest()
                return
            if stopping.is_set():
                outcome.append(JobStopped())
            elif time.monotonic() > deadline:
                outcome.append(MaxRuntimeExceeded())
            else:
                continue
            self.terminate()
            return

    def _end_the_rest(self) -> None:
        self._signal(signal.SIGKILL)
        kill_all(self._mark)

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)


def write_json(file: Path, value: object) -> None:
    """Write a configuration file of the container contract."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(value, indent=1), encoding="utf-8")


def _die_with_parent() -> None:
    if hasattr(_LIBC, "prctl"):
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
