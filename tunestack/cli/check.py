"""`tunestack check`: what a change of the settings must pass before it is deployed; `make check` runs it."""

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

import click

from tunestack.cli.synthesis import CHECKED, ROOT, config_of, synthesize, tree_of
from tunestack.costs.assembly import assembly_costs
from tunestack.costs.diff import cost_diff
from tunestack.costs.diff_text import to_sentence
from tunestack.costs.stack_cost import StackCost
from tunestack.errors import UserError
from tunestack.money import usd
from tunestack.permissions.proof import prove
from tunestack.permissions.world import World
from tunestack.planning.blueprint import Blueprint, blueprint_of
from tunestack.planning.checks import CHECKS
from tunestack.settings.delivery import read_delivery
from tunestack.settings.loading import environment_names, load_settings
from tunestack.settings.recipe import CONFIG_FOLDER, load_recipe

# A synthesis is a process of one core and a half.
_AT_ONCE = 2
Costs = Mapping[str, StackCost]
T = TypeVar("T")
R = TypeVar("R")


@click.command("check")
@click.option("--env", "envs", multiple=True, metavar="NAME", help="One environment; again for more. Default: all.")
@click.option("--against", default="HEAD", show_default=True, metavar="REVISION", help="What costs are compared with.")
@click.option("--allow", multiple=True, type=click.Choice(CHECKS), help="Let this check fail, as `cdk -c allow` does.")
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), default=CHECKED,
    help="Where the assemblies go, one folder an environment. Default: .tunestack/check.",
)  # fmt: skip
def check_command(envs: tuple[str, ...], against: str, allow: tuple[str, ...], out: Path) -> None:
    """Check settings and recipes, synthesize with every pack of rules, prove the permissions, and say what it costs.

    Nothing is asked of AWS. All problems are said, and any of them is exit code 1.
    """
    names = list(envs) or environment_names()
    if not names:
        raise UserError(f"{CONFIG_FOLDER}: no environment, no NAME.yaml: there is nothing to check")
    if out == CHECKED:
        # What an earlier check of other environments left would be compared as if it were of now.
        shutil.rmtree(out, ignore_errors=True)
    _report("settings", _checked_files(names))
    context = {"packs": "all", "allow": ",".join(allow)}
    folders = {name: out / name for name in names}
    _each(names, lambda name: synthesize(name, folders[name], context=context))
    _report("stacks", f"{', '.join(names)}: no rule and no pack finds anything")
    _report("permissions", _proven(folders.values()))
    before = _costs_at(against, names) if _changed_since(against) else {}
    for name, folder in folders.items():
        _report("cost", f"{name}: {_cost(assembly_costs(folder), before, name, against)}")


def _report(what: str, line: str) -> None:
    click.echo(f"{what:<13}{line}")


def _checked_files(names: list[str]) -> str:
    """Read everything in the settings' folder, what no environment uses, too."""
    recipes = sorted((CONFIG_FOLDER / "recipes").glob("*.yaml"))
    reads: list[Callable[[], object]] = [
        *(partial(_blueprint, name) for name in names),
        *(partial(load_recipe, path, name=f"config/recipes/{path.name}") for path in recipes),
        read_delivery,
    ]
    delivery = ", the delivery" if _each(reads, lambda read: read())[-1] else ""
    return f"{', '.join(names)}; {len(recipes)} recipes{delivery}: good"


def _blueprint(name: str) -> Blueprint:
    return blueprint_of(load_settings(name))


def _each(items: Iterable[T], work: Callable[[T], R]) -> list[R]:
    """Do the work for each item, two at once, and raise together what they refuse."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        running = [pool.submit(work, item) for item in items]
        errors = [error for future in running if (error := future.exception())]
    if unexpected := next((error for error in errors if not isinstance(error, UserError)), None):
        raise unexpected
    if errors:
        raise UserError("\n".join(dict.fromkeys(str(error) for error in errors)))
    return [future.result() for future in running]


def _proven(folders: Iterable[Path]) -> str:
    proof = prove(World.read(folders))
    if not proof.holds:
        raise UserError("\n".join(f"refused: {broken}" for broken in proof.broken))
    unknown = "".join(f"; the boundary {name} isn't in any template, unknown" for name in proof.unknown_boundaries)
    return f"{len(proof.accesses):,} accesses that somebody needs: all are met{unknown}"


def _changed_since(revision: str) -> bool:
    """Whether any file differs from a revision's; without git, there is nothing to compare with."""
    known = _git("diff", "--quiet", revision, "--")
    if known.returncode > 1:
        click.echo(f"warning: costs are not compared: {known.stderr.strip().splitlines()[0]}", err=True)
        return False
    return known.returncode == 1 or bool(_git("ls-files", "--others", "--exclude-standard").stdout)


def _git(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)


def _costs_at(revision: str, names: list[str]) -> dict[str, Costs | None]:
    """Each environment's costs at a git revision; None where its synthesis failed then."""
    with tree_of(revision) as tree, tempfile.TemporaryDirectory() as out:

        def look(name: str) -> tuple[str, Costs | None]:
            if not (config_of(tree) / f"{name}.yaml").is_file():
                return name, {}
            try:
                synthesize(name, Path(out) / name, root=tree)
            except UserError as error:
                click.echo(f"warning: what {name} cost at {revision} is unknown: {error}", err=True)
                return name, None
            return name, assembly_costs(Path(out) / name)

        return dict(_each(names, look))


def _cost(now: Costs, before: Mapping[str, Costs | None], name: str, revision: str) -> str:
    """The totals, and what they change where that is known."""
    same = cost_diff(now, now)
    totals = f"{usd(same.month.after)} a month, {usd(same.run.after)} a run"
    if name not in before:
        return totals
    then = before[name]
    return (
        f"{totals}; since {revision} unknown"
        if then is None
        else f"since {revision}: {to_sentence(cost_diff(then, now))}"
    )
