"""Whether a recipe suits its model: what the libraries would refuse in a paid job is refused here."""

from collections.abc import Iterator

from tunestack.costs.workload import Workload
from tunestack.settings.problems import Problem, SettingsError
from tunestack.settings.recipe import Recipe
from tunestack.sizing.job.trainable import is_parameter, takes_adapter
from tunestack.sizing.model.architecture import Architecture

HEAD = "lm_head"


def check_model(workload: Workload) -> None:
    """Refuse an attention kernel that the model's class is without, and adapters on linears that it hasn't.

    A model that nobody knows is the container's to check.

    Raises:
        SettingsError: with every problem.
    """
    if workload.architecture is None:
        return
    check_recipe(workload.recipe, workload.architecture, file=workload.settings.recipe_file)


def check_recipe(recipe: Recipe, architecture: Architecture, *, file: str) -> None:
    """The same of a recipe and a model.

    Raises:
        SettingsError: with every problem.
    """
    if problems := [Problem(file=file, key=key, message=message) for key, message in _problems(recipe, architecture)]:
        raise SettingsError(problems)


def _problems(recipe: Recipe, architecture: Architecture) -> Iterator[tuple[str, str]]:
    if recipe.model.attn_implementation == "sdpa" and architecture.lacks_sdpa:
        yield "model.attn_implementation", f"{architecture.name} has no sdpa kernel in transformers; choose eager"
    if recipe.quantization.load_in_4bit and not architecture.quantizable_parameters("nf4"):
        yield (
            "quantization.load_in_4bit",
            f"bitsandbytes gets none of {architecture.name}'s linears from transformers 5, since their class derives "
            "from nn.Linear: it would stay in 16 bit; set it to false, and size the job so",
        )
    if isinstance(recipe.lora.target_modules, str):
        return
    reached = [linear for _, linear in architecture.linears() if takes_adapter(linear)]
    names = sorted({name for linear in reached for name in (linear.formerly or (linear.name,))})
    for joined in sorted({linear.formerly for linear in reached if is_parameter(linear)}):
        present = sorted(set(joined) & set(recipe.lora.target_modules))
        if present and len(present) < len(joined):
            yield (
                "lora.target_modules",
                f"PEFT refuses {', '.join(present)} without {', '.join(sorted(set(joined) - set(present)))}: "
                f"transformers joins the experts' {' and '.join(joined)} into one parameter",
            )
    for target in recipe.lora.target_modules:
        if target == HEAD:
            yield (
                "lora.target_modules",
                f"{HEAD} can't have an adapter: TRL computes the loss from the head's own weights, so that it would "
                "never be trained",
            )
        elif not any(_names(target, name) for name in names):
            yield (
                "lora.target_modules",
                f"{architecture.name} has no linear {target!r} that an adapter could sit on; it has {', '.join(names)}",
            )


def _names(target: str, name: str) -> bool:
    """Whether PEFT takes a linear for the target: a module's whole name, or its end after a dot."""
    return target == name or target.endswith(f".{name}") or name.endswith(f".{target}")
