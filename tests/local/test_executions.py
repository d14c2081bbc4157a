"""The main road on a tiny model: the deployed pipeline runs, is described, fails with reasons, stops and resumes."""

import json
import re
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.local.conftest import HANGS_AFTER_SECONDS, command, run, until, wait
from tunestack.aws import Aws
from tunestack.executions.describe import ExecutionView, describe
from tunestack.executions.errors import ExecutionError
from tunestack.executions.start import start
from tunestack.layout import CHECKPOINTS, Bucket, S3Uri
from tunestack.settings.problems import SettingsError

pytestmark = pytest.mark.slow


def lines(aws: Aws, uri: str) -> list[dict[str, str]]:
    bucket, key = S3Uri.parse(uri)
    body = aws.s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()
    return [json.loads(line) for line in body.splitlines()]


def test_every_step_of_the_deployed_pipeline_runs(succeeded: ExecutionView) -> None:
    assert succeeded.status == "Succeeded", succeeded.failed_step
    assert [step.name for step in succeeded.steps] == [
        "PrepareData",
        "FineTune",
        "EvaluateModels",
        "CheckGates",
        "PackageModel",
        "RegisterModel",
        "CreateModel",
        "BatchTransform",
    ]


def test_the_tuned_model_is_better_and_its_metrics_were_read_off_the_log(succeeded: ExecutionView) -> None:
    steps = {step.name: step for step in succeeded.steps}
    assert "heldout.loss_ratio 0." in (steps["EvaluateModels"].message or "")
    assert {"train:loss", "eval:loss", "train:learning_rate"} <= set(steps["FineTune"].metrics)


def test_the_version_is_registered_pending_with_metrics_and_where_it_came_from(
    succeeded: ExecutionView, deployer: Aws, uploaded: dict[str, str]
) -> None:
    arn = next(step for step in succeeded.steps if step.name == "RegisterModel").outputs["RegisterModel"]
    package = deployer.sagemaker.describe_model_package(ModelPackageName=arn)
    # Other tests of the session decide on it; what it was registered as is in the definition that ran.
    ran = deployer.sagemaker.describe_pipeline_definition_for_execution(PipelineExecutionArn=succeeded.arn)
    assert '"ModelApprovalStatus": "PendingManualApproval"' in json.dumps(json.loads(ran["PipelineDefinition"]))
    assert package["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"].endswith("/evaluation.json")
    assert package["CustomerMetadataProperties"]["data_uri"] == uploaded["DataUri"]
    metadata = package["CustomerMetadataProperties"]
    # Too few rows to say: it waits for a person, and isn't called passed.
    assert metadata["gate"] == "undecided"
    assert re.fullmatch(
        r"right \d+ of \d+ base \d+ heldout\.loss_ratio [\d.]+ = [\d.]+ / [\d.]+ on \d+ rows - general\.loss_ratio .* - "
        r"gate undecided: heldout\.loss_ratio on \d+ rows where 20 say enough",
        metadata["evaluation"],
    )


def test_each_line_of_the_batch_has_its_answer_in_order(succeeded: ExecutionView, deployed: Aws) -> None:
    answers = next(step for step in succeeded.steps if step.name == "BatchTransform").outputs["answers"]
    kinds = [min(item.keys() - {"cut_off"}) for item in lines(deployed, f"{answers}/questions.jsonl.out")]
    assert kinds == ["response", "error", "response"]


def test_the_model_is_isolated_and_one_archive(succeeded: ExecutionView, deployer: Aws) -> None:
    arn = next(step for step in succeeded.steps if step.name == "CreateModel").outputs["Model"]
    model = deployer.sagemaker.describe_model(ModelName=arn.rpartition("/")[2])
    assert model["EnableNetworkIsolation"] is True
    assert model["PrimaryContainer"]["ModelDataUrl"].endswith("/model.tar.gz")


def test_outputs_are_encrypted_with_the_environments_key(succeeded: ExecutionView, deployed: Aws) -> None:
    steps = {step.name: step for step in succeeded.steps}
    places = [steps["PrepareData"].outputs["train"] + "/rows.jsonl", steps["FineTune"].outputs["model"] + "recipe.json"]
    for uri in places:
        bucket, key = S3Uri.parse(uri)
        found = deployed.s3.head_object(Bucket=bucket, Key=key)
        assert found["SSEKMSKeyId"] == deployed.key_arn


def test_the_commands_show_the_execution(succeeded: ExecutionView) -> None:
    listed = json.loads(command("executions", "--json").output)
    assert succeeded.id in [item["id"] for item in listed]
    shown = command("describe", succeeded.id)
    assert shown.exit_code == 0 and "FineTune" in shown.output and "train:loss" in shown.output
    assert json.loads(command("describe", succeeded.id, "--json").output)["status"] == "Succeeded"
    log = command("logs", succeeded.id, "FineTune")
    assert "trainable parameters" in log.output and "adapter saved" in log.output
    assert command("logs", succeeded.id, "FineTun").exception is not None


