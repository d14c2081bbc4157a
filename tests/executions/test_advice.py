"""What helps against a failure is told by its cause, and a retry that can't help is refused before it is paid."""

from typing import Any

import pytest

from tunestack.executions import retry as retrying
from tunestack.executions.advice import advice_for, fails_again
from tunestack.executions.describe import ExecutionView, StepView
from tunestack.executions.errors import ExecutionError

REJECTED = "60 of 60 rows are rejected (100%, data.max_rejected_fraction allows 5%); the first: a.jsonl, line 1: {}"
# As SageMaker and the jobs say it, and a word of what helps.
REASONS = [
    (
        REJECTED.format("the model's chat template leaves out a part of the assistant's text: upload…"),
        "upload the model",
    ),
    (REJECTED.format("with 'label' a row is judged as good or bad: for KTO"), "fix the rows"),
    ("AlgorithmError: JobError: a.jsonl.gz is no gzip file, or half-written: Not a gzipped file", "fix the file"),
    ("ClientError: Failed to read the property file evaluation.json", "no figures that a gate can read"),
    ("ClientError: Data download failed: Please ensure that there is a route to S3 in the VPC", "gateway endpoint"),
    ("ClientError: ListObjectsV2 failed for s3://b/k", "gateway endpoint"),
    ("ThrottlingException: Rate exceeded", "retry` later"),
    ("InternalServerError: We encountered an internal error. Please try again.", "AWS's own"),
    ("AlgorithmError: Unable to get response from algorithm", "its log says why"),
    ("ClientError: An error occurred (ExpiredTokenException): ExpiredToken", "log in again"),
    ("ClientError: insufficient free addresses in subnet subnet-1", "subnets are full"),
    ("ClientError: KMS.DisabledException: arn:aws:kms:… is disabled", "the key is disabled"),
    ("ClientError: manifest unknown: Requested image not found", "deploy the images stack"),
    ("AlgorithmError: Watchdog caught collective operation timeout: NCCL", "the first error"),
    ("AlgorithmError: CUDA error: no kernel image is available for execution on the device", "torch_build"),
]


@pytest.mark.parametrize(("reason", "helps"), REASONS, ids=[reason[:40] for reason, _ in REASONS])
def test_what_helps_is_told_by_the_cause(reason: str, helps: str) -> None:
    assert helps in (advice_for(reason) or "")


def test_what_lies_in_the_data_fails_again_and_what_was_a_moment_s_does_not() -> None:
    assert fails_again(REJECTED.format("with 'label' a row is judged"))
    assert fails_again("the tuned model was not registered: heldout.loss_ratio 1.1")
    assert not fails_again("ThrottlingException: Rate exceeded")
    # Whoever uploads the model again has mended it where it lies.
    assert not fails_again(REJECTED.format("the model's chat template leaves out a part of the user's text"))
    assert not fails_again("nobody has seen this one")


def test_a_retry_that_can_only_fail_again_is_refused_but_for_anyway(monkeypatch: pytest.MonkeyPatch) -> None:
    reason = REJECTED.format("with 'label' a row is judged")
    step: Any = StepView.__new__(StepView)
    view: Any = ExecutionView.__new__(ExecutionView)
    for target, values in (
        (step, {"name": "PrepareData", "status": "Failed", "failure_reason": reason, "advice": advice_for(reason)}),
        (view, {"steps": [step]}),
    ):
        for name, value in values.items():
            object.__setattr__(target, name, value)
    asked: list[str] = []

    class Aws:
        class sagemaker:  # noqa: N801 - as the client is called
            @staticmethod
            def retry_pipeline_execution(**request: str) -> None:
                asked.append(request["PipelineExecutionArn"])

    aws: Any = Aws()
    monkeypatch.setattr(retrying, "find_execution", lambda aws, execution: "arn:x/1")
    monkeypatch.setattr(retrying, "describe", lambda aws, execution: view)
    with pytest.raises(ExecutionError, match="(?s)PrepareData would fail again.*fix the rows.*--anyway"):
        retrying.retry(aws, "latest")
    assert asked == []
    assert retrying.retry(aws, "latest", anyway=True) == "arn:x/1" and asked == ["arn:x/1"]
