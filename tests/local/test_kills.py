"""The server is killed as each step begins: started again, it says so, and a retry goes on with nothing lost."""

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from demo import deployment
from tests.local.conftest import free_port, until, upload, wait
from tunestack.aws import Aws
from tunestack.executions.describe import ExecutionView, describe
from tunestack.executions.retry import retry
from tunestack.executions.start import start
from tunestack.local import LocalAws, lifecycle, local_aws
from tunestack.settings.loading import load_settings

pytestmark = pytest.mark.slow
STEPS = ("PrepareData", "FineTune", "EvaluateModels", "PackageModel", "BatchTransform")


def until_begun(aws: Aws, arn: str, step: str) -> None:
    def begun() -> bool:
        view = describe(aws, arn)
        assert view.status == "Executing", view
        return any(item.name == step for item in view.steps)

    until(begun, f"beginning of {step}")


def kill_and_start_again(local: LocalAws) -> None:
    pid, port = lifecycle.server_pid(local), local.port()
    assert pid is not None and port is not None
    os.kill(pid, signal.SIGKILL)
    time.sleep(0.5)
    lifecycle.up(local, port=port)


def test_a_server_that_is_killed_as_each_step_begins_loses_nothing(
    assembly: Any, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # GIVEN a local AWS of its own, and a run
    monkeypatch.chdir(tmp_path)
    local = local_aws(tmp_path)
    lifecycle.up(local, port=free_port())
    try:
        deployment.bootstrap(local)
        deployment.deploy(local, assembly("local").folder)
        arn = start(Aws(load_settings("local")), upload(Aws(load_settings("local")), tiny_model, tmp_path))
        ended: list[ExecutionView] = []
        # WHEN it is killed as each step begins, and the run is retried
        for step in STEPS:
            until_begun(Aws(load_settings("local")), arn, step)
            kill_and_start_again(local)
            aws = Aws(load_settings("local"))
            ended.append(describe(aws, arn))
            retry(aws, arn)
        # THEN each time it had failed in that very step, and said why, and in the end it has succeeded
        for step, view in zip(STEPS, ended, strict=True):
            failed = view.failed_step
            assert view.status == "Failed" and failed is not None and failed.name == step
            assert "the local AWS was stopped while this ran" in (failed.failure_reason or "")
        last = wait(Aws(load_settings("local")), arn)
        assert last.status == "Succeeded" and last.id == ended[0].id
        assert [item.name for item in last.steps if item.job_name] == [*STEPS]
    finally:
        lifecycle.down(local, delete_data=True)
