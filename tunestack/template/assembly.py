"""A synthesized cloud assembly: its stacks, each with its template and the place that it is for."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from tunestack.catalogue.regions import partition_of
from tunestack.errors import UserError
from tunestack.template.values import as_mapping

_ENVIRONMENT = re.compile(r"aws://(?P<account>[^/]+)/(?P<region>.+)")
# Where a template says no account or region.
UNKNOWN_ACCOUNT, UNKNOWN_REGION = "000000000000", "us-east-1"
_LOGICAL_ID = "aws:cdk:logicalId"


@dataclass(frozen=True, kw_only=True)
class Stack:
    """One template with the account and the region that it is for."""

    name: str
    template: Mapping[str, Any]
    account: str = UNKNOWN_ACCOUNT
    region: str = UNKNOWN_REGION
    file: Path = Path()
    artifact: Mapping[str, Any] = field(default_factory=dict)
    """What the assembly's manifest says of it."""

    @property
    def partition(self) -> str:
        return partition_of(self.region)

    @property
    def kind(self) -> str:
        """What the stack is for: the last part of its name (`storage`, `pipeline`)."""
        return self.name.rpartition("-")[2]

    def of_kind(self, kind: str) -> dict[str, dict[str, Any]]:
        """The properties of the resources of a type, by logical id."""
        found = self.template.get("Resources", {})
        return {name: item.get("Properties", {}) for name, item in found.items() if item["Type"] == kind}

    @property
    def notes(self) -> Mapping[str, Any]:
        """What CDK noted of the stack's constructs, by their paths."""
        beside = self.artifact.get("additionalMetadataFile")
        if beside is None:
            return as_mapping(self.artifact.get("metadata"))
        return as_mapping(json.loads((self.file.parent / beside).read_text(encoding="utf-8")))

    @property
    def dependencies(self) -> list[str]:
        """The stacks that it builds on."""
        return [name for name in self.artifact.get("dependencies", []) if not name.endswith(".assets")]

    @cached_property
    def paths(self) -> dict[str, str]:
        """Logical id → construct path within the stack, `Resource` and `Default` left out as CDK does."""
        found = {}
        for path, entries in self.notes.items():
            within = path.removeprefix("/").partition("/")[2]
            for entry in entries:
                if entry["type"] == _LOGICAL_ID:
                    found[entry["data"]] = re.sub(r"/(Resource|Default)$", "", within)
        return found


@dataclass(frozen=True, kw_only=True)
class Assembly:
    """The stacks of a cloud assembly's folder, and of the stages in it."""

    folder: Path
    stacks: tuple[Stack, ...]

    @classmethod
    def read(cls, folder: Path) -> "Assembly":
        """The assembly in a folder.

        Raises:
            UserError: there is none, or it can't be read.
        """
        return cls(folder=folder, stacks=tuple(_stacks_of(folder)))

    @property
    def own_stacks(self) -> tuple[Stack, ...]:
        """The stacks that are in no stage."""
        return tuple(stack for stack in self.stacks if stack.file.parent == self.folder)

    @property
    def templates(self) -> dict[str, Mapping[str, Any]]:
        """The templates by their stacks' names."""
        return {stack.name: stack.template for stack in self.stacks}

    def stack(self, kind: str) -> Stack:
        """The stack that is for something (`storage`, `pipeline`).

        Raises:
            KeyError: there is none, or more than one.
        """
        found = [stack for stack in self.stacks if stack.kind == kind]
        if len(found) != 1:
            raise KeyError(f"{len(found)} stacks named *-{kind} in {self.folder}")
        return found[0]

    def template(self, kind: str) -> Mapping[str, Any]:
        """The template of the stack that is for something."""
        return self.stack(kind).template

    def resources(self, kind: str) -> dict[str, Mapping[str, Any]]:
        """Every resource of a type, by logical id."""
        return {
            name: item
            for stack in self.stacks
            for name, item in stack.template.get("Resources", {}).items()
            if item["Type"] == kind
        }


def _stacks_of(folder: Path) -> Iterator[Stack]:
    for artifact in _artifacts(folder).values():
        properties = as_mapping(artifact.get("properties"))
        if artifact["type"] == "cdk:cloud-assembly":
            yield from _stacks_of(folder / properties["directoryName"])
        if artifact["type"] == "aws:cloudformation:stack":
            yield _stack(folder / properties["templateFile"], artifact, properties)


def _artifacts(folder: Path) -> Mapping[str, Any]:
    try:
        text = (folder / "manifest.json").read_text(encoding="utf-8")
    except OSError:
        raise UserError(
            f"{folder}: no cloud assembly: it has no manifest.json; `cdk synth --output {folder}` makes one"
        ) from None
    try:
        return as_mapping(json.loads(text)["artifacts"])
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{folder / 'manifest.json'}: no cloud assembly's manifest: {error}") from None


def _stack(file: Path, artifact: Mapping[str, Any], properties: Mapping[str, Any]) -> Stack:
    place = _ENVIRONMENT.match(artifact.get("environment", ""))
    account, region = (place["account"], place["region"]) if place else ("", "")
    return Stack(
        name=properties.get("stackName") or artifact.get("displayName") or file.name.removesuffix(".template.json"),
        account=account if account.isdigit() else UNKNOWN_ACCOUNT,
        region=region if region and not region.startswith("unknown") else UNKNOWN_REGION,
        template=_template(file),
        file=file,
        artifact=artifact,
    )


def _template(file: Path) -> Mapping[str, Any]:
    try:
        template = json.loads(file.read_text(encoding="utf-8"))
    except RecursionError:
        raise UserError(f"{file} is nested too deeply") from None
    except (OSError, ValueError) as error:
        raise UserError(f"{file}: no template: {type(error).__name__}: {error}") from None
    if not isinstance(template, dict):
        raise UserError(f"{file}: no template: it holds {type(template).__name__}, not an object")
    return template
