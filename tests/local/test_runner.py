"""The runner's parts: expressions, parameters, containers, and what a restart makes of interrupted work."""

import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests.local.conftest import until
from tunestack.definition.scope import Scope
from tunestack.local.authorization.credentials import Credentials
from tunestack.local.runner import container, processes
from tunestack.local.runner.clients import Clients
from tunestack.local.runner.container import RunningContainer
from tunestack.local.runner.errors import ApiError, JobFailure, JobStopped
from tunestack.local.runner.parameters import parameter_values
from tunestack.local.runner.steps import run_step
from tunestack.local.runner.store import Store
from tunestack.local.runner.transform_job import _batches


def scope(**files: Any) -> Scope:
    return Scope(
        parameters={"Rate": 0.0003, "Steps": 7, "Name": "x"},
        execution={"PipelineExecutionId": "abc"},
        outcomes={
            "Train": {"ModelArtifacts": {"S3ModelArtifacts": "s3://b/m"}},
            "Evaluate": {
                "ProcessingOutputConfig": {"Outputs": [{"OutputName": "out", "S3Output": {"S3Uri": "s3://b/e"}}]}
            },
        },
        property_files={("Evaluate", "File"): {"OutputName": "out", "FilePath": "e.json"}},
        read_file=lambda uri: json.dumps(files[uri]).encode(),
    )


def get(path: str) -> dict[str, str]:
    return {"Get": path}


def json_get(path: str) -> dict[str, Any]:
    return {"Std:JsonGet": {"PropertyFile": get("Steps.Evaluate.PropertyFiles.File"), "Path": path}}


def test_expressions_take_their_values() -> None:
    found = scope(**{"s3://b/e/e.json": {"a": {"b": 0.9}}})
    joined = {
        "Std:Join": {"On": "/", "Values": ["s3://b", get("Execution.PipelineExecutionId"), get("Parameters.Rate")]}
    }
    value = {"x": [joined, get("Parameters.Steps")], "y": get("Steps.Train.ModelArtifacts.S3ModelArtifacts")}
    assert found.resolve(value) == {"x": ["s3://b/abc/0.0003", 7], "y": "s3://b/m"}
    assert found.resolve(json_get("a.b")) == 0.9
    assert found.resolve(get("Steps.Evaluate.ProcessingOutputConfig.Outputs['out'].S3Output.S3Uri")) == "s3://b/e"


@pytest.mark.parametrize("value", [json_get("a.c"), get("Steps.Train.FailureReason")])
def test_a_value_that_is_not_there_fails_the_step_with_its_name(value: Any) -> None:
    found = scope(**{"s3://b/e/e.json": {"a": {}}})
    entry = {"Name": "Step", "Type": "Fail", "Arguments": {"ErrorMessage": value}}
    with pytest.raises(JobFailure, match="^ClientError: .*(nothing at 'a.c'|Steps.Train.FailureReason has no value)"):
        run_step(
            entry, execution_id="abc", scope=found, sagemaker=None,  # type: ignore[arg-type]
            stopping=lambda: False, on_start=lambda _: None,
        )  # fmt: skip


def test_clients_of_different_roles_share_what_is_large_and_have_credentials_of_their_own() -> None:
    made = [
        Clients(endpoint_url="http://localhost:1", credentials=Credentials.of_account(account), region="us-east-1").s3
        for account in ("111111111111", "222222222222")
    ]
    signers: Any = [client._request_signer for client in made]
    assert [signer._credentials.access_key for signer in signers] == ["111111111111", "222222222222"]
    one, other = (client.meta.service_model for client in made)
    # Megabytes for each job, otherwise.
    assert one._service_description is other._service_description


DECLARED: list[dict[str, Any]] = [
    {"Name": "Steps", "Type": "Integer", "DefaultValue": 1},
    {"Name": "Kind", "Type": "String", "DefaultValue": "a", "EnumValues": ["a", "b"]},
    {"Name": "Needed", "Type": "Float"},
]


def test_parameters_take_the_given_value_or_their_default() -> None:
    given = [{"Name": "Needed", "Value": "2.5"}, {"Name": "Kind", "Value": "b"}]
    assert parameter_values(DECLARED, given) == {"Steps": 1, "Kind": "b", "Needed": 2.5}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"Neded": "1"}, "Unknown parameter 'Neded'; did you mean 'Needed'?"),
        ({}, "'Needed' has no default"),
        ({"Needed": "x"}, "must be of type Float"),
        ({"Needed": "1", "Kind": "c"}, "must be one of a, b, got 'c'"),
    ],
)
def test_wrong_parameters_are_refused_as_the_service_does(given: dict[str, str], message: str) -> None:
    with pytest.raises(ApiError, match=message.replace("?", r"\?")):
        parameter_values(DECLARED, [{"Name": name, "Value": value} for name, value in given.items()])


def shell(script: str) -> RunningContainer:
    return RunningContainer(["/bin/sh", "-c", script], environment={}, kind="test")