def test_estimate_and_fact_are_compared_and_what_was_off_is_said(succeeded: ExecutionView) -> None:
    found = json.loads(command("cost", "actual", succeeded.id, "--json").output)
    assert [step["step"] for step in found["steps"]] == [
        "PrepareData",
        "FineTune",
        "EvaluateModels",
        "PackageModel",
        "BatchTransform",
    ]
    training = found["steps"][1]
    assert training["billed_usd"] == pytest.approx(training["billed_hours"] * 1.515)
    assert found["billed_usd"] == pytest.approx(sum(step["billed_usd"] for step in found["steps"]))
    assert any("tokens were assumed" in line or "were assumed" in line for line in found["findings"])
    assert "FineTune" in command("cost", "actual", succeeded.id).output


def test_what_an_execution_was_to_cost_is_read_from_the_definition_that_it_ran(
    succeeded: ExecutionView, deployed: Aws, deployer: Aws
) -> None:
    before = json.loads(command("cost", "actual", succeeded.id, "--json").output)
    definition = deployer.sagemaker.describe_pipeline(PipelineName=deployed.pipeline_name)["PipelineDefinition"]
    larger = definition.replace('"ml.g5.2xlarge"', '"ml.g5.12xlarge"')
    assert larger != definition
    deployer.sagemaker.update_pipeline(PipelineName=deployed.pipeline_name, PipelineDefinition=larger)
    try:
        after = json.loads(command("cost", "actual", succeeded.id, "--json").output)
    finally:
        deployer.sagemaker.update_pipeline(PipelineName=deployed.pipeline_name, PipelineDefinition=definition)
    assert after["steps"] == before["steps"]


def test_a_gate_that_is_not_passed_ends_with_metric_value_and_threshold(
    deployed: Aws, deployer: Aws, uploaded: dict[str, str]
) -> None:
    packages = deployer.sagemaker.list_model_packages(ModelPackageGroupName=deployed.model_package_group_name)
    view = run(deployed, {**uploaded, "MaxHeldoutLossRatio": "0.01", "MaxSteps": "2"})
    assert view.status == "Failed"
    failed = view.failed_step
    assert failed is not None and failed.name == "RejectModel"
    reason = failed.failure_reason or ""
    assert "heldout.loss_ratio 0." in reason and "at most 0.01 (MaxHeldoutLossRatio)" in reason
    after = deployer.sagemaker.list_model_packages(ModelPackageGroupName=deployed.model_package_group_name)
    assert len(after["ModelPackageSummaryList"]) == len(packages["ModelPackageSummaryList"])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'{"instruction": "a", "response": "b"}\n{"instru', "half-written: line 2"),
        (b'{"question": "a"}\n' * 5, "5 of 5 rows are rejected"),
    ],
)
def test_bad_data_fails_the_first_step_with_one_reason_and_what_helps(
    content: bytes, reason: str, deployed: Aws, uploaded: dict[str, str]
) -> None:
    bucket = deployed.bucket(Bucket.RAW_DATA)
    deployed.s3.put_object(Bucket=bucket, Key="datasets/bad/x/rows.jsonl", Body=content)
    view = run(deployed, {**uploaded, "DataUri": f"s3://{bucket}/datasets/bad/x/"})
    failed = view.failed_step
    assert failed is not None and failed.name == "PrepareData"
    assert reason in (failed.failure_reason or "") and failed.advice
    log = command("logs", view.id)
    assert reason in log.output


def test_an_input_that_is_not_uploaded_is_named_before_anything_starts(deployed: Aws, uploaded: dict[str, str]) -> None:
    uri = f"s3://{deployed.bucket(Bucket.RAW_DATA)}/datasets/none/"
    with pytest.raises(ExecutionError, match=f"DataUri: nothing lies under {uri}; upload it with `tunestack data add"):
        start(deployed, {**uploaded, "DataUri": uri})


def test_a_run_that_would_not_fit_is_refused_before_anything_starts(deployed: Aws, uploaded: dict[str, str]) -> None:
    before = len(json.loads(command("executions", "--json").output))
    huge = {**uploaded, "MaxLength": "1000000", "PerDeviceTrainBatchSize": "1024"}
    with pytest.raises(SettingsError, match=r"jobs\.train: ml\.g5\.2xlarge: the training needs .* GiB"):
        start(deployed, huge)
    assert len(json.loads(command("executions", "--json").output)) == before


def test_a_run_beyond_the_month_s_budget_is_refused_with_what_was_deployed_and_started(
    succeeded: ExecutionView, deployed: Aws, uploaded: dict[str, str]
) -> None:
    environment = deployed.settings.environment
    budget = environment.budget.model_copy(update={"month_usd": 0.01})
    poor = Aws(replace(deployed.settings, environment=environment.model_copy(update={"budget": budget})))
    with pytest.raises(SettingsError, match=r"budget\.month_usd: with this run at .* earlier runs at about"):
        start(poor, uploaded)


