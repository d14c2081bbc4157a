"""What rules look at: the resources of synthesized templates, and how their values read."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Properties = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One resource of a template, by its logical id."""

    logical_id: str
    kind: str
    properties: Properties
    template: str = ""

    def part(self, *path: str) -> Any:
        """A structure inside the properties, empty where it isn't there."""
        found: Any = self.properties
        for member in path:
            found = found.get(member) if isinstance(found, Mapping) else None
        return found if found is not None else {}


@dataclass(frozen=True, kw_only=True)
class Assembly:
    """All resources of the templates that are synthesized together."""

    resources: tuple[Resource, ...] = field(default=())

    @classmethod
    def of(cls, templates: Mapping[str, Mapping[str, Any]]) -> "Assembly":
        """The resources of templates by their names."""
        return cls(
            resources=tuple(
                Resource(logical_id=name, kind=item["Type"], properties=item.get("Properties") or {}, template=template)
                for template, content in templates.items()
                for name, item in content.get("Resources", {}).items()
            )
        )

    @classmethod
    def read(cls, files: Iterable[str]) -> "Assembly":
        """The resources of template files."""
        return cls.of({file: json.loads(Path(file).read_text(encoding="utf-8")) for file in files})

    def of_kind(self, *kinds: str) -> Iterator[Resource]:
        """The resources of some types."""
        return (resource for resource in self.resources if resource.kind in kinds)


def as_list(value: Any) -> list[Any]:
    """What may be one or several, as several."""
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]


def as_text(value: Any) -> str:
    """A value for reading and comparing: literal text as it is, CloudFormation's functions as JSON."""
    if isinstance(value, Mapping) and "Fn::Join" in value:
        separator, parts = value["Fn::Join"]
        return str(separator).join(as_text(part) for part in parts)
    if isinstance(value, Mapping) and "Fn::Sub" in value:
        return as_text(as_list(value["Fn::Sub"])[0])
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
