"""What an execution of a pipeline asks of the service: every call, by way of every branch, with example values."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tunestack.definition.graph import placed_steps
from tunestack.definition.jobs import api_of
from tunestack.definition.scope import Scope
from tunestack.job_api import Api
from tunestack.layout import S3Uri

EXECUTION_ID = "abcdefghijkl"


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request of the service, made for a step; `api` is the kind of job, where it starts one."""

    step: str
    action: str
    request: Mapping[str, Any]
    api: Api | None = None


@dataclass(frozen=True, kw_only=True)
class PropertyFile:
    """A file that the pipeline itself reads, for a condition or for a step's arguments."""

    step: str
    uri: str


class _BeforeARun(Scope):
    """Nothing has written a property file yet: whatever is read off one is a text."""

    def property_file_value(self, source: dict[str, Any]) -> Any:
        return f"unknown {source['Path']}"


def calls_of(definition: Mapping[str, Any], parameters: Mapping[str, Any]) -> Iterator[Call | PropertyFile]:
    """Everything that a definition's execution does, in order; `parameters` are the values that have no default."""
    outcomes: dict[str, Mapping[str, Any]] = {}
    defaults = {
        item["Name"]: item.get("DefaultValue", str(S3Uri(bucket=f"unknown-{item['Name']}".lower(), key="value")))
        for item in definition.get("Parameters", [])
    }
    given = defaults | dict(parameters)
    scope = _BeforeARun(
        parameters=given,
        execution={"PipelineExecutionId": EXECUTION_ID},
        outcomes=outcomes,
        property_files={},
        read_file=lambda uri: b"",
    )
    for step in placed_steps(definition["Steps"]):
        kind = step.entry["Type"]
        if kind in ("Condition", "Fail"):
            outcomes[step.name] = {}
            continue
        request = scope.resolve(step.own_arguments)
        name = f"pipelines-{EXECUTION_ID}-{step.name}-0123456789"
        api = api_of(kind)
        if api is not None:
            yield Call(
                step=step.name, action=f"Create{api.noun}", request={f"{api.noun}Name": name, **request}, api=api
            )
        elif kind == "Model":
            yield Call(step=step.name, action="CreateModel", request={"ModelName": name, **request})
        elif kind == "RegisterModel":
            yield Call(step=step.name, action="CreateModelPackage", request=request)
        outcomes[step.name] = _outcome(name, request)
        for file in step.entry.get("PropertyFiles", []):
            outputs = request["ProcessingOutputConfig"]["Outputs"]
            place = next(item for item in outputs if item["OutputName"] == file["OutputName"])["S3Output"]["S3Uri"]
            yield PropertyFile(step=step.name, uri=f"{place}/{file['FilePath']}")


def _outcome(name: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """What later steps can ask of a step: its request, and what the service adds."""
    added: dict[str, Any] = {"ModelName": name, "ExitMessage": "done"}
    if "OutputDataConfig" in request:
        place = request["OutputDataConfig"]["S3OutputPath"]
        added["ModelArtifacts"] = {"S3ModelArtifacts": f"{place}/{name}/output/model.tar.gz"}
    return added | dict(request)
