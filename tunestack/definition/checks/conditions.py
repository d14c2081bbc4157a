"""A condition compares with an operator that the service knows, and has both sides of it."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from tunestack.definition.expressions import is_expression, is_filled_in_later
from tunestack.definition.subject import Problem, Problems, Subject
from tunestack.errors import nearest

KINDS = frozenset({"Condition"})
_ORDERED = ("GreaterThan", "GreaterThanOrEqualTo", "LessThan", "LessThanOrEqualTo")
_SIDES = {
    **dict.fromkeys(("Equals", *_ORDERED), ("LeftValue", "RightValue")),
    "In": ("QueryValue", "Values"),
    "Not": ("Condition",),
    "Or": ("Conditions",),
}
# What the SageMaker SDK of before version 3 calls it.
_ALSO = {"Expression": "Condition"}


def check(subject: Subject) -> Problems:
    conditions = subject.arguments.get("Conditions")
    if not conditions:
        yield "Conditions", "missing: a Condition step needs at least one"
    for index, condition in enumerate(conditions or []):
        yield from _check(condition, f"Conditions[{index}]")
    for member in subject.arguments.keys() - {"Conditions"}:
        yield member, f"unknown member; {nearest(member, ('Conditions', 'IfSteps', 'ElseSteps'))}"


def _check(condition: Any, where: str) -> Iterator[Problem]:
    if not isinstance(condition, Mapping):
        yield where, f"must be a condition, got {condition!r}"
        return
    kind = condition.get("Type")
    if not isinstance(kind, str) or kind not in _SIDES:
        yield f"{where}.Type", f"unknown operator {kind!r}; {nearest(str(kind), _SIDES)}"
        return
    members = {str(_ALSO.get(member, member)): value for member, value in condition.items() if member != "Type"}
    for side in _SIDES[kind]:
        if members.get(side) in (None, "", []):
            yield f"{where}.{side}", "missing"
    for member in members.keys() - set(_SIDES[kind]):
        yield f"{where}.{member}", f"unknown member of {kind}; {nearest(member, _SIDES[kind])}"
    if kind in _ORDERED:
        yield from _check_order(members, where)
    for index, inner in enumerate(members.get("Conditions", []) if kind == "Or" else []):
        yield from _check(inner, f"{where}.Conditions[{index}]")
    if kind == "Not" and "Condition" in members:
        yield from _check(members["Condition"], f"{where}.Condition")


def _check_order(members: Mapping[str, Any], where: str) -> Iterator[Problem]:
    for side in ("LeftValue", "RightValue"):
        value = members.get(side)
        if value not in (None, "") and not _has_order(value):
            yield f"{where}.{side}", f"must be a number or a time, got {value!r}"


def _has_order(value: Any) -> bool:
    """Whether a value is a number, a time (`Execution.StartDateTime` is compared with one), or one of them later."""
    if isinstance(value, bool) or not isinstance(value, str):
        return is_expression(value) or (isinstance(value, (int, float)) and not isinstance(value, bool))
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return is_filled_in_later(value)
    return True
