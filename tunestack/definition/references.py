"""Every reference of a definition can be resolved, and none leads back to itself."""

import graphlib
from collections.abc import Iterator
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

from tunestack.definition.expressions import get_paths, json_gets
from tunestack.definition.finding import Finding
from tunestack.definition.graph import PlacedStep, predecessors
from tunestack.definition.property_path import PathError, output_of, parts
from tunestack.definition.service_model import OPERATIONS, outcome_shape
from tunestack.errors import nearest

EXECUTION_VARIABLES = frozenset(
    {
        "CurrentDateTime",
        "PipelineArn",
        "PipelineExecutionArn",
        "PipelineExecutionId",
        "PipelineName",
        "StartDateTime",
        "TrainingJobName",
        "ProcessingJobName",
    }
)


def check_references(steps: list[PlacedStep], parameters: dict[str, Any]) -> Iterator[Finding]:
    """Every reference to a parameter, a step, a property, a property file or the execution that leads nowhere."""
    by_name = {step.name: step for step in steps}
    for step in steps:
        for path in get_paths(step.own_arguments):
            yield from _check_path(path, step, by_name, parameters)
        yield from _check_property_files(step)
        for source in json_gets(step.own_arguments):
            yield from _check_json_get(source, step)
        for name in step.entry.get("DependsOn", []):
            if name not in by_name:
                message = f"depends on an unknown step {name!r}; {nearest(name, by_name)}"
                yield Finding(where=f"{step.name}.DependsOn", message=message)
    yield from _check_cycles(steps, by_name)


def _check_path(
    path: str, step: PlacedStep, by_name: dict[str, PlacedStep], parameters: dict[str, Any]
) -> Iterator[Finding]:
    where = f"{step.name}: {path}"
    root, _, rest = path.partition(".")
    if root == "Parameters":
        if rest not in parameters:
            yield Finding(where=where, message=f"unknown parameter {rest!r}; {nearest(rest, parameters)}")
    elif root == "Execution":
        if rest not in EXECUTION_VARIABLES:
            yield Finding(where=where, message=f"unknown variable; {nearest(rest, EXECUTION_VARIABLES)}")
    elif root == "Steps":
        name, _, property_path = rest.partition(".")
        source = by_name.get(name)
        if source is None:
            yield Finding(where=where, message=f"unknown step {name!r}; {nearest(name, by_name)}")
            return
        if _excluded(step, source):
            yield Finding(
                where=where, message=f"step {name} never runs when {step.name} does: they are on two branches"
            )
        yield from _check_property(property_path, source, where)
    else:
        yield Finding(where=where, message="must begin with Parameters, Steps or Execution")


def _excluded(step: PlacedStep, source: PlacedStep) -> bool:
    """Whether the source is on the other branch of a condition, or under one that the step isn't."""
    taken = dict(step.branches)
    return any(taken.get(condition) != branch for condition, branch in source.branches)


def _check_property(path: str, source: PlacedStep, where: str) -> Iterator[Finding]:
    kind = source.entry.get("Type")
    if path.startswith("PropertyFiles."):
        files = [file.get("PropertyFileName") for file in source.entry.get("PropertyFiles", [])]
        name = path.removeprefix("PropertyFiles.")
        if name not in files:
            hint = nearest(name, files) if files else "it has none"
            yield Finding(where=where, message=f"step {source.name} has no property file {name!r}; {hint}")
        return
    if path.startswith("OutputParameters[") and "OutputParameters" in source.entry:
        yield from _check_output_parameter(path, source, where)
    if kind not in OPERATIONS:
        return
    if (output := output_of(path)) is not None:
        yield from _check_output(output, source, where)
    yield from _follow(outcome_shape(kind), path, where)


def _check_output_parameter(path: str, source: PlacedStep, where: str) -> Iterator[Finding]:
    """What a Lambda or Callback step gives back, it declares."""
    names = [str(item.get("OutputName")) for item in source.entry["OutputParameters"]]
    name = path.partition("[")[2].rstrip("]").strip("'\"")
    if name not in names:
        yield Finding(where=where, message=f"step {source.name} has no output {name!r}; {nearest(name, names)}")


def _check_output(name: str, source: PlacedStep, where: str) -> Iterator[Finding]:
    names = output_names(source)
    if name not in names:
        yield Finding(where=where, message=f"step {source.name} has no output {name!r}; {nearest(name, names)}")


def output_names(step: PlacedStep) -> list[str]:
    """The names of a processing step's outputs."""
    config = step.own_arguments.get("ProcessingOutputConfig", {})
    outputs = config.get("Outputs", []) if isinstance(config, dict) else []
    return (
        [str(item.get("OutputName")) for item in outputs if isinstance(item, dict)] if isinstance(outputs, list) else []
    )


def _check_property_files(step: PlacedStep) -> Iterator[Finding]:
    names = output_names(step)
    for file in step.entry.get("PropertyFiles", []):
        if file["OutputName"] not in names:
            message = f"the step has no output {file['OutputName']!r}; {nearest(file['OutputName'], names)}"
            yield Finding(where=f"{step.name}.PropertyFiles.{file['PropertyFileName']}", message=message)


def _follow(shape: Shape, path: str, where: str) -> Iterator[Finding]:
    try:
        for part in parts(path):
            if part.member is not None:
                known = shape.members if isinstance(shape, StructureShape) else {}
                if part.member not in known:
                    yield Finding(where=where, message=f"no property {part.member!r}; {nearest(part.member, known)}")
                    return
                shape = known[part.member]
            elif isinstance(shape, ListShape):
                shape = shape.member
            elif isinstance(shape, MapShape):
                shape = shape.value
            else:
                yield Finding(where=where, message=f"{part.before} is no list")
                return
    except PathError as error:
        yield Finding(where=where, message=str(error))


def _check_json_get(source: dict[str, Any], step: PlacedStep) -> Iterator[Finding]:
    if not source.get("Path"):
        yield Finding(where=step.name, message="Std:JsonGet needs a Path")
    if step.entry.get("Type") == "Fail":
        yield Finding(where=step.name, message="a Fail step can't read a property file; use a step's property")
    file = source.get("PropertyFile", {}).get("Get", "")
    if ".PropertyFiles." not in file:
        yield Finding(where=step.name, message=f"Std:JsonGet must read a property file, got {file!r}")


def _check_cycles(steps: list[PlacedStep], by_name: dict[str, PlacedStep]) -> Iterator[Finding]:
    graph = {step.name: predecessors(step) & by_name.keys() for step in steps}
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        yield Finding(where="", message=f"steps wait for each other: {' → '.join(reversed(error.args[1]))}")
