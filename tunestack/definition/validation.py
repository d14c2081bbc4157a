"""The validator: a whole definition, every finding at once."""

from collections.abc import Iterator, Mapping
from typing import Any

from tunestack.definition.checks import CHECKS
from tunestack.definition.checks.subject import MODEL, TRANSFORM, Subject
from tunestack.definition.finding import Finding
from tunestack.definition.form import check_form
from tunestack.definition.graph import PlacedStep, placed_steps
from tunestack.definition.references import check_references
from tunestack.definition.service_model import OPERATIONS, request_shape
from tunestack.definition.shapes import check_shape
from tunestack.definition.structure import check_structure


def validate(definition: Any) -> list[Finding]:
    """Every finding about a pipeline definition, given as plain JSON values.

    Strings with `${` in them are filled in by CloudFormation and pass; all else is checked: form, shapes by botocore's
    service model, references, the API's further rules, secrets. No network is used.
    """
    if invalid := check_form(definition):
        return invalid
    steps = list(placed_steps(definition.get("Steps")))
    findings = list(check_structure(definition, steps))
    parameters = {parameter.get("Name"): parameter for parameter in definition.get("Parameters", [])}
    models = {f"Steps.{step.name}.ModelName": step.own_arguments for step in steps if step.entry.get("Type") == MODEL}
    for step in steps:
        findings += _check_step(step, parameters, models)
    return findings + list(check_references(steps, parameters))


def with_values(definition: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """A definition whose parameters have the values of one execution: what `validate` then says is said of that one."""
    parameters = [
        {key: item for key, item in parameter.items() if key != "EnumValues"}
        | ({"DefaultValue": values[parameter["Name"]]} if parameter["Name"] in values else {})
        for parameter in definition.get("Parameters", [])
    ]
    return {**definition, "Parameters": parameters}


def _check_step(
    step: PlacedStep, parameters: Mapping[str, Any], models: Mapping[str, Mapping[str, Any]]
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
        entry=step.entry, arguments=arguments, parameters=parameters, model=_model_of(kind, arguments, models)
    )
    for check in CHECKS:
        if check.KINDS is None or (in_shape and kind in check.KINDS):
            for member, message in check.check(subject):
                yield Finding(where=f"{step.name}.{member}" if member else step.name, message=message)


def _model_of(
    kind: Any, arguments: Mapping[str, Any], models: Mapping[str, Mapping[str, Any]]
) -> Mapping[str, Any] | None:
    """The model that a transform uses, where the definition makes it."""
    source = arguments.get("ModelName")
    path = source.get("Get") if kind == TRANSFORM and isinstance(source, dict) else None
    return models.get(path) if isinstance(path, str) else None
