"""A local AWS of the tests' own, with every stack deployed into it by the real CDK command line."""

import json
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from click.testing import CliRunner

from demo import deployment
from tests.conftest import ROOT
from tunestack.aws import Aws
from tunestack.cli.main import tunestack
from tunestack.executions.describe import ENDED, ExecutionView, describe
from tunestack.executions.start import start
from tunestack.layout import StackName
from tunestack.local import LocalAws, lifecycle, local_aws
from tunestack.local.address import ACCOUNT
from tunestack.settings.loading import load_settings
from tunestack.uploads import add_batch_input, add_data_set, add_model

# A guard against what hangs, no measure of speed: nothing in a test takes that long, however busy the machine is.
HANGS_AFTER_SECONDS = 900


def until(found: Callable[[], Any], what: str) -> Any:
    """What is found, once it is."""
    deadline = time.monotonic() + HANGS_AFTER_SECONDS
    while time.monotonic() < deadline:
        if value := found():
            return value
        time.sleep(0.2)
    raise AssertionError(f"no {what}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def client(aws: LocalAws, service: str, account: str = ACCOUNT) -> Any:
    """A client of the account itself, which may do everything there."""
    session = boto3.Session(aws_access_key_id=account, aws_secret_access_key="x", region_name="us-east-1")
    return session.client(service, endpoint_url=aws.endpoint_url)


def physical_ids(aws: Aws, kind: str) -> list[str]:
    """The physical ids of the deployed resources of a type."""
    cloudformation = replace(aws, acts_as="deployer").client("cloudformation")
    found = []
    for stack in (stack for stack in StackName if aws.outputs(stack)):
        answer = cloudformation.list_stack_resources(StackName=aws.settings.names.stack(stack))
        found += [r["PhysicalResourceId"] for r in answer["StackResourceSummaries"] if r["ResourceType"] == kind]
    assert found, kind
    return found


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose `.tunestack` is the tests'; the commands run from there."""
    return tmp_path_factory.mktemp("project")


@pytest.fixture(scope="session")
def local(project: Path) -> Iterator[LocalAws]:
    """A running local AWS, bootstrapped."""
    aws = local_aws(project)
    lifecycle.up(aws, port=free_port())
    try:
        deployment.bootstrap(aws)
        yield aws
    finally:
        lifecycle.down(aws, delete_data=False)


@pytest.fixture(autouse=True)
def in_project(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)


@pytest.fixture(scope="session")
def deployed(local: LocalAws, assembly: Any, project: Path) -> Any:
    """The local environment, deployed; for who trains there."""
    deployment.deploy(local, assembly("local").folder)
    return Aws(load_settings("local"))


@pytest.fixture(scope="session")
def deployer(deployed: Aws) -> Aws:
    """The same, for who deployed it and may do everything."""
    return replace(deployed, acts_as="deployer")


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny-model")
    python = ROOT / ".venv-training" / "bin" / "python"
    subprocess.run(
        [python, ROOT / "tests" / "training_code" / "tiny_model.py", folder], check=True, capture_output=True
    )
    return folder


@pytest.fixture(scope="session")
def uploaded(deployed: Aws, tiny_model: Path, project: Path) -> dict[str, str]:
    """Model, data and questions in S3: the parameters that name them, and a short training."""
    os.chdir(project)
    return upload(deployed, tiny_model, project)


def upload(aws: Aws, model: Path, folder: Path) -> dict[str, str]:
    """What a run needs, from files in a folder: its parameters."""
    rows = [{"instruction": f"what does function {n} do", "response": f"return a list of {n} names"} for n in range(80)]
    data = folder / "rows.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    questions = folder / "questions.jsonl"
    questions.write_text('{"instruction": "what does function 3 do"}\n{broken\n{"instruction": "list names"}\n')
    return {
        "BaseModelUri": add_model(aws, model, name="tiny/model", revision="main"),
        "DataUri": add_data_set(aws, [data], name="rows"),
        "TransformInputUri": add_batch_input(aws, questions, name="rows"),
        "MaxSteps": "8",
        "LearningRate": "0.01",
        "PerDeviceTrainBatchSize": "2",
        "GradientAccumulationSteps": "1",
    }


def run(aws: Aws, parameters: dict[str, str]) -> ExecutionView:
    return wait(aws, start(aws, parameters))


def wait(aws: Aws, arn: str) -> ExecutionView:
    def ended() -> ExecutionView | None:
        view = describe(aws, arn)
        return view if view.status in ENDED else None

    found: ExecutionView = until(ended, f"end of the execution {arn}")
    return found


@pytest.fixture(scope="session")
def succeeded(deployed: Aws, uploaded: dict[str, str]) -> ExecutionView:
    return run(deployed, uploaded)


def _listed(value: Any) -> list[Any]:
    return [value] if isinstance(value, str) else list(value)


@contextmanager
def without(aws: Aws, role_part: str, action: str) -> Iterator[None]:
    """The environment with an action taken out of every statement of a role, for real."""
    iam = aws.client("iam")
    (role,) = [name for name in physical_ids(aws, "AWS::IAM::Role") if role_part in name]
    (policy,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
    document = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
    left = [
        {**item, "Action": [name for name in _listed(item["Action"]) if name != action]}
        for item in document["Statement"]
    ]
    left = [item for item in left if item["Action"]]
    assert left != document["Statement"]
    iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=json.dumps({**document, "Statement": left}))
    try:
        yield
    finally:
        iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=json.dumps(document))


def command(*arguments: str) -> Any:
    return CliRunner().invoke(tunestack, arguments)
