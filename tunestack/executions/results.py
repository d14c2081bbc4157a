"""What came of an execution: the evaluation's scores, and what base and tuned model answer, side by side."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tunestack.aws import Aws
from tunestack.executions.describe import ExecutionView, StepView
from tunestack.executions.errors import ExecutionError
from tunestack.jobs import EVALUATE, TRAIN, TRANSFORM, Job
from tunestack.layout import S3Uri

# What training_code leaves beside the evaluation's scores, and beside the adapter.
ANSWERS_FILE, HISTORY_FILE = "answers.jsonl", "metrics.json"
# Among the scores: the digests of what was judged.
_DIGESTS = "sha256"
# And what they say of the gate's limits.
GATE = "gate"


@dataclass(frozen=True, kw_only=True)
class Answered:
    """One question with what both models say to it; `wanted` is known of held-out rows, None is what wasn't asked.

    `error` says why the transform could not answer.
    """

    of: str
    question: str
    wanted: str | None = None
    base: str | None = None
    tuned: str | None = None
    error: str | None = None


def evaluation(aws: Aws, view: ExecutionView) -> dict[str, Any]:
    """What the evaluation left: the scores by set, and under `gate` what they say of its limits.

    Raises:
        ExecutionError: it hasn't been evaluated.
    """
    folder = _output(view, EVALUATE)
    assert EVALUATE.writes[0].property_file is not None
    found: dict[str, Any] = json.loads(_read(aws, f"{folder}/{EVALUATE.writes[0].property_file}"))
    return found


def scores(aws: Aws, view: ExecutionView) -> dict[str, Any]:
    """The evaluation's scores, by set.

    Raises:
        ExecutionError: it hasn't been evaluated.
    """
    return sets_of(evaluation(aws, view))


def sets_of(found: Mapping[str, Any]) -> dict[str, Any]:
    """The scores by set, of what an evaluation left."""
    return {name: figures for name, figures in found.items() if name not in (_DIGESTS, GATE)}


def right_in_words(figures: Mapping[str, Any]) -> str | None:
    """How many answers of a set are right, base and tuned, of how many; None where none was asked for."""
    if not figures.get("answered"):
        return None
    base, tuned = (figures[version]["right"] for version in ("base", "tuned"))
    return f"{base} → {tuned} of {figures['answered']}"


def gate_in_words(found: Mapping[str, Any]) -> str | None:
    """What an evaluation says of the gate's limits, and why it isn't passed; None of one by an older version."""
    gate = found.get(GATE)
    if gate is None:
        return None
    reasons = [
        f"{name} is {item['low']:.4g} to {item['high']:.4g} (95 %) where {item['limit']:g} is asked"
        + (f", on {item['few_rows']} rows: too few to say" if item["few_rows"] else "")
        for name, item in gate["limits"].items()
        if item["verdict"] != "passed"
    ]
    return "; ".join([gate["verdict"], *reasons])


def answers(aws: Aws, view: ExecutionView) -> list[Answered]:
    """Held-out rows and the user's questions, with the answers that there are.

    Raises:
        ExecutionError: it hasn't been evaluated.
    """
    kept = [json.loads(line) for line in _read(aws, f"{_output(view, EVALUATE)}/{ANSWERS_FILE}").splitlines()]
    heldout = [
        Answered(
            of="heldout",
            question=_last_text(item["question"]),
            wanted=item["wanted"],
            base=item["base"],
            tuned=item["tuned"],
        )
        for item in kept
        if item["set"] == "heldout"
    ]
    asked = {(item["file"], item["line"]): item for item in kept if item["set"] == "questions"}
    return heldout + list(_questions(aws, view, asked))


def training_history(aws: Aws, view: ExecutionView) -> list[dict[str, float]]:
    """The training's metrics by step; empty where it hasn't ended well."""
    try:
        return list(json.loads(_read(aws, f"{_output(view, TRAIN)}/{HISTORY_FILE}")))
    except ExecutionError:
        return []


def _questions(aws: Aws, view: ExecutionView, asked: dict[tuple[str, int], Any]) -> Iterator[Answered]:
    """The user's questions: the tuned model's answer is the transform's, where it has run."""
    transform = _step(view, TRANSFORM)
    if transform is None or transform.status != "Succeeded":
        for item in asked.values():
            yield Answered(
                of="questions", question=_last_text(item["question"]), base=item["base"], tuned=item["tuned"]
            )
        return
    if not {"data"} <= transform.inputs.keys() or not {"answers"} <= transform.outputs.keys():
        raise ExecutionError(f"the job of {TRANSFORM.step} isn't there any more: what it answered can't be found")
    folder, outputs = _folder(transform.inputs["data"]), _files(aws, transform.outputs["answers"])
    for file in _files(aws, transform.inputs["data"]):
        name = file.removeprefix(folder)
        lines, answered = _lines(_read(aws, file)), _lines(_read(aws, _answered_in(name, outputs)))
        if len(lines) != len(answered):
            raise ExecutionError(f"{file} has {len(lines)} lines and its answers {len(answered)}: it was changed since")
        for number, (line, answer) in enumerate(zip(lines, answered, strict=True), start=1):
            given = json.loads(answer)
            item = asked.get((name, number), {})
            question = _last_text(item["question"]) if item else line.decode(errors="replace")
            yield Answered(
                of="questions",
                question=question,
                base=item.get("base"),
                tuned=given.get("response"),
                error=given.get("error"),
            )


def _folder(uri: str) -> str:
    """The folder of a prefix: what is named below it, keeps its name in the output."""
    return uri if uri.endswith("/") else f"{uri.rpartition('/')[0]}/"


def _answered_in(name: str, outputs: list[str]) -> str:
    """The output of a file: below the folders that it lay in, or without them.

    Raises:
        ExecutionError: there is none.
    """
    for wanted in (name, name.rpartition("/")[2]):
        if found := [output for output in outputs if output.endswith(f"/{wanted}.out")]:
            return found[0]
    raise ExecutionError(f"nothing was answered to {name}: its output isn't there, or was deleted")


def _step(view: ExecutionView, job: Job) -> StepView | None:
    return next((step for step in view.steps if step.name == job.step), None)


def _output(view: ExecutionView, job: Job) -> str:
    step = _step(view, job)
    if step is None or step.status != "Succeeded":
        state = f"it is {step.status}" if step else "it hasn't begun"
        raise ExecutionError(f"execution {view.id} has no result of {job.step}: {state}")
    name = job.writes[0].name
    if name not in step.outputs:
        raise ExecutionError(f"the job of {job.step} isn't there any more: its output can't be found")
    return step.outputs[name].rstrip("/")


def _last_text(conversation: list[dict[str, str]]) -> str:
    return conversation[-1]["content"]


def _lines(body: bytes) -> list[bytes]:
    return body.removesuffix(b"\n").split(b"\n")


def _files(aws: Aws, uri: str) -> list[str]:
    bucket, prefix = S3Uri.parse(uri)
    pages = aws.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
    return [str(S3Uri(bucket=bucket, key=key)) for key in keys if not key.endswith("/")]


def _read(aws: Aws, uri: str) -> bytes:
    bucket, key = S3Uri.parse(uri)
    try:
        body: bytes = aws.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    except aws.s3.exceptions.NoSuchKey:
        raise ExecutionError(f"nothing lies at {uri}: an older execution, or its files were deleted") from None
    return body
