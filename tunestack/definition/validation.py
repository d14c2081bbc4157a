"""The validator: a whole definition, every finding at once."""

import json
from collections.abc import Iterable, Iterator, Mapping
from types import ModuleType
from typing import Any

from tunestack.definition.checks import CHECKS
from tunestack.definition.finding import Finding, Level
from tunestack.definition.form import check_form
from tunestack.definition.found_by_file import name_of
from tunestack.definition.graph import PlacedStep, placed_steps
from tunestack.definition.policies import POLICIES
from tunestack.definition.references import check_references
from tunestack.definition.service_model import OPERATIONS, request_shape
from tunestack.definition.shapes import check_shape
from tunestack.definition.structure import check_structure
from tunestack.definition.subject import MODEL, TRANSFORM, Around, Subject


def validate(definition: Any, *, vpc_expected: bool = False) -> list[Finding]:
    """Every finding about a pipeline definition, given as plain JSON values.

    Strings with `${` in them are filled in by CloudFormation and pass; all else is checked: form, shapes by botocore's
    service model, references, the API's further rules, and the kit's policies. No network is used. `vpc_expected`: jobs
    belong in a VPC even if none of the definition is in one.
    """
    if invalid := check_form(definition):
        return invalid
    steps = list(placed_steps(definition.get("Steps")))
    findings = list(check_structure(definition, steps))
    parameters = {parameter.get("Name"): parameter for parameter in definition.get("Parameters", [])}
    arounds = _arounds(steps, vpc_expected=vpc_expected)
    for step in steps:
        findings += _check_step(step, steps, parameters, arounds[step.name])
    return findings + list(check_references(steps, parameters))


def refused(definition: Any) -> list[str]:
    """What the service would refuse of a definition, a line each."""
    return [str(finding) for finding in validate(definition) if finding.level is Level.INVALID]


def with_values(definition: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """A definition whose parameters have the values of one execution: what `validate` then says is said of that one."""
    parameters = [
        {key: item for key, item in parameter.items() if key != "EnumValues"}
        | ({"DefaultValue": values[parameter["Name"]]} if parameter["Name"] in values else {})
        for parameter in definition.get("Parameters", [])
    ]
    return {**definition, "Parameters": parameters}


def _check_step(
    step: PlacedStep, steps: list[PlacedStep], parameters: Mapping[str, Any], around: Around
) -> Iterator[Finding]:
    kind, arguments = step.entry.get("Type"), step.own_arguments
    in_shape = True
    if kind in OPERATIONS:
        # The service names the job itself; a name in the definition is allowed and ignored.
        expected = {f"missing {name}" for name in OPERATIONS[kind][2]}
        shape = request_shape(kind)
        findings = [f for f in check_shape(shape, arguments, step.name, parameters) if f.message not in expected]
        yield from findings
        # The kind's own checks look into members whose shapes hold.
        in_shape = not any(finding.message.startswith("must be of type") for finding in findings)
    subject = Subject(
        entry=step.entry,
        arguments=arguments,
        parameters=parameters,
        model=_model_of(kind, arguments, steps),
        around=around,
    )
    yield from _findings(CHECKS, subject, step.name, Level.INVALID, in_shape=in_shape)
    yield from _findings(POLICIES, subject, step.name, Level.POLICY, in_shape=in_shape)


def _findings(
    checks: Iterable[ModuleType], subject: Subject, step_name: str, level: Level, *, in_shape: bool
) -> Iterator[Finding]:
    for check in checks:
        if check.KINDS is None or (in_shape and subject.kind in check.KINDS):
            for member, message in check.check(subject):
                yield Finding(
                    where=f"{step_name}.{member}" if member else step_name,
                    message=message,
                    level=level,
                    rule=name_of(check) if level is Level.POLICY else None,
                )


def _model_of(kind: Any, arguments: Mapping[str, Any], steps: list[PlacedStep]) -> Mapping[str, Any] | None:
    """The model that a transform uses, where the definition makes it."""
    source = arguments.get("ModelName")
    path = source.get("Get") if kind == TRANSFORM and isinstance(source, dict) else None
    models = (step for step in steps if step.entry.get("Type") == MODEL and path == f"Steps.{step.name}.ModelName")
    return next((step.own_arguments for step in models), None)


def _arounds(steps: list[PlacedStep], *, vpc_expected: bool) -> dict[str, Around]:
    """What is around each step, by its name."""
    texts = {step.name: json.dumps(step.own_arguments) for step in steps}
    in_vpc = vpc_expected or any('"VpcConfig"' in text for text in texts.values())
    return {
        step.name: Around(
            conditions=tuple(texts.get(condition, "") for condition, _ in step.branches), vpc_expected=in_vpc
        )
        for step in steps
    }
