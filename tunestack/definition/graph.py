"""The graph of a definition's steps: who is where, who waits for whom."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tunestack.definition.expressions import get_paths

BRANCHES = ("IfSteps", "ElseSteps")


@dataclass(frozen=True, kw_only=True)
class PlacedStep:
    """A step with its place: the branches of conditions that lead to it, outermost first."""

    entry: dict[str, Any]
    branches: tuple[tuple[str, str], ...] = ()

    @property
    def name(self) -> str:
        return str(self.entry.get("Name"))

    @property
    def own_arguments(self) -> dict[str, Any]:
        """The arguments less the branches: those are steps of their own."""
        arguments = self.entry.get("Arguments", {})
        return {key: value for key, value in arguments.items() if key not in BRANCHES}


def placed_steps(steps: Any, branches: tuple[tuple[str, str], ...] = ()) -> Iterator[PlacedStep]:
    """Every step of a definition, those inside conditions after their condition."""
    for entry in steps if isinstance(steps, list) else []:
        if not isinstance(entry, dict):
            continue
        yield PlacedStep(entry=entry, branches=branches)
        if entry.get("Type") == "Condition" and isinstance(entry.get("Arguments"), dict):
            for branch in BRANCHES:
                yield from placed_steps(entry["Arguments"].get(branch), (*branches, (str(entry.get("Name")), branch)))


def registered_metadata(*definitions: Mapping[str, Any]) -> tuple[str, ...]:
    """The keys of what the definitions' registrations say of a version, sorted."""
    steps = [placed.entry for item in definitions for placed in placed_steps(item.get("Steps"))]
    arguments = [step.get("Arguments", {}) for step in steps if step.get("Type") == "RegisterModel"]
    return tuple(sorted({key for item in arguments for key in item.get("CustomerMetadataProperties", {})}))


def predecessors(step: PlacedStep) -> set[str]:
    """The names of the steps that a step waits for: by reference, by DependsOn, and its conditions."""
    referenced = {path.split(".")[1] for path in get_paths(step.own_arguments) if path.startswith("Steps.")}
    depends_on = step.entry.get("DependsOn", [])
    return referenced | set(depends_on) | {condition for condition, _ in step.branches}
