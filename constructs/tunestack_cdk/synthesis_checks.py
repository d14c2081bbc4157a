"""What every synthesis is held to: cdk-nag's packs, the kit's rules, the permission proof, what a region has."""

from collections.abc import Iterable, Mapping

from aws_cdk import App, Validations
from cdk_nag import AwsSolutionsChecks, HIPAASecurityChecks, NIST80053R5Checks, PCIDSS321Checks

from tunestack_cdk.permission_checks import PermissionChecks
from tunestack_cdk.region_checks import RegionChecks
from tunestack_cdk.rule_pack import TunestackChecks

# What each costs at every synthesis is why a deployment is held to the first alone; `make check` runs all.
EVERY_PACK = (AwsSolutionsChecks, NIST80053R5Checks, HIPAASecurityChecks, PCIDSS321Checks)


def add_checks(
    app: App,
    *,
    accepted: Mapping[str, str] | None = None,
    known_accounts: Iterable[str] = (),
    consumer_accounts: Iterable[str] = (),
) -> None:
    """Hold the synthesis to them; `-c packs=all` adds NIST 800-53 R5, HIPAA Security and PCI DSS 3.2.1.

    `accepted` are the kit's own rules' findings that may stand, and `known_accounts` the other accounts that the stacks
    may name, as `TunestackChecks` takes them. The `consumer_accounts` are known, and let in whole to read versions.
    """
    consumers = list(consumer_accounts)
    packs = EVERY_PACK if app.node.try_get_context("packs") == "all" else (AwsSolutionsChecks,)
    Validations.of(app).add_plugins(
        *(pack(app) for pack in packs),
        TunestackChecks(
            {**(accepted or {}), **accepted_consumers(consumers)}, known_accounts=[*known_accounts, *consumers]
        ),
        PermissionChecks(),
        RegionChecks(),
    )


def accepted_consumers(accounts: Iterable[str]) -> dict[str, str]:
    """What may stand where these accounts serve versions, as `TunestackChecks` takes it."""
    reason = "registry.consumer_accounts: which of its roles deploy versions is for that account to say."
    return {f"foreign_access *: lets in the whole of {account}:*": reason for account in accounts}