def test_more_tokens_than_the_model_has_positions_for_are_refused(deployed: Aws, uploaded: dict[str, str]) -> None:
    with pytest.raises(
        SettingsError, match=r"training\.max_length 100000 is more than the model has positions for: \d+"
    ):
        start(deployed, {**uploaded, "MaxLength": "100000"})


def test_a_check_that_was_waived_stays_recorded_with_the_execution(deployed: Aws, uploaded: dict[str, str]) -> None:
    environment = deployed.settings.environment
    budget = environment.budget.model_copy(update={"run_usd": 0.01})
    poor = Aws(replace(deployed.settings, environment=environment.model_copy(update={"budget": budget})))
    arn = start(poor, uploaded, allow=["budget"])
    deployed.sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn, ClientRequestToken="recorded".ljust(32, "-"))
    described = deployed.sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
    assert "waived by --allow budget: config/local.yaml: budget.run_usd" in described["PipelineExecutionDescription"]
    wait(deployed, arn)


def test_a_fresh_run_has_checkpoints_of_its_own_and_is_stopped_by_the_command(
    deployed: Aws, uploaded: dict[str, str]
) -> None:
    def keys(*, fresh: bool = False) -> str:
        arn = start(deployed, {**uploaded, "MaxSteps": "3000"}, fresh=fresh)
        stopped = command("stop", arn, "--json")
        assert stopped.exit_code == 0 and json.loads(stopped.output)["status"] == "Stopped"
        return str(json.loads(stopped.output)["parameters"]["CheckpointKey"])

    usual, fresh = keys(), keys(fresh=True)
    assert fresh.startswith(f"{usual}-") and fresh != keys(fresh=True)
    again = command("stop")
    assert again.exit_code == 1 and "can't be stopped: the execution is Stopped" in str(again.exception)


def test_wrong_parameters_are_refused_together_before_anything_starts(deployed: Aws) -> None:
    with pytest.raises(ExecutionError) as error:
        start(
            deployed,
            {
                "LearningRat": "1",
                "MaxSteps": "many",
                "LoraR": "0",
                "TrainInstanceType": "ml.g5.2xlrge",
                "DataUri": "x",
                "CheckpointKey": " ",
            },
        )
    assert str(error.value).splitlines() == [
        "unknown parameter 'LearningRat'; did you mean 'LearningRate'?",
        "MaxSteps must be of type Integer, got 'many'",
        "LoraR must be at least 1, got 0",
        "TrainInstanceType must be one of ml.g5.2xlarge, ml.g5.xlarge, ml.g5.4xlarge, ml.g6e.2xlarge, got "
        "'ml.g5.2xlrge'; did you mean 'ml.g5.2xlarge'?",
        "DataUri must be an S3 URI, got 'x'",
        "CheckpointKey must not be empty",
    ]


def test_ctrl_c_stops_the_execution_names_the_step_and_the_next_run_resumes(
    deployed: Aws, uploaded: dict[str, str], project: Path
) -> None:
    # GIVEN a long training that is interrupted once it has a checkpoint
    parameters = {**uploaded, "MaxSteps": "3000", "Seed": "7"}
    arguments = [part for name, value in parameters.items() for part in ("--param", f"{name}={value}")]
    before = _manifests(deployed)
    client = subprocess.Popen(
        # A shell that runs the tests in the background has its children ignore Ctrl-C.
        ["env", "--default-signal=INT", sys.executable, "-m", "tunestack.cli.main", "run", *arguments],
        cwd=project,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    _wait_for_checkpoint(deployed, before)
    client.send_signal(signal.SIGINT)
    _, errors = client.communicate(timeout=HANGS_AFTER_SECONDS)
    # THEN the command says what was stopped, and the execution ends stopped
    assert client.returncode == 1
    assert "is being stopped in step FineTune" in errors
    view = wait(deployed, describe(deployed, "latest").arn)
    assert view.status == "Stopped"
    # WHEN the same run is started again, with a step more being no other training
    arn = start(deployed, parameters)
    log = _wait_for_log(deployed, arn, "resuming from checkpoint-")
    deployed.sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn, ClientRequestToken="x" * 32)
    assert wait(deployed, arn).status == "Stopped"
    assert "resuming from checkpoint-" in log


def _manifests(aws: Aws) -> set[str]:
    found = aws.s3.list_objects_v2(Bucket=aws.bucket(CHECKPOINTS.bucket), Prefix=CHECKPOINTS.key(""))
    return {item["Key"] for item in found.get("Contents", []) if item["Key"].endswith("manifest.json")}


def _wait_for_checkpoint(aws: Aws, before: set[str]) -> None:
    until(lambda: _manifests(aws) - before, "checkpoint")


def _wait_for_log(aws: Aws, arn: str, text: str) -> str:
    def shown() -> str:
        log: str = command("logs", arn, "FineTune").output
        return log if text in log else ""

    return str(until(shown, f"line {text!r} in the log"))
