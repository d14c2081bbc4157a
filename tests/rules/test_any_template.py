"""Whatever stands in a template, of whoever, a rule answers with findings and never with a traceback."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from tunestack.rules import RULES, violations
from tunestack.template.resources import Resources

ODD: list[Any] = [
    {"Fn::If": ["Condition", "a", {"Ref": "AWS::NoValue"}]}, {"Ref": "Parameter"}, {"Fn::Join": "x"}, [], [1], 1, "x",
    None, True, {},
]  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from places(item, (*path, key))


def one_of_each(templates: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for template in templates.values():
        for item in template["Resources"].values():
            if item["Type"] != "AWS::SageMaker::Pipeline":
                found.setdefault(item["Type"], item.get("Properties", {}))
    return found


def test_a_rule_never_breaks(templates: dict[str, Any]) -> None:
    for kind, properties in one_of_each(templates).items():
        for path in places(properties):
            for odd in ODD:
                changed = copy.deepcopy(properties)
                holder: Any = changed
                for part in path[:-1]:
                    holder = holder[part]
                holder[path[-1]] = odd
                list(violations(Resources.of({"stack": {"Resources": {"It": {"Type": kind, "Properties": changed}}}})))


@pytest.mark.parametrize("kind", sorted({kind for rule in RULES for kind in rule.KINDS or ()}))
def test_a_resource_without_properties_breaks_no_rule(kind: str) -> None:
    list(violations(Resources.of({"stack": {"Resources": {"It": {"Type": kind}}}})))


def test_of_a_condition_the_first_branch_is_looked_at() -> None:
    log_group = {
        "RetentionInDays": {"Fn::If": ["Keep", {"Ref": "AWS::NoValue"}, 14]},
        "KmsKeyId": {"Fn::If": ["Own", "key", "other"]},
    }
    assert (
        list(
            violations(
                Resources.of({"stack": {"Resources": {"It": {"Type": "AWS::Logs::LogGroup", "Properties": log_group}}}})
            )
        )
        == []
    )
