"""What the service looks at before it accepts a request: botocore's own shapes, once nothing is left to resolve."""

from typing import Any

from tunestack.definition.service_model import sagemaker
from tunestack.definition.shapes import check_shape
from tunestack.local.runner.errors import ApiError


def check_request(action: str, request: dict[str, Any]) -> None:
    """Refuse what the API would refuse: unknown or missing members, wrong types, enums, patterns, lengths.

    Raises:
        ApiError: ValidationException, with every problem.
    """
    shape = sagemaker().operation_model(action).input_shape
    assert shape is not None
    problems = [str(finding) for finding in check_shape(shape, request, action.removeprefix("Create"), {})]
    if problems:
        raise ApiError("ValidationException", "; ".join(problems))
