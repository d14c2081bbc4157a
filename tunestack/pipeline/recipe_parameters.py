"""The recipe's place in a pipeline: which of its fields a run can choose, and how the jobs get them."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from tunestack.jobs import JOBS, TRAIN, TRANSFORM_INPUT_URI
from tunestack.pipeline.expressions import Parameter, ParameterType
from tunestack.settings.recipe import Recipe, recipe_value

# The gate's limits: a run may lower them only.
GATE_LIMITS = (
    "evaluation.max_heldout_loss_ratio",
    "evaluation.max_general_loss_ratio",
    "evaluation.max_heldout_error_rate",
    "evaluation.max_heldout_error_increase",
)
_CHOICES = (
    "training.learning_rate",
    "training.num_train_epochs",
    "training.max_steps",
    "training.max_length",
    "training.per_device_train_batch_size",
    "training.gradient_accumulation_steps",
    "training.seed",
    "lora.r",
    "lora.lora_alpha",
    *GATE_LIMITS,
)
CHECKPOINT_KEY = "CheckpointKey"


def parameter_name(dotted: str) -> str:
    """The parameter of a field: Hugging Face's name in PascalCase. A name of one letter follows its section's."""
    section, key = dotted.split(".")
    words = key.split("_") if len(key) > 1 else [section, key]
    return "".join(word.capitalize() for word in words)


# Parameter → the recipe's field that it is the default of.
RUN_CHOICES = {parameter_name(dotted): dotted for dotted in _CHOICES}
# What a training's outcome doesn't depend on must not keep it from resuming.
NOT_IN_CHECKPOINT_KEY = frozenset(
    {
        *(name for name, dotted in RUN_CHOICES.items() if dotted.split(".")[0] not in TRAIN.recipe),
        TRANSFORM_INPUT_URI.name,
        *(job.instance_parameter for job in JOBS if job.instance_parameter),
    }
)


def run_choices(deployed: Recipe, wanted: Recipe) -> tuple[dict[str, str], list[str]]:
    """What makes a run of a deployed recipe one of another: parameters, and fields that only a deployment changes."""
    parameters, fixed = {}, []
    names = {dotted: name for name, dotted in RUN_CHOICES.items()}
    for section, fields in wanted.model_dump().items():
        for key, value in fields.items():
            dotted = f"{section}.{key}"
            if value == recipe_value(deployed, dotted):
                continue
            if dotted in names and value != "auto":
                parameters[names[dotted]] = str(value)
            else:
                fixed.append(dotted)
    return parameters, fixed


class RecipeParameters:
    """A recipe with the fields that a run can choose replaced by pipeline parameters."""

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe
        self._by_field = {
            dotted: _parameter(name, recipe_value(recipe, dotted)) for name, dotted in RUN_CHOICES.items()
        }

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The parameters, in the order of RUN_CHOICES."""
        return tuple(self._by_field.values())

    def parameter(self, dotted: str) -> Parameter:
        """The parameter of a field that a run can choose."""
        return self._by_field[dotted]

    def defaults(self) -> dict[str, Any]:
        """All that the training's outcome depends on, as the recipe gives it."""
        chosen = {parameter.name: parameter.default for parameter in self.parameters}
        return chosen | {"recipe": self._plain_options(*TRAIN.recipe)}

    def options(self, *parts: str) -> dict[str, Any]:
        """Fields by dotted key, as a container takes them; a part is a section, or one field of it."""
        return {dotted: self._by_field.get(dotted, value) for dotted, value in self._plain_options(*parts).items()}

    def _plain_options(self, *parts: str) -> dict[str, Any]:
        """Lists as JSON, null left out."""
        fields = {
            f"{section}.{key}": value
            for section in dict.fromkeys(part.split(".")[0] for part in parts)
            for key, value in getattr(self.recipe, section).model_dump().items()
            if value is not None and (section in parts or f"{section}.{key}" in parts)
        }
        return {dotted: json.dumps(value) if isinstance(value, list) else value for dotted, value in fields.items()}


def checkpoint_key(values: Mapping[str, Any]) -> str:
    """A name for the checkpoints of a training: the same for the same values, so that it can resume.

    Values are compared as the strings that a container gets.
    """
    identifying = {key: str(value) for key, value in values.items() if key not in NOT_IN_CHECKPOINT_KEY}
    return hashlib.sha256(json.dumps(identifying, sort_keys=True).encode()).hexdigest()[:16]


def _parameter(name: str, value: float) -> Parameter:
    # `auto` is resolved before a pipeline is built, and no other choice is anything but a number.
    assert isinstance(value, (int, float)) and not isinstance(value, bool), f"{name}: {value!r} is no number"
    kind = ParameterType.INTEGER if isinstance(value, int) else ParameterType.FLOAT
    return Parameter(name=name, type=kind, default=value)
