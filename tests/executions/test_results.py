"""What came of an execution, where not everything is there any more, or lies below folders."""

from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest

from tests.executions.test_progress import STEP
from tunestack.definition.service_model import sagemaker
from tunestack.executions.actual import Actual, StepActual
from tunestack.executions.describe import ENDED, ExecutionView
from tunestack.executions.errors import ExecutionError
from tunestack.executions.results import answers, scores
from tunestack.jobs import EVALUATE, TRANSFORM

EVALUATED = replace(STEP, name=EVALUATE.step, status="Succeeded", outputs={"evaluation": "s3://b/eval"})
TRANSFORMED = replace(
    STEP,
    name=TRANSFORM.step,
    status="Succeeded",
    inputs={"data": "s3://b/in/"},
    outputs={"answers": "s3://b/out"},
)


class Bucket:
    """An environment's files, by key."""

    def __init__(self, files: dict[str, str]) -> None:
        self.files = files

    @property
    def s3(self) -> Any:
        return self

    exceptions = type("Exceptions", (), {"NoSuchKey": KeyError})

    def get_paginator(self, _: str) -> Any:
        return self

    def paginate(self, *, Prefix: str, **_: Any) -> list[dict[str, Any]]:  # noqa: N803 - the API's
        return [{"Contents": [{"Key": key} for key in self.files if key.startswith(Prefix)]}]

    def get_object(self, *, Key: str, **_: Any) -> dict[str, Any]:  # noqa: N803 - the API's
        return {"Body": BytesIO(self.files[Key].encode())}


def view(*steps: Any) -> ExecutionView:
    return ExecutionView(
        id="e", arn="arn", status="Succeeded", started="", seconds=1.0, failure_reason=None, parameters={},
        steps=list(steps),
    )  # fmt: skip


def found(files: dict[str, str], *steps: Any) -> list[tuple[str, str | None]]:
    aws: Any = Bucket({"eval/answers.jsonl": "", **files})
    return [(item.question, item.tuned) for item in answers(aws, view(*steps))]


@pytest.mark.parametrize("below", ["out/x/", "out/"])
def test_files_of_one_name_in_two_folders_keep_their_answers(below: str) -> None:
    files = {"in/x/q.jsonl": "one\n", f"{below}q.jsonl.out": '{"response": "1"}\n'}
    assert found(files, EVALUATED, TRANSFORMED) == [("one", "1")]
    more = {
        "in/y/q.jsonl": "two\n",
        "out/x/q.jsonl.out": files[f"{below}q.jsonl.out"],
        "out/y/q.jsonl.out": '{"response": "2"}\n',
    }
    assert found(files | more, EVALUATED, TRANSFORMED) == [("one", "1"), ("two", "2")]


@pytest.mark.parametrize(
    ("steps", "files", "reason"),
    [
        ([EVALUATED, TRANSFORMED], {"in/q.jsonl": "a\nb", "out/q.jsonl.out": "{}"}, "has 2 lines and its answers 1"),
        ([EVALUATED, TRANSFORMED], {"in/q.jsonl": "a"}, "nothing was answered to q.jsonl"),
        ([EVALUATED, replace(TRANSFORMED, inputs={})], {}, "isn't there any more"),
        ([replace(EVALUATED, outputs={})], {}, "isn't there any more"),
    ],
)
def test_what_is_gone_is_said_and_never_breaks(steps: list[Any], files: dict[str, str], reason: str) -> None:
    with pytest.raises(ExecutionError, match=reason):
        found(files, *steps)


def test_scores_are_there_without_the_answers() -> None:
    aws: Any = Bucket({"eval/evaluation.json": '{"heldout": {}, "sha256": {"adapter": "0"}}'})
    assert scores(aws, view(EVALUATED)) == {"heldout": {}}


def test_what_has_no_price_is_not_free() -> None:
    step = StepActual(
        step="FineTune",
        instance_type="ml.g5.2xlarge",
        expected_hours=1,
        billed_hours=1,
        expected_usd=None,
        billed_usd=None,
    )
    paid = replace(step, expected_usd=1.0, billed_usd=2.0)
    unknown, known = (Actual(execution="e", steps=steps, findings=()) for steps in ((step, paid), (paid, paid)))
    assert (unknown.expected_usd, unknown.billed_usd) == (None, None)
    assert (known.expected_usd, known.billed_usd) == (2.0, 4.0)


def test_every_end_that_the_api_knows_is_one() -> None:
    known = sagemaker().shape_for("PipelineExecutionStatus").enum
    assert set(known) - ENDED == {"Executing", "Stopping"}
