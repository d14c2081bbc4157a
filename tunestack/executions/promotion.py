"""Versions of another environment, asked for by hand: what an approval there starts by itself."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tunestack.aws import Aws, NotDeployedError
from tunestack.catalogue.regions import partition_of
from tunestack.errors import UserError
from tunestack.layout import PROMOTION_LOG_OUTPUT, PROMOTION_REQUEST, PROMOTION_REQUEST_SOURCE, StackName

# What the function says of a version that it refuses, and Lambda of an error that the function didn't expect.
_MARKS = ("not taken in: ", "[ERROR]")
# As long as a decision that failed lies in its queue.
_LOOKED_BACK = timedelta(days=14)


@dataclass(frozen=True, kw_only=True)
class PromotionView:
    """One promotion: an execution of the promotion pipeline, named after the version that it takes in."""

    name: str
    execution: str
    status: str
    started: str


@dataclass(frozen=True, kw_only=True)
class RefusalView:
    """What was not taken in, and when that was said last."""

    reason: str
    at: str


def source_version_arn(aws: Aws, number: str) -> str:
    """The ARN of a version of the environment that models come from, by its number.

    Raises:
        UserError: nothing is promoted here, or it is no number.
    """
    source = aws.settings.promoted_from
    if source is None:
        raise UserError(f"{aws.settings.file}: promotion.source names no environment that models come from")
    if not number.isdigit():
        raise UserError(f"VERSION must be a version's number in {source.names.environment}, got {number!r}")
    group = source.names.model_package_group
    partition = partition_of(source.region)
    return f"arn:{partition}:sagemaker:{source.region}:{source.account}:model-package/{group}/{number}"


def list_promotions(aws: Aws) -> list[PromotionView]:
    """The promotions to this environment, newest first; none where nothing is promoted here."""
    if aws.settings.promoted_from is None:
        return []
    pages = aws.sagemaker.get_paginator("list_pipeline_executions").paginate(
        PipelineName=aws.settings.names.promotion, SortBy="CreationTime", SortOrder="Descending"
    )
    return [
        PromotionView(
            name=item.get("PipelineExecutionDisplayName", ""),
            execution=item["PipelineExecutionArn"].rpartition("/")[2],
            status=item["PipelineExecutionStatus"],
            started=item["StartTime"].isoformat(timespec="seconds"),
        )
        for page in pages
        for item in page["PipelineExecutionSummaries"]
    ]


def list_refusals(aws: Aws) -> list[RefusalView]:
    """What the function that takes versions in refused in the last two weeks, newest first, each reason once.

    No execution tells of it: a version that isn't there, or isn't what it was, or a grant that is missing.
    """
    outputs = aws.outputs(StackName.PROMOTION) or {}
    if PROMOTION_LOG_OUTPUT not in outputs:
        return []
    since = datetime.now(UTC) - _LOOKED_BACK
    pages = (
        aws.client("logs")
        .get_paginator("filter_log_events")
        .paginate(
            logGroupName=outputs[PROMOTION_LOG_OUTPUT],
            startTime=int(since.timestamp() * 1000),
        )
    )
    newest: dict[str, float] = {}
    for event in (item for page in pages for item in page["events"]):
        if (reason := _reason(event["message"])) is None:
            continue
        newest[reason] = max(event["timestamp"], newest.get(reason, 0))
    return [
        RefusalView(reason=reason, at=datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="seconds"))
        for reason, at in sorted(newest.items(), key=lambda item: -item[1])
    ]


def _reason(message: str) -> str | None:
    """Why something was not taken in, by a line of the log; of a traceback the error; None of any other line."""
    mark = next((mark for mark in _MARKS if mark in message), None)
    return message.partition(mark)[2].splitlines()[0].rpartition("\t")[2].strip() if mark else None


def ask_for_promotion(aws: Aws, version_arn: str) -> None:
    """Have this environment take in a version of the one that its models come from; it must be approved there.

    Raises:
        NotDeployedError: nothing is promoted to this environment.
        UserError: the request was not taken.
    """
    if aws.outputs(StackName.PROMOTION) is None:
        name = aws.settings.names.stack(StackName.PROMOTION)
        raise NotDeployedError(
            f"no stack {name!r}: say promotion.source in {aws.settings.file}, and deploy it with "
            f"`cdk deploy --all -c env={aws.settings.name}`"
        )
    entry = {
        "EventBusName": aws.settings.names.promotion,
        "Source": PROMOTION_REQUEST_SOURCE,
        "DetailType": PROMOTION_REQUEST,
        "Detail": json.dumps({"ModelPackageArn": version_arn}),
    }
    answer = aws.client("events").put_events(Entries=[entry])
    if answer["FailedEntryCount"]:
        raise UserError(f"the request was not taken: {answer['Entries'][0].get('ErrorMessage')}")
