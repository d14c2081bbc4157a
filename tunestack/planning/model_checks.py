"""Whether a recipe suits its model: what the libraries would refuse in a paid job is refused here."""

from collections.abc import Iterator

from tunestack.costs.workload import Workload
from tunestack.settings.problems import Problem, SettingsError
from tunestack.settings.recipe import Recipe
from tunestack.sizing.job.targets import changes_parameters, target_problems
from tunestack.sizing.model.architecture import Architecture


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
    targets = recipe.lora.target_modules
    if not isinstance(targets, str):
        yield from (("lora.target_modules", problem) for problem in target_problems(architecture, targets))
    named = ("all-linear",) if isinstance(targets, str) else tuple(targets)
    if recipe.lora.lora_dropout and changes_parameters(architecture, named):
        yield (
            "lora.lora_dropout",
            "must be 0: PEFT has no dropout for adapters on the parameters of joined experts; or name the attention's "
            "linears alone as lora.target_modules",
        )
