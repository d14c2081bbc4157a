"""What rules look at: the resources of synthesized templates, and how their values read."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Properties = Mapping[str, Any]
# The condition, and its two branches.
IF_PARTS = 3
_ENVIRONMENT = re.compile(r"aws://(?P<account>[0-9]{12})/")


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One resource of a template, by its logical id."""

    logical_id: str
    kind: str
    properties: Properties
    template: str = ""

    def part(self, *path: str) -> Mapping[str, Any]:
        """A structure inside the properties, empty where it isn't there."""
        found: Any = self.properties
        for member in path:
            found = as_mapping(found).get(member)
        return as_mapping(found)


@dataclass(frozen=True, kw_only=True)
class Assembly:
    """All resources of the templates that are synthesized together."""

    resources: tuple[Resource, ...] = field(default=())

    @classmethod
    def of(cls, templates: Mapping[str, Mapping[str, Any]]) -> "Assembly":
        """The resources of templates by their names."""
        return cls(
            resources=tuple(
                Resource(
                    logical_id=name,
                    kind=item["Type"],
                    properties=as_mapping(without_conditions(item.get("Properties"))),
                    template=template,
                )
                for template, content in templates.items()
                for name, item in content.get("Resources", {}).items()
            )
        )

    @classmethod
    def read(cls, files: Iterable[str]) -> "Assembly":
        """The resources of template files; where a manifest beside them says the account, it is known as its own."""
        return cls.of({file: _read(Path(file)) for file in files})

    def of_kind(self, *kinds: str) -> Iterator[Resource]:
        """The resources of some types."""
        return (resource for resource in self.resources if resource.kind in kinds)


def _read(file: Path) -> Mapping[str, Any]:
    template: Mapping[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    account = _account_of(file)
    return template if account is None else as_mapping(_by_reference(template, account))


def _account_of(file: Path) -> str | None:
    """The account that a template is for, by the assembly's manifest."""
    manifest = file.parent / "manifest.json"
    artifacts = json.loads(manifest.read_text(encoding="utf-8")).get("artifacts", {}) if manifest.is_file() else {}
    for artifact in as_mapping(artifacts).values():
        if as_mapping(artifact.get("properties")).get("templateFile") == file.name:
            found = _ENVIRONMENT.match(artifact.get("environment", ""))
            return found["account"] if found else None
    return None


def _by_reference(value: Any, account: str) -> Any:
    """A value with the account's number in ARNs, and by itself, as a template without an account has it."""
    if isinstance(value, list):
        return [_by_reference(item, account) for item in value]
    if isinstance(value, Mapping):
        return {key: _by_reference(item, account) for key, item in value.items()}
    if isinstance(value, str) and (value == account or value.startswith("arn:") or value.startswith(":")):
        return value.replace(account, "${AWS::AccountId}")
    return value


def without_conditions(value: Any) -> Any:
    """A value with `Fn::If` decided: for the first branch, or for the second where the first is no value."""
    if isinstance(value, list):
        return [without_conditions(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    branches = value.get("Fn::If")
    if isinstance(branches, list) and len(branches) == IF_PARTS:
        _, first, second = branches
        return without_conditions(second if first == {"Ref": "AWS::NoValue"} else first)
    return {key: without_conditions(item) for key, item in value.items()}


def is_true(value: Any) -> bool:
    """Whether a property is set, as a boolean or as its text."""
    return str(value).lower() == "true"


def as_mapping(value: Any) -> Mapping[str, Any]:
    """What should be a structure, or an empty one."""
    return value if isinstance(value, Mapping) else {}


def as_mappings(value: Any) -> list[Mapping[str, Any]]:
    """The structures of what may be one or several."""
    return [item for item in as_list(value) if isinstance(item, Mapping)]


def as_list(value: Any) -> list[Any]:
    """What may be one or several, as several."""
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]


def as_text(value: Any) -> str:
    """A value for reading and comparing: literal text as it is, CloudFormation's functions as JSON."""
    match value:
        case {"Fn::Join": [str() as separator, [*parts]]}:
            return separator.join(as_text(part) for part in parts)
        case {"Fn::Sub": str() as text} | {"Fn::Sub": [str() as text, *_]}:
            return text
    return value if isinstance(value, str) else json.dumps(value)


def strings(value: Any, where: str = "") -> Iterator[tuple[str, str]]:
    """Every literal string in a value, with its place."""
    if isinstance(value, str):
        yield where, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from strings(item, f"{where}.{key}" if where else str(key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from strings(item, f"{where}[{index}]")
