"""Write again what is generated and checked in; `make generated`. Tests fail when one of them is stale."""

import json
import re
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

from benchmarks import memory_accuracy, throughput_accuracy
from scripts import pictures
from scripts.accuracy_picture import accuracy_picture
from scripts.commands_reference import commands_reference
from scripts.cost_example import example
from scripts.planned_recipes import table as planned_recipes_table
from scripts.rules_reference import rules_reference
from scripts.settings_reference import reference
from scripts.troubleshooting import troubleshooting
from tunestack.settings.recipe import recipe_schema
from tunestack.settings.schema import delivery_schema, environment_schema
from tunestack.template.assembly import Stack

ROOT = Path(__file__).parents[1]
_PICTURE = "<!-- picture: {} -->\n{}<!-- /picture -->"


def settings_reference() -> str:
    """docs/settings.md."""
    head = (
        "# Settings\n\nMade from the schemas (`tunestack settings schema`); `tunestack settings check` validates.\n\n"
    )
    environment = reference("An environment: `config/NAME.yaml`", environment_schema())
    recipe = reference("A recipe: `config/recipes/NAME.yaml`", recipe_schema())
    delivery = reference("The delivery: `config/delivery/delivery.yaml`", delivery_schema())
    return "\n".join((head + environment, recipe, delivery))


def _as_it_is(text: str, _: re.Match[str]) -> str:
    return text


def with_pictures(file: Path) -> str:
    """A page with its pictures drawn again."""
    text = file.read_text(encoding="utf-8")
    for name, picture in _pictures().items():
        pattern = rf"<!-- picture: {name} -->(?s:.*?)<!-- /picture -->"
        fence = f"```mermaid\n{picture}\n```\n"
        # A function's answer is taken as it is, backslashes and all.
        text = re.sub(pattern, partial(_as_it_is, _PICTURE.format(name, fence)), text)
    return text


def with_accuracy(file: Path) -> str:
    """A page with the accuracy tables of the memory and throughput models drawn again."""
    text = file.read_text(encoding="utf-8")
    data = ROOT / "benchmarks" / "data"
    rows = [data / "memory.csv", data / "memory_more.csv"]
    tables = {
        "memory": memory_accuracy.table(*rows),
        "memory, blind": memory_accuracy.table(*rows, blind=True),
        "throughput": throughput_accuracy.table(data / "throughput.csv"),
    }
    for name, lines in tables.items():
        table = "\n".join(lines)
        pattern = rf"<!-- accuracy: {name} -->(?s:.*?)<!-- /accuracy -->"
        text = re.sub(pattern, f"<!-- accuracy: {name} -->\n{table}\n<!-- /accuracy -->", text)
    pattern = r"<!-- worked example -->(?s:.*?)<!-- /worked example -->"
    text = re.sub(pattern, lambda _: f"<!-- worked example -->\n{worked_example()}\n<!-- /worked example -->", text)
    pattern = r"<!-- planned recipes -->(?s:.*?)<!-- /planned recipes -->"
    return re.sub(pattern, lambda _: f"<!-- planned recipes -->\n{planned_recipes()}\n<!-- /planned recipes -->", text)


@cache
def planned_recipes() -> str:
    return planned_recipes_table()


@cache
def worked_example() -> str:
    return example(_stacks())


@cache
def _stacks() -> list[Stack]:
    return pictures.synthesized("prod")


@cache
def _pictures() -> dict[str, str]:
    stacks = _stacks()
    return {"architecture": pictures.architecture(stacks), "pipeline": pictures.pipeline_graph(stacks)}


def _json(schema: dict[str, Any]) -> str:
    return json.dumps(schema, indent=2) + "\n"


GENERATED: dict[Path, Callable[[], str]] = {
    ROOT / "training_code" / "recipe.schema.json": lambda: _json(recipe_schema()),
    ROOT / "config" / "settings.schema.json": lambda: _json(environment_schema()),
    ROOT / "config" / "delivery" / "delivery.schema.json": lambda: _json(delivery_schema()),
    ROOT / "docs" / "commands.md": commands_reference,
    ROOT / "docs" / "rules.md": rules_reference,
    ROOT / "docs" / "troubleshooting.md": troubleshooting,
    ROOT / "docs" / "settings.md": settings_reference,
    ROOT / "docs" / "images" / "accuracy.svg": accuracy_picture,
    ROOT / "docs" / "accuracy.md": lambda: with_accuracy(ROOT / "docs" / "accuracy.md"),
    ROOT / "docs" / "planning.md": lambda: with_accuracy(ROOT / "docs" / "planning.md"),
    ROOT / "README.md": lambda: with_pictures(ROOT / "README.md"),
    ROOT / "docs" / "index.md": lambda: with_pictures(ROOT / "docs" / "index.md"),
}


def main() -> None:
    for file, make in GENERATED.items():
        file.write_text(make(), encoding="utf-8")


if __name__ == "__main__":
    main()
