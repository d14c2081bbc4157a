"""What the service looks at before it accepts a request, and what it answers with: its shapes, and its rules."""

from collections.abc import Iterator, Mapping
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

from tunestack.definition.checks import CHECKS
from tunestack.definition.service_model import OPERATIONS, sagemaker
from tunestack.definition.shapes import check_shape
from tunestack.definition.subject import Subject
from tunestack.local.runner.errors import ApiError
from tunestack.permissions.arn import Owner

_RULES = tuple(check for check in CHECKS if check.KINDS)
_KINDS = {operation[0]: kind for kind, operation in OPERATIONS.items()}


# What a request may name by its ARN too.
_NAMED = ("ModelPackageGroupName", "PipelineName")


def check_call(action: str, request: dict[str, Any]) -> None:
    """Refuse a client's request whose action or members aren't the API's.

    Raises:
        ApiError: UnknownOperationException, or ValidationException with every problem.
    """
    if action not in sagemaker().operation_names:
        raise ApiError("UnknownOperationException", f"SageMaker has no {action or 'call without X-Amz-Target'}")
    _check_members(action, request)


def by_name(request: dict[str, Any]) -> dict[str, Any]:
    """A request with what it names by an ARN named by its name."""
    return {
        key: value.rpartition("/")[2] if key in _NAMED and value.startswith("arn:") else value
        for key, value in request.items()
    }


def owner_of(request: Mapping[str, Any]) -> Owner | None:
    """Whose the version or the group is that a request names by its ARN; None where it names none."""
    named = ("ModelPackageName", "ModelPackageArn", "ModelPackageGroupName")
    return next((owner for name in named if (owner := Owner.of(str(request.get(name, ""))))), None)


def check_request(action: str, request: dict[str, Any], *, model: Mapping[str, Any] | None = None) -> None:
    """Refuse what the API would refuse: unknown or missing members, wrong types, enums, patterns, lengths, its rules.

    `model` is that of a transform.

    Raises:
        ApiError: ValidationException, with every problem.
    """
    _check_members(action, request)
    if problems := list(_broken_rules(action, request, model)):
        raise ApiError("ValidationException", "; ".join(problems))


def shaped(action: str, answer: dict[str, Any]) -> dict[str, Any]:
    """An answer with the members that the API's answer has, and no others."""
    shape = sagemaker().operation_model(action).output_shape
    made = _shaped(shape, answer) if shape is not None else {}
    assert isinstance(made, dict)
    return made


def _check_members(action: str, request: dict[str, Any]) -> None:
    shape = sagemaker().operation_model(action).input_shape
    assert shape is not None
    if problems := [str(finding) for finding in check_shape(shape, request, action.removeprefix("Create"), {})]:
        raise ApiError("ValidationException", "; ".join(problems))


def _broken_rules(action: str, request: Mapping[str, Any], model: Mapping[str, Any] | None) -> Iterator[str]:
    kind = _KINDS.get(action)
    subject = Subject(entry={"Type": kind}, arguments=request, parameters={}, model=model)
    for check in _RULES:
        if kind in check.KINDS:
            for member, message in check.check(subject):
                yield f"{member}: {message}"


def _shaped(shape: Shape, value: Any) -> Any:
    if isinstance(shape, StructureShape):
        return {name: _shaped(shape.members[name], item) for name, item in value.items() if name in shape.members}
    if isinstance(shape, ListShape):
        return [_shaped(shape.member, item) for item in value]
    return {key: _shaped(shape.value, item) for key, item in value.items()} if isinstance(shape, MapShape) else value
