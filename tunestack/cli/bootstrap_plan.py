"""`tunestack bootstrap-plan`: how to bootstrap each account, and with which policies."""

import json
import tempfile
from contextlib import ExitStack
from pathlib import Path

import click

from tunestack.cli.synthesis import synthesize
from tunestack.errors import UserError
from tunestack.files import write_whole
from tunestack.permissions.deployment_policy import Target, deployment_policies, targets_of
from tunestack.permissions.world import World
from tunestack.settings.delivery import Delivery, load_delivery


@click.command("bootstrap-plan")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default=Path("bootstrap"), show_default=True)
@click.option("--assembly", type=click.Path(path_type=Path), help="A delivery that is synthesized already.")
def bootstrap_plan_command(out: Path, assembly: Path | None) -> None:
    """Print the commands that bootstrap every account of the delivery, and write the policies that they name.

    Each account trusts the delivery's; its deployments may do what the stacks' resources need, and nothing else.
    """
    delivery, environments = load_delivery()
    with ExitStack() as stack:
        folder = assembly
        if folder is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            synthesize("dev", folder, context={"delivery": "on"})
        stacks = list(World.read([folder]).stacks.values())
        if delivery.github:
            roles = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            synthesize(",".join(environments), roles, context={"github": "on"})
            stacks += [item for item in World.read([roles]).stacks.values() if item.kind == "github"]
        targets = targets_of(stacks)
    qualifiers = {
        (settings.environment.account, settings.environment.region): settings.environment.security.bootstrap_qualifier
        for settings in environments.values()
    }
    for target in targets:
        qualifier = qualifiers.get((target.account, target.region), delivery.bootstrap_qualifier)
        _plan(target, delivery, qualifier, out)


def _plan(target: Target, delivery: Delivery, qualifier: str, out: Path) -> None:
    """One account in one region."""
    click.echo(f"# account {target.account}, {target.region}: {', '.join(stack.name for stack in target.stacks)}")
    arns = []
    for number, policy in enumerate(deployment_policies(target, prefix=f"{delivery.project}-"), start=1):
        name = f"{delivery.project}-deploy-{target.region}-{number}"
        file = out / f"{target.account}-{target.region}-{number}.json"
        write_whole(file, json.dumps(policy, indent=1) + "\n")
        click.echo(f"aws iam create-policy --policy-name {name} --policy-document file://{file}")
        arns.append(f"arn:{target.partition}:iam::{target.account}:policy/{name}")
    if len(arns) > MOST_POLICIES:
        raise UserError(f"{target.account} would need {len(arns)} policies, and a role takes {MOST_POLICIES}")
    trust = "" if target.account == delivery.account else f" --trust {delivery.account}"
    trust += f" --trust-for-lookup {delivery.account}" if trust else ""
    click.echo(
        f"cdk bootstrap aws://{target.account}/{target.region} --qualifier {qualifier}{trust} "
        f"--cloudformation-execution-policies {','.join(arns)}\n"
    )


# Of managed policies on a role, by default ("IAM and AWS STS quotas").
MOST_POLICIES = 10
