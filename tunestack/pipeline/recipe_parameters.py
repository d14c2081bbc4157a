"""The recipe's place in a pipeline: which of its fields a run can choose, and how the jobs get them."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from tunestack.pipeline.expressions import Parameter, ParameterType
from tunestack.settings.recipe import Recipe, field_schema

# Parameter → the recipe's field that it is the default of.
RUN_CHOICES = {
    "LearningRate": "training.learning_rate",
    "NumTrainEpochs": "training.num_train_epochs",
    "MaxSteps": "training.max_steps",
    "MaxLength": "training.max_length",
    "PerDeviceTrainBatchSize": "training.per_device_train_batch_size",
    "GradientAccumulationSteps": "training.gradient_accumulation_steps",
    "Seed": "training.seed",
    "LoraR": "lora.r",
    "LoraAlpha": "lora.lora_alpha",
    "MaxHeldoutLossRatio": "evaluation.max_heldout_loss_ratio",
    "MaxGeneralLossRatio": "evaluation.max_general_loss_ratio",
}
CHECKPOINT_KEY = "CheckpointKey"
# What a training's outcome doesn't depend on must not keep it from resuming.
NOT_IN_CHECKPOINT_KEY = frozenset(
    {
        "MaxHeldoutLossRatio",
        "MaxGeneralLossRatio",
        "TransformInputUri",
        "TrainInstanceType",
        "EvaluateInstanceType",
        "TransformInstanceType",
    }
)


class RecipeParameters:
    """A recipe with the fields that a run can choose replaced by pipeline parameters."""

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe
        self._by_field = {dotted: _parameter(name, dotted, recipe) for name, dotted in RUN_CHOICES.items()}

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
        return chosen | {"recipe": self.options("model", "data", "quantization", "lora", "training", plain=True)}

    def options(self, *sections: str, only: tuple[str, ...] = (), plain: bool = False) -> dict[str, Any]:
        """Fields of sections by dotted key, as a container takes them; lists as JSON, null left out."""
        fields = {
            f"{section}.{key}": value
            for section in sections
            for key, value in self.recipe[section].items()
            if value is not None and (not only or key in only)
        }
        return {
            dotted: self._by_field[dotted] if dotted in self._by_field and not plain else _plain(value)
            for dotted, value in fields.items()
        }


def checkpoint_key(values: Mapping[str, Any]) -> str:
    """A name for the checkpoints of a training: the same for the same values, so that it can resume.

    Values are compared as the strings that a container gets.
    """
    identifying = {key: str(value) for key, value in values.items() if key not in NOT_IN_CHECKPOINT_KEY}
    return hashlib.sha256(json.dumps(identifying, sort_keys=True).encode()).hexdigest()[:16]


def _plain(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, list) else value


def _parameter(name: str, dotted: str, recipe: Recipe) -> Parameter:
    section, key = dotted.split(".")
    value = recipe[section][key]
    if field_schema(dotted)["type"] == "integer":
        return Parameter(name=name, type=ParameterType.INTEGER, default=int(value))
    return Parameter(name=name, type=ParameterType.FLOAT, default=float(value))
