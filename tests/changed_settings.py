"""Settings and blueprints of a shipped environment with something changed."""

from dataclasses import replace
from typing import Any

from tunestack.planning.blueprint import Blueprint, blueprint_of
from tunestack.settings.loading import Settings, load_settings
from tunestack.settings.recipe import changed_recipe


def changed(
    name: str = "prod", *, recipe: dict[str, dict[str, Any]] | None = None, **sections: dict[str, Any]
) -> Settings:
    """An environment's settings with some fields of its sections and of its recipe replaced."""
    settings = load_settings(name)
    environment = settings.environment
    for section, fields in sections.items():
        environment = environment.model_copy(update={section: getattr(environment, section).model_copy(update=fields)})
    dotted = {f"{section}.{key}": value for section, fields in (recipe or {}).items() for key, value in fields.items()}
    return replace(settings, environment=environment, recipe=changed_recipe(settings.recipe, dotted))


def changed_blueprint(name: str = "prod", **changes: Any) -> Blueprint:
    """The same, with all that follows from it."""
    return blueprint_of(changed(name, **changes))
