"""`tunestack access`: whether everybody reaches what he needs, proven from templates."""

import json
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from tunestack.cli.following import console
from tunestack.cli.options import show
from tunestack.cli.synthesis import synthesize
from tunestack.errors import UserError
from tunestack.permissions.proof import Proof, prove
from tunestack.permissions.world import World
from tunestack.settings.loading import load_settings


@click.command("access")
@click.argument("assemblies", nargs=-1, type=click.Path(path_type=Path))
@click.option("--env", "envs", default="dev", show_default=True, help="The environments, as dev,staging,prod.")
@click.option("--boundary", "boundaries", multiple=True, metavar="NAME=FILE", help="A permissions boundary's policy.")
@click.option("--unneeded", is_flag=True, help="Show what is granted and nothing needs.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def access_command(
    assemblies: tuple[Path, ...], envs: str, boundaries: tuple[str, ...], unneeded: bool, as_json: bool
) -> None:
    """Prove that every job, pipeline, function and build can do what it must, over all accounts.

    Reads cloud assemblies, or synthesizes the environments. Each access is asked of identity, resource, key and
    endpoint policies and boundaries together. What is refused is named (exit code 1), with the policy that refuses.
    """
    policies = dict(_boundary(given) for given in boundaries)
    with ExitStack() as stack:
        folders = assemblies or (_synthesized(stack, envs),)
        proof = prove(World.read(folders), boundaries=policies)
    show(_plain(proof), as_json=as_json, text=lambda: _print(proof, unneeded=unneeded))
    if not proof.holds:
        sys.exit(1)


def _synthesized(stack: ExitStack, envs: str) -> Path:
    for name in envs.split(","):
        load_settings(name)
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    synthesize(envs, folder)
    return folder


def _boundary(given: str) -> tuple[str, dict[str, Any]]:
    name, _, file = given.partition("=")
    try:
        document = json.loads(Path(file).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"--boundary {given}: must be NAME=FILE with the policy's JSON: {error}") from None
    if not isinstance(document, dict) or "Statement" not in document:
        raise UserError(f"--boundary {given}: the file has no policy document: no Statement")
    return name, document


def _print(proof: Proof, *, unneeded: bool) -> None:
    for broken in proof.broken:
        console.print(f"broken: {broken}", markup=False)
    for name in proof.unknown_boundaries:
        console.print(f"not looked at: the boundary {name}, which no template holds; give it as --boundary {name}=FILE")
    if unneeded:
        for item in proof.unneeded:
            console.print(f"unneeded: {item}", markup=False)
    verdict = "all are met" if proof.holds else f"{len(proof.broken)} are refused"
    console.print(f"{len(proof.accesses):,} accesses that somebody needs: {verdict}")


def _plain(proof: Proof) -> dict[str, Any]:
    return {
        "accesses": len(proof.accesses),
        "broken": [
            {
                "by": item.access.by,
                "principal": item.access.principal,
                "action": item.access.action,
                "resource": item.access.resource,
                "stack": item.stack,
                "reason": item.reason,
            }
            for item in proof.broken
        ],
        "unneeded": [str(item) for item in proof.unneeded],
        "unknown_boundaries": list(proof.unknown_boundaries),
    }
