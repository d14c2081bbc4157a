"""Write anew what is generated and checked in; `make generated`. Tests fail when one of them is stale."""

import json
import sys
from pathlib import Path

from tunestack.settings.schema import environment_schema

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "training_code"))


def recipe_schema() -> str:
    """The recipe's JSON Schema, from training_code's classes."""
    from tunestack_training.recipe import Recipe

    return json.dumps(Recipe.model_json_schema(), indent=2) + "\n"


def settings_schema() -> str:
    """The environments' JSON Schema."""
    return json.dumps(environment_schema(), indent=2) + "\n"


GENERATED = {
    ROOT / "training_code" / "recipe.schema.json": recipe_schema,
    ROOT / "config" / "settings.schema.json": settings_schema,
}


def main() -> None:
    for file, make in GENERATED.items():
        file.write_text(make(), encoding="utf-8")


if __name__ == "__main__":
    main()
