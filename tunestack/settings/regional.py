"""What an environment's region must have for its stacks, and what can be done where it hasn't."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tunestack.catalogue.region_types import lacking, missing_regions, nearest_region
from tunestack.catalogue.regions import partition_of
from tunestack.settings.environment import Environment
from tunestack.settings.problems import Problem
from tunestack.settings.yaml_file import YamlFile


@dataclass(frozen=True, kw_only=True)
class Feature:
    """Resource types that one setting brings: its key, whether it is on, and what does without them."""

    types: frozenset[str]
    key: tuple[str, str]
    is_on: Callable[[Environment], bool]
    otherwise: str
    """How to go on, as the end of a sentence; `{region}` is a region that has them."""


_OPTIONAL = (
    Feature(
        types=frozenset({"AWS::Budgets::Budget"}),
        key=("budget", "alert_emails"),
        is_on=lambda environment: bool(environment.budget.alert_emails),
        otherwise="budget.alerts_region: {region} watches it from there",
    ),
    Feature(
        types=frozenset({"AWS::Signer::SigningProfile", "AWS::ECR::SigningConfiguration"}),
        key=("images", "signed"),
        is_on=lambda environment: environment.images.signed,
        otherwise="leave images.signed out, or choose {region}",
    ),
)
# What the delivery's own stack can't do without.
OF_DELIVERY = frozenset({"AWS::CodePipeline::Pipeline", "AWS::CodeBuild::Project"})


def types_always() -> frozenset[str]:
    """The types that every environment holds, whatever its settings."""
    optional = {kind for feature in _OPTIONAL for kind in feature.types}
    return frozenset(missing_regions().keys() - optional - {"AWS::CodePipeline::Pipeline"})


def regional_problems(source: YamlFile, environment: Environment) -> Iterator[Problem]:
    """What the stacks of an environment would hold that its region lacks."""
    region = environment.region
    if missing := lacking(region, types_always()):
        other = nearest_region(region, types_always())
        message = f"{region} has no {' and no '.join(missing)}, which the stacks need; {_choose(other)}"
        yield source.problem(("region",), message)
    elsewhere = environment.budget.alerts_region
    if elsewhere and partition_of(elsewhere) != partition_of(region):
        message = f"{elsewhere} is in another partition than {region}: an account has no key to it"
        yield source.problem(("budget", "alerts_region"), message)
    for feature in _OPTIONAL:
        where = (elsewhere or region) if feature.key[0] == "budget" else region
        if feature.is_on(environment) and (missing := lacking(where, feature.types)):
            other = nearest_region(where, types_always() | feature.types)
            otherwise = feature.otherwise.format(region=other) if other else f"leave {'.'.join(feature.key)} out"
            yield source.problem(feature.key, f"{where} has no {' and no '.join(missing)}; {otherwise}")


def delivery_problem(source: YamlFile, region: str) -> Problem | None:
    """What a delivery's region lacks."""
    if missing := lacking(region, OF_DELIVERY):
        other = nearest_region(region, OF_DELIVERY)
        return source.problem(("region",), f"{region} has no {' and no '.join(missing)}; {_choose(other)}")
    return None


def _choose(region: str | None) -> str:
    return f"choose a region that has it, such as {region}" if region else "no region of its partition has it"
