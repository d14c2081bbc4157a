"""The validator: a whole definition, every finding at once."""

from collections.abc import Callable, Iterator
from typing import Any

from tunestack.definition.checks.choices import Parameters
from tunestack.definition.checks.model import check_model, check_model_package
from tunestack.definition.checks.processing import check_processing
from tunestack.definition.checks.retries_and_cache import check_retries_and_cache
from tunestack.definition.checks.secrets import check_secrets
from tunestack.definition.checks.training import check_training
from tunestack.definition.checks.transform import check_transform, check_transform_model
from tunestack.definition.finding import Finding
from tunestack.definition.form import check_form
from tunestack.definition.graph import PlacedStep, placed_steps
from tunestack.definition.references import check_references
from tunestack.definition.service_model import OPERATIONS, request_shape
from tunestack.definition.shapes import check_shape
from tunestack.definition.structure import check_structure

Rule = Callable[[dict[str, Any], Parameters], Iterator[tuple[str, str]]]
_RULES: dict[str, Rule] = {
    "Processing": check_processing,
    "Training": check_training,
    "Transform": check_transform,
    "Model": check_model,
    "RegisterModel": check_model_package,
}


def validate(definition: Any) -> list[Finding]:
    """Every finding about a pipeline definition, given as plain JSON values.

    Strings with `${` in them are filled in by CloudFormation and pass; all else is checked: form, shapes
    by botocore's service model, references, the API's further rules, secrets. No network is used.
    """
    if malformed := check_form(definition):
        return malformed
    steps = list(placed_steps(definition.get("Steps")))
    findings = list(check_structure(definition, steps))
    parameters = {parameter.get("Name"): parameter for parameter in definition.get("Parameters", [])}
    for step in steps:
        findings += _check_step(step, parameters)
    findings += check_references(steps, parameters)
    findings += _check_transform_models(steps)
    return findings


def _check_step(step: PlacedStep, parameters: dict[str, Any]) -> Iterator[Finding]:
    kind, arguments = step.entry.get("Type"), step.own_arguments
    if kind in OPERATIONS:
        # The service names the job itself; a name in the definition is allowed and ignored.
        shape, named_by_service = request_shape(kind), OPERATIONS[kind][2]
        expected = {f"missing {name}" for name in named_by_service}
        findings = [f for f in check_shape(shape, arguments, step.name, parameters) if f.message not in expected]
        yield from findings
        # The rules look into members whose shapes hold.
        if not any(finding.message.startswith("must be of type") for finding in findings):
            yield from _at(step, _RULES[kind](arguments, parameters))
    yield from _at(step, check_secrets(arguments))
    yield from _at(step, check_retries_and_cache(step.entry))


def _check_transform_models(steps: list[PlacedStep]) -> Iterator[Finding]:
    models = {f"Steps.{step.name}.ModelName": step for step in steps if step.entry.get("Type") == "Model"}
    for step in steps:
        source = step.own_arguments.get("ModelName")
        if step.entry.get("Type") == "Transform" and isinstance(source, dict) and source.get("Get") in models:
            model = models[source["Get"]]
            yield from _at(model, check_transform_model(model.own_arguments))


def _at(step: PlacedStep, problems: Iterator[tuple[str, str]]) -> Iterator[Finding]:
    for member, message in problems:
        yield Finding(where=f"{step.name}.{member}" if member else step.name, message=message)
