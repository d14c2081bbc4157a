"""Lists and searches: jobs, executions and what moto keeps, filtered, sorted and paged as the API says."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from botocore.model import StructureShape

from tunestack.definition.service_model import sagemaker
from tunestack.job_api import APIS
from tunestack.local.emulator.caller import Caller
from tunestack.local.runner.errors import ApiError

Request = dict[str, Any]
# Items of a page where the caller doesn't say.
PAGE = 10
_TIMES = {
    "CreationTimeAfter": ("CreationTime", True),
    "CreationTimeBefore": ("CreationTime", False),
    "LastModifiedTimeAfter": ("LastModifiedTime", True),
    "LastModifiedTimeBefore": ("LastModifiedTime", False),
}
# What moto keeps and Search finds, with the member of the List call's answer that holds it.
_LISTED = {"ModelPackageGroup": "ModelPackageGroupSummaryList", "Pipeline": "PipelineSummaries"}
_COMPARE: dict[str, Callable[[Any, str], bool]] = {
    "Equals": lambda found, wanted: _text(found) == wanted,
    "NotEquals": lambda found, wanted: _text(found) != wanted,
    "Contains": lambda found, wanted: wanted in _text(found),
    "In": lambda found, wanted: _text(found) in wanted.split(","),
    "Exists": lambda found, _: found is not None,
    "NotExists": lambda found, _: found is None,
    "GreaterThan": lambda found, wanted: found is not None and float(found) > float(wanted),
    "GreaterThanOrEqualTo": lambda found, wanted: found is not None and float(found) >= float(wanted),
    "LessThan": lambda found, wanted: found is not None and float(found) < float(wanted),
    "LessThanOrEqualTo": lambda found, wanted: found is not None and float(found) <= float(wanted),
}


class ListCalls:
    """The calls that look for jobs, for one caller (an AccountSageMaker)."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def actions(self) -> dict[str, Callable[[Request], Request]]:
        """The calls by the API's names."""
        lists = {f"List{api.noun}s": partial(self._list_jobs, api.noun) for api in APIS}
        return {**lists, "Search": self._search}

    def _list_jobs(self, noun: str, request: Request) -> Request:
        found = [record for record in self._jobs(noun) if _passes(record, noun, request)]
        key = {"Name": f"{noun}Name", "Status": f"{noun}Status"}.get(request.get("SortBy", ""), "CreationTime")
        found.sort(key=lambda record: record[key], reverse=request.get("SortOrder", "Descending") != "Ascending")
        members = _summary_members(noun)
        summaries = [{name: record[name] for name in members if name in record} for record in found]
        return page(f"{noun}Summaries", summaries, request)

    def _search(self, request: Request) -> Request:
        resource = request["Resource"]
        kinds: dict[str, Callable[[], Iterator[Request]]] = {
            "TrainingJob": partial(self._jobs, "TrainingJob"),
            "PipelineExecution": self._executions,
            "ModelPackage": self._versions,
            **{kind: partial(self._described, kind) for kind in _LISTED},
        }
        if resource not in kinds:
            raise ApiError("UnsupportedOperation", f"the local AWS searches {', '.join(kinds)}, not {resource}")
        found = [record for record in kinds[resource]() if _matches(record, request.get("SearchExpression", {}))]
        by = request.get("SortBy", "LastModifiedTime")
        found.sort(key=lambda record: _text(_value(record, by)), reverse=request.get("SortOrder") != "Ascending")
        members = sagemaker().shape_for(resource).members
        results = [{resource: {name: record[name] for name in members if name in record}} for record in found]
        return page("Results", results, request) | {"TotalHits": {"Value": len(found), "Relation": "EqualTo"}}

    def _jobs(self, noun: str) -> Iterator[Request]:
        place = f":{self._caller.region}:{self._caller.account}:"
        return (record for record in self._caller.store.all(noun) if place in record[f"{noun}Arn"])

    def _executions(self) -> Iterator[Request]:
        for record in self._caller.store.all("executions"):
            if (record["Account"], record["Region"]) == (self._caller.account, self._caller.region):
                yield {**record, "PipelineExecutionStatus": record["Status"]}

    def _described(self, kind: str) -> Iterator[Request]:
        """What moto keeps of a kind, as its Describe call tells it, with its tags."""
        call = self._caller.called_by_service().call
        for item in call(f"List{kind}s")[_LISTED[kind]]:
            described = call(f"Describe{kind}", **{f"{kind}Name": item[f"{kind}Name"]})
            yield {**described, **call("ListTags", ResourceArn=item[f"{kind}Arn"])}

    def _versions(self) -> Iterator[Request]:
        call = self._caller.called_by_service().call
        for group in self._described("ModelPackageGroup"):
            listed = call("ListModelPackages", ModelPackageGroupName=group["ModelPackageGroupName"])
            for item in listed["ModelPackageSummaryList"]:
                yield call("DescribeModelPackage", ModelPackageName=item["ModelPackageArn"])


def page(key: str, items: list[Request], request: Request) -> Request:
    """A page of a list, as the service gives it."""
    start, size = int(request.get("NextToken", 0)), request.get("MaxResults", PAGE)
    rest = {"NextToken": str(start + size)} if start + size < len(items) else {}
    return {key: items[start : start + size], **rest}


def _summary_members(noun: str) -> tuple[str, ...]:
    answer = sagemaker().operation_model(f"List{noun}s").output_shape
    assert isinstance(answer, StructureShape)
    return tuple(answer.members[f"{noun}Summaries"].member.members)


def _passes(record: Request, noun: str, request: Request) -> bool:
    if request.get("NameContains", "").lower() not in record[f"{noun}Name"].lower():
        return False
    if request.get("StatusEquals", record[f"{noun}Status"]) != record[f"{noun}Status"]:
        return False
    return all(
        (record[member] > request[name]) == after if name in request else True
        for name, (member, after) in _TIMES.items()
    )


def _matches(record: Request, expression: Request) -> bool:
    outcomes = [
        _COMPARE[item.get("Operator", "Equals")](_value(record, item["Name"]), item.get("Value", ""))
        for item in expression.get("Filters", [])
    ]
    outcomes += [_matches(record, item) for item in expression.get("SubExpressions", [])]
    return any(outcomes) if expression.get("Operator") == "Or" and outcomes else all(outcomes)


def _value(record: Any, dotted: str) -> Any:
    """A property by its path; a tag by its key (`Tags.KEY`)."""
    head, _, rest = dotted.partition(".")
    if head == "Tags":
        return next((tag["Value"] for tag in record.get("Tags", []) if tag["Key"] == rest), None)
    if not isinstance(record, dict):
        return None
    # A hyperparameter's own name may have dots.
    if dotted in record or not rest:
        return record.get(dotted)
    return _value(record.get(head), rest)


def _text(value: Any) -> str:
    return "" if value is None else str(value)
