"""The definition's own form: its keys, its parameters, its steps' names and kinds."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from tunestack.definition.finding import Finding, Level
from tunestack.definition.graph import PlacedStep
from tunestack.definition.service_model import OPERATIONS, step_types_of_the_service
from tunestack.errors import nearest

KEYS = frozenset({"Version", "Metadata", "Parameters", "Steps", "PipelineExperimentConfig", "MlflowConfig"})
STEP_KEYS = frozenset(
    {
        "Name",
        "Type",
        "DisplayName",
        "Description",
        "Arguments",
        "DependsOn",
        "PropertyFiles",
        "CacheConfig",
        "RetryPolicies",
    }
)
PARAMETER_KEYS = frozenset({"Name", "Type", "DefaultValue", "EnumValues", "Description", "DisplayName"})
CHECKED_KINDS = frozenset(OPERATIONS) | {"Condition", "Fail"}
_CHECK_KEYS = frozenset(
    {
        "CheckType", "ModelPackageGroupName", "SkipCheck", "FailOnViolation", "RegisterNewBaseline",
        "SuppliedBaselineStatistics", "SuppliedBaselineConstraints", "ModelName",
    }
)  # fmt: skip
# Further keys of kinds whose arguments aren't looked into here; a kind that isn't named may have any.
OTHER_KEYS: dict[str, frozenset[str]] = {
    **dict.fromkeys(("Tuning", "AutoML", "EMR", "EMRServerless", "NotebookJob"), frozenset[str]()),
    "Lambda": frozenset({"FunctionArn", "OutputParameters"}),
    "Callback": frozenset({"SqsQueueUrl", "OutputParameters"}),
    "QualityCheck": _CHECK_KEYS,
    "ClarifyCheck": _CHECK_KEYS,
}
_NAME = re.compile(r"[A-Za-z0-9\-_]{1,64}")
_PARAMETER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9\-_]{0,255}")
_PARAMETER_TYPES: dict[str, tuple[type, ...]] = {
    "String": (str,),
    "Integer": (int,),
    "Float": (int, float),
    "Boolean": (bool,),
}


def check_structure(definition: dict[str, Any], steps: list[PlacedStep]) -> Iterator[Finding]:
    """What is wrong with the definition's form."""
    for key in definition.keys() - KEYS:
        yield Finding(where=key, message=f"unknown key; {nearest(key, KEYS)}")
    if definition.get("Version") != "2020-12-01":
        yield Finding(where="Version", message=f"must be '2020-12-01', got {definition.get('Version')!r}")
    if not steps:
        yield Finding(where="Steps", message="must be a list with at least one step")
    yield from _check_parameters(definition.get("Parameters", []))
    for name, count in Counter(step.name for step in steps).items():
        if count > 1:
            yield Finding(where=name, message=f"{count} steps have this name")
    for step in steps:
        yield from _check_step(step)


def _check_parameters(parameters: Any) -> Iterator[Finding]:
    names = [parameter.get("Name") for parameter in parameters]
    for name, count in Counter(names).items():
        if count > 1:
            yield Finding(where=f"Parameters.{name}", message=f"declared {count} times")
    for parameter in parameters:
        name, kind = parameter.get("Name"), parameter.get("Type")
        where = f"Parameters.{name}"
        for key in parameter.keys() - PARAMETER_KEYS:
            yield Finding(where=f"{where}.{key}", message=f"unknown key; {nearest(key, PARAMETER_KEYS)}")
        if not isinstance(name, str) or not _PARAMETER_NAME.fullmatch(name):
            yield Finding(where=where, message="must be named in letters, digits, - and _")
        if kind not in _PARAMETER_TYPES:
            yield Finding(where=where, message=f"type must be one of {', '.join(_PARAMETER_TYPES)}, got {kind!r}")
            continue
        default, allowed = parameter.get("DefaultValue"), parameter.get("EnumValues")
        if default is None:
            continue
        if not isinstance(default, _PARAMETER_TYPES[kind]) or (isinstance(default, bool) and kind != "Boolean"):
            yield Finding(where=where, message=f"default must be of type {kind}, got {default!r}")
        if isinstance(default, str) and len(default) > 4096:
            yield Finding(where=where, message=f"default must have at most 4096 characters, got {len(default)}")
        if allowed and default not in allowed:
            yield Finding(where=where, message=f"default must be one of {', '.join(allowed)}, got {default!r}")


def _check_step(step: PlacedStep) -> Iterator[Finding]:
    entry, kind = step.entry, step.entry.get("Type")
    if not _NAME.fullmatch(step.name):
        yield Finding(where=step.name, message="a step's name has 1 to 64 letters, digits, - and _")
    if kind in CHECKED_KINDS or kind in OTHER_KEYS:
        known = STEP_KEYS | OTHER_KEYS.get(str(kind), frozenset())
        for key in entry.keys() - known:
            yield Finding(where=f"{step.name}.{key}", message=f"unknown key; {nearest(key, known)}")
    if kind in CHECKED_KINDS:
        return
    others = OTHER_KEYS.keys() | step_types_of_the_service()
    if kind in others:
        yield Finding(where=step.name, message=f"kind {kind!r} is not known here: not checked", level=Level.NOTE)
    else:
        hint = nearest(str(kind), CHECKED_KINDS | others)
        yield Finding(where=step.name, message=f"unknown kind of step {kind!r}; {hint}")