def test_a_container_gives_its_lines_and_its_exit_code() -> None:
    lines: list[str] = []
    code = shell("echo one; echo two >&2; exit 3").run(
        on_line=lines.append, max_runtime_seconds=10, stopping=threading.Event()
    )
    assert (lines, code) == (["one", "two"], 3)


def test_a_container_that_runs_too_long_is_told_to_stop() -> None:
    with pytest.raises(JobFailure, match="MaxRuntimeInSeconds"):
        shell("sleep 30").run(on_line=print, max_runtime_seconds=0.2, stopping=threading.Event())


def test_a_stopped_container_gets_sigterm_and_can_end_in_order() -> None:
    lines: list[str] = []
    stopping = threading.Event()
    threading.Timer(0.3, stopping.set).start()
    script = "trap 'echo saved; exit 143' TERM; echo up; while true; do sleep 0.05; done"
    with pytest.raises(JobStopped):
        shell(script).run(on_line=lines.append, max_runtime_seconds=20, stopping=stopping)
    assert (lines[0], lines[-1]) == ("up", "saved")


# A process that goes on by itself, in the container's own session or in one of its own, with the output in its hand.
LEFT = {
    "in its session": "(trap '' TERM HUP; exec sleep 60) &",
    "in one of its own": "setsid sh -c 'trap \"\" TERM HUP; exec sleep 60' &",
}


def is_gone(found: RunningContainer) -> bool:
    """Whether nothing of a container is left; what is killed takes a moment to end."""
    return bool(until(lambda: not list(processes._marked(found._mark)), "end of what a container left"))


@pytest.mark.parametrize("left", LEFT.values(), ids=LEFT)
def test_what_a_container_leaves_behind_ends_with_it_and_holds_nobody_up(
    left: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(container, "OUTPUT_SECONDS", 0.2)
    lines: list[str] = []
    found = shell(f"{left} echo done; exit 3")
    code = found.run(on_line=lines.append, max_runtime_seconds=50, stopping=threading.Event())
    assert "done" in lines and code == 3
    assert is_gone(found)


@pytest.mark.parametrize("left", LEFT.values(), ids=LEFT)
@pytest.mark.parametrize("ends", ["by the clock", "by somebody"])
def test_what_a_container_leaves_behind_outlives_neither_its_time_nor_a_stop(left: str, ends: str) -> None:
    found, stopping = shell(f"{left} sleep 60"), threading.Event()
    if ends == "by somebody":
        stopping.set()
    with pytest.raises((JobStopped, JobFailure)):
        found.run(on_line=print, max_runtime_seconds=0.3, stopping=stopping)
    assert is_gone(found)


def test_what_a_killed_server_was_running_is_failed_at_the_next_start(tmp_path: Path) -> None:
    store = Store(tmp_path)
    step = {"StepName": "FineTune", "StepStatus": "Executing"}
    store.put("executions", "abc", {"Status": "Executing", "Steps": [step]})
    store.put("TrainingJob", "job", {"TrainingJobStatus": "InProgress"})
    again = Store(tmp_path)
    again.fail_what_was_interrupted(time.time())
    execution = Store(tmp_path).get("executions", "abc")
    assert execution is not None and execution["Status"] == "Failed"
    assert "resumes from its checkpoint" in execution["Steps"][0]["FailureReason"]
    job = Store(tmp_path).get("TrainingJob", "job")
    assert job is not None and job["TrainingJobStatus"] == "Failed"


def test_lines_are_batched_by_size_and_a_larger_one_is_named() -> None:
    assert list(_batches(b"aa\nbb\ncc\n", 6, "k", single=False)) == [b"aa\nbb\n", b"cc\n"]
    assert list(_batches(b"aa\nbb\ncc\n", 6, "k", single=True)) == [b"aa\n", b"bb\n", b"cc\n"]
    with pytest.raises(JobFailure, match="larger than MaxPayloadInMB"):
        list(_batches(b"aaaaaaaa\n", 6, "k", single=True))


EQUAL, UNEQUAL = ({"Type": "Equals", "LeftValue": get("Parameters.Steps"), "RightValue": value} for value in (7, 8))


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        (EQUAL, True), (UNEQUAL, False),
        ({"Type": "Not", "Condition": UNEQUAL}, True), ({"Type": "Not", "Expression": EQUAL}, False),
        ({"Type": "Or", "Conditions": [UNEQUAL, EQUAL]}, True), ({"Type": "Or", "Conditions": [UNEQUAL]}, False),
        ({"Type": "In", "QueryValue": get("Parameters.Name"), "Values": ["y", "x"]}, True),
        ({"Type": "In", "QueryValue": get("Parameters.Name"), "Values": ["y"]}, False),
    ],
)  # fmt: skip
def test_a_condition_is_decided_by_its_operator(condition: dict[str, Any], holds: bool) -> None:
    entry = {"Name": "Gate", "Type": "Condition", "Arguments": {"Conditions": [condition]}}
    outcome = run_step(
        entry, execution_id="e", scope=scope(), sagemaker=None,  # type: ignore[arg-type]
        stopping=lambda: False, on_start=lambda _: None,
    )  # fmt: skip
    assert outcome.branch_taken is holds
