"""All stacks of one environment."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from aws_cdk import Annotations, DefaultStackSynthesizer, Environment, PermissionsBoundary, Stack, Tags
from constructs import Construct
from tunestack_cdk.cost_annotation import annotate_costs
from tunestack_cdk.role_path import put_roles_under

from stacks.images import ImagesStack
from stacks.network import NetworkStack
from stacks.observability import ObservabilityStack
from stacks.pipeline import PipelineStack
from stacks.promotion import PromotionStack
from stacks.registry import RegistryStack
from stacks.storage import StorageStack
from tunestack.costs.usage import images_usage, pipeline_usage, storage_usage
from tunestack.layout import StackName
from tunestack.money import total_usd
from tunestack.pipeline.resources import job_tags
from tunestack.planning.blueprint import Blueprint
from tunestack.planning.checks import failed_checks, failed_month_checks, time_risks, waive
from tunestack.settings.loading import Settings
from tunestack.settings.values import CDK_QUALIFIER


def add_environment(scope: Construct, blueprint: Blueprint, *, allow: Iterable[str] = ()) -> None:
    """Add an environment's stacks to an app or a stage, named `PROJECT-ENVIRONMENT-STACK`.

    Each goes to the settings' region, whatever the credentials' is; without an account there, to the credentials'.

    Raises:
        SettingsError: a job doesn't fit its machine, or budget or deadline are missed, and `allow` doesn't waive it.
    """
    waived = waive(failed_checks(blueprint), allow=allow)
    stacks = dict(_stacks(scope, blueprint))
    for stack in stacks.values():
        put_roles_under(stack, blueprint.settings.environment.security.role_path)
    standing_usd: float | None = 0.0
    usage = {
        StackName.STORAGE: storage_usage(blueprint.workload),
        StackName.IMAGES: images_usage(),
        StackName.PIPELINE: pipeline_usage(blueprint.workload),
    }
    for name, stack in stacks.items():
        runs = name is StackName.PIPELINE
        cost = annotate_costs(
            stack,
            region=blueprint.workload.region,
            usage=usage.get(name, ()),
            run=blueprint.run if runs else None,
            waived=waived if runs else (),
        )
        standing_usd = total_usd((standing_usd, cost.standing.usd_per_month))
        for key, value in job_tags(blueprint.settings).items():
            Tags.of(stack).add(key, value)
    warnings = Annotations.of(stacks[StackName.PIPELINE])
    for line in waive(failed_month_checks(blueprint, standing_usd=standing_usd), allow=allow):
        warnings.add_warning_v2("tunestack:waived", line)
    for line in time_risks(blueprint):
        warnings.add_warning_v2("tunestack:time", line)


class AccountsNamed(NamedTuple):
    """The other accounts that settings name: all that are known, and those that serve versions."""

    known: frozenset[str]
    consumers: frozenset[str]


def accounts_named_by(environments: Iterable[Settings]) -> AccountsNamed:
    """What settings name of other accounts."""
    every = list(environments)
    return AccountsNamed(
        known=frozenset(account for settings in every for account in settings.partner_accounts),
        consumers=frozenset(one for settings in every for one in settings.environment.registry.consumer_accounts),
    )


def _stacks(scope: Construct, blueprint: Blueprint) -> Iterator[tuple[StackName, Stack]]:
    settings = blueprint.settings

    security = settings.environment.security
    own: dict[str, Any] = {}
    if security.bootstrap_qualifier != CDK_QUALIFIER:
        own["synthesizer"] = DefaultStackSynthesizer(qualifier=security.bootstrap_qualifier)
    if security.permissions_boundary:
        own["permissions_boundary"] = PermissionsBoundary.from_name(security.permissions_boundary)

    def here(name: StackName) -> dict[str, Any]:
        stack_name = settings.names.stack(name)
        where = Environment(account=settings.environment.account, region=settings.region_of(name))
        # Named in a stage, too: there it would be another stack otherwise.
        return {"scope": scope, "construct_id": stack_name, "stack_name": stack_name, "env": where, **own}

    # It could be destroyed while the others use its key: references between stacks are weak. The others could not be
    # made again after a first deployment that failed, if they were protected.
    protected = not settings.deletes_data
    storage = StorageStack(**here(StackName.STORAGE), settings=settings, termination_protection=protected)
    yield StackName.STORAGE, storage
    network = None
    if settings.environment.network.is_made:
        network = NetworkStack(**here(StackName.NETWORK), settings=settings, key=storage.key)
        yield StackName.NETWORK, network
    images = ImagesStack(**here(StackName.IMAGES), settings=settings, key=storage.key)
    yield StackName.IMAGES, images
    registry = RegistryStack(**here(StackName.REGISTRY), settings=settings, storage=storage, images=images)
    yield StackName.REGISTRY, registry
    pipeline = PipelineStack(
        **here(StackName.PIPELINE),
        blueprint=blueprint,
        storage=storage,
        network=network,
        images=images,
        registry=registry,
    )
    yield StackName.PIPELINE, pipeline
    if settings.promoted_from:
        yield (
            StackName.PROMOTION,
            PromotionStack(**here(StackName.PROMOTION), blueprint=blueprint, storage=storage, pipeline=pipeline),
        )
    if settings.environment.budget.alert_emails:
        yield StackName.OBSERVABILITY, ObservabilityStack(**here(StackName.OBSERVABILITY), settings=settings)
