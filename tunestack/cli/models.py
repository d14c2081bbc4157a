"""`tunestack models`: base models, and the registered versions of tuned ones."""

import re
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.markup import escape
from rich.table import Column, Table

from tunestack.aws import Aws
from tunestack.catalogue.models import model_configs
from tunestack.cli.following import console
from tunestack.cli.lazy import SuggestingGroup
from tunestack.cli.options import aws_of, env_option, json_option, show
from tunestack.cli.staging import TRAINING_PYTHON, show_parameter
from tunestack.errors import UserError
from tunestack.executions.promotion import ask_for_promotion, list_promotions, list_refusals, source_version_arn
from tunestack.executions.results import GATE
from tunestack.executions.versions import (
    APPROVED,
    REJECTED,
    Version,
    decide,
    delete_versions,
    find_version,
    list_versions,
    refuse_where_data_is_kept,
)
from tunestack.executions.who import NOT_KNOWN, refuse_own_work, started_by
from tunestack.jobs import BASE_MODEL_URI
from tunestack.pipeline.promotion import SOURCE_VERSION_KEY
from tunestack.sizing.model.families import from_config
from tunestack.uploads import UploadError, add_model, download_from_hub
from tunestack.uploads.dry_run import dry_run as dry_run_of
from tunestack.uploads.model import check_model_folder

UNDECIDED = "undecided"
_WRAPPED = ("right", "registered")
_COLORS = {APPROVED: "green", REJECTED: "red"}
_reason = click.option("--reason", help="Why; it stays with the version.")


@click.group(cls=SuggestingGroup)
def models() -> None:
    """Base models, and the registered versions of tuned ones.

    Approving and rejecting is the approver role's, deleting the deployer's: the trainer role may do neither.
    """


@models.command("presets")
@json_option
def presets(as_json: bool) -> None:
    """The models whose shape is known by their hub id; of any other, `plan` and `memory` take its config.json."""
    found = [from_config(config, name=name) for name, config in sorted(model_configs().items())]
    rows = [
        {"model": item.name, "parameters": item.parameters, "layers": item.depth, "vocabulary": item.vocabulary}
        for item in found
    ]

    def text() -> None:
        table = Table("model", "parameters", "layers", "vocabulary", box=None)
        for item in found:
            table.add_row(item.name, f"{item.parameters:,}", str(item.depth), f"{item.vocabulary:,}")
        console.print(table)

    show(rows, as_json=as_json, text=text)


@models.command("add")
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("--from-hub", help="Download this model of the Hugging Face hub instead.")
@click.option("--name", help="Default: the recipe's model.name_or_path.")
@click.option("--revision", help="Default: the recipe's model.revision; of another model, what is main today.")
@click.option(
    "--dry-run/--no-dry-run",
    default=True,
    help="First train, judge, pack and serve a shrunken model of its kind here, in half a minute. Default: do.",
)
@env_option
@json_option
def add_base_model(
    folder: Path | None,
    from_hub: str | None,
    name: str | None,
    revision: str | None,
    dry_run: bool,
    env: str,
    as_json: bool,
) -> None:
    """Upload a base model from FOLDER or the hub; where the recipe names it, a run finds it by itself."""
    if (folder is None) == (from_hub is None):
        raise UploadError("give either a FOLDER or --from-hub MODEL")
    aws = aws_of(env)
    name = name or from_hub or aws.settings.recipe.model.name_or_path
    # The recipe's commit is its own model's: of another, the hub says which is today's.
    of_recipe = from_hub in (None, aws.settings.recipe.model.name_or_path)
    revision = revision or (aws.settings.recipe.model.revision if of_recipe else "main")
    if from_hub is None:
        assert folder is not None
        _try(aws, folder, wanted=dry_run)
        uri = add_model(aws, folder, name=name, revision=revision)
    else:
        with tempfile.TemporaryDirectory() as downloaded:
            commit = download_from_hub(from_hub, revision=revision, folder=Path(downloaded), python=TRAINING_PYTHON)
            _try(aws, Path(downloaded), wanted=dry_run)
            uri = add_model(aws, Path(downloaded), name=name, revision=commit)
        if commit != revision:
            click.echo(f"{revision} is {commit} today: name that in the recipe (model.revision: {commit})", err=True)
    show_parameter(BASE_MODEL_URI.name, uri, as_json=as_json)


@models.command("list")
@env_option
@json_option
def list_registered(env: str, as_json: bool) -> None:
    """List the registered versions, newest first."""
    found = list(list_versions(aws_of(env)))

    def text() -> None:
        columns = ("version", "approval", "gate", "right", "loss", "registered", "execution")
        # In 80 columns, too, what is typed into the next command is never cut.
        table = Table(*(Column(name, no_wrap=name not in _WRAPPED) for name in columns), box=None)
        for item in found:
            execution, gate = (item.metadata.get(name, "") for name in ("pipeline_execution_id", GATE))
            right, ratio = _right(item), _loss_ratio(item)
            table.add_row(str(item.number), _colored(item), gate, right, ratio, item.created[:10], execution)
        console.print(table if found else "no version yet; a run that passes its gate registers one")

    show([asdict(item) for item in found], as_json=as_json, text=text)


@models.command("show")
@click.argument("version", default="latest")
@env_option
@json_option
def show_registered(version: str, env: str, as_json: bool) -> None:
    """Show a VERSION (a number, or latest): its approval, figures, archive and image."""
    aws = aws_of(env)
    found = find_version(aws, version)
    starter = started_by(aws, found)

    def text() -> None:
        console.print(f"version {found.number}  {_colored(found)}  registered {found.created}")
        if found.approval_reason:
            console.print(f"  reason: {escape(found.approval_reason)}")
        for label, value in (
            ("archive", found.model_data_url),
            ("image", found.image_uri),
            ("evaluation", found.evaluation_uri),
            ("run started by", starter or NOT_KNOWN),
            *found.metadata.items(),
        ):
            console.print(f"  {label}: {escape(str(value))}")

    show({**asdict(found), "started_by": starter}, as_json=as_json, text=text)


@models.command("approve")
@click.argument("version")
@_reason
@env_option
def approve(version: str, reason: str | None, env: str) -> None:
    """Approve a VERSION (a number, or latest): whoever deploys models may use it."""
    _decide(version, APPROVED, reason, env)


@models.command("reject")
@click.argument("version")
@_reason
@env_option
def reject(version: str, reason: str | None, env: str) -> None:
    """Reject a VERSION (a number, or latest); one that was approved is no longer."""
    _decide(version, REJECTED, reason, env)


@models.command("promote")
@click.argument("version")
@env_option
def promote(version: str, env: str) -> None:
    """Take in a VERSION (a number) of the environment that models come from: an approval there does it by itself.

    It must be approved there. What was taken in already is left alone; a promotion that failed is tried again.
    """
    aws = aws_of(env, acts_as="approver")
    arn = source_version_arn(aws, version)
    ask_for_promotion(aws, arn)
    click.echo(f"asked for {arn}; `tunestack models history --env {env}` shows how it goes")


@models.command("history")
@env_option
@json_option
def history(env: str, as_json: bool) -> None:
    """Show where each registered version came from, what was decided on it, and what is under way."""
    aws = aws_of(env)
    versions, promotions, refusals = list(list_versions(aws)), list_promotions(aws), list_refusals(aws)

    def text() -> None:
        table = Table("version", "came from", "approval", "reason", "registered", box=None)
        for item in versions:
            origin = item.metadata.get(SOURCE_VERSION_KEY, "")
            came = "/".join(origin.split("/")[-2:]) if origin else "trained here"
            table.add_row(str(item.number), came, _colored(item), escape(item.approval_reason or ""), item.created)
        console.print(table if versions else "no version yet")
        for promotion in promotions:
            if promotion.status != "Succeeded":
                console.print(
                    f"promotion of {promotion.name}: {promotion.status}, execution {promotion.execution}, "
                    f"started {promotion.started}"
                )

        for refusal in refusals:
            console.print(f"not taken in, {refusal.at}: {escape(refusal.reason)}")

    found: dict[str, Sequence[Any]] = {"versions": versions, "promotions": promotions, "refused": refusals}
    plain = {name: [asdict(item) for item in items] for name, items in found.items()}
    show(plain, as_json=as_json, text=text)


@models.command("delete")
@click.argument("version")
@click.option("--yes", is_flag=True, help="Don't ask.")
@env_option
def delete_registered(version: str, yes: bool, env: str) -> None:
    """Delete a VERSION of the registry (dev and local only); `tunestack delete` then frees its execution's files."""
    aws = aws_of(env, acts_as="deployer")
    refuse_where_data_is_kept(aws, "the versions")
    found = find_version(aws, version)
    if not yes:
        click.confirm(f"delete version {found.number} ({found.approval})?", abort=True)
    aws.sagemaker.delete_model_package(ModelPackageName=found.arn)
    click.echo(f"deleted version {found.number}")


@models.command("delete-versions")
@click.confirmation_option(prompt="Delete every registered version of the environment?")
@env_option
def delete_all_versions(env: str) -> None:
    """Delete every registered version, so that `cdk destroy` can delete their group; dev and local only."""
    deleted = delete_versions(aws_of(env, acts_as="deployer"))
    for arn in deleted:
        click.echo(f"deleted {arn}")
    click.echo(f"{len(deleted)} versions deleted")


def _try(aws: Aws, folder: Path, *, wanted: bool) -> None:
    check_model_folder(folder)
    if not wanted:
        return
    click.echo("a shrunken model of its kind goes the whole way first (--no-dry-run leaves that out)", err=True)
    if why_not := dry_run_of(folder, aws.settings.recipe, python=TRAINING_PYTHON):
        click.echo(f"warning: it wasn't tried: {why_not}", err=True)


def _decide(version: str, approval: str, reason: str | None, env: str) -> None:
    aws = aws_of(env, acts_as="approver")
    found = find_version(aws, version)
    if approval == APPROVED:
        refuse_own_work(aws, found)
        if found.metadata.get(GATE) == UNDECIDED and found.approval != APPROVED and not reason:
            raise UserError(
                f"the gate of version {found.number} is undecided ({found.metadata.get('evaluation', '')}): look at "
                "what it answers (`tunestack answers`) and give a --reason why it is good enough, or train with more "
                "held-out rows"
            )
    decide(aws, found, approval, reason=reason)
    console.print(f"version {found.number} of {aws.model_package_group_name}: {found.approval} → {approval}")


def _colored(version: Version) -> str:
    color = _COLORS.get(version.approval, "yellow")
    return f"[{color}]{version.approval}[/{color}]"


def _right(version: Version) -> str:
    """How many held-out answers are right, out of the evaluation's message (`right 3 of 4 base 0 heldout…`)."""
    found = re.search(r"right (\d+) of (\d+) base (\d+)", version.metadata.get("evaluation", ""))
    return f"{found[3]} → {found[1]} of {found[2]}" if found else ""


def _loss_ratio(version: Version) -> str:
    """The ratio of the held-out losses, out of the same (`heldout.loss_ratio 0.7 = 2.8 / 4.0 on 12 rows`)."""
    found = re.search(r"heldout\.loss_ratio ([\d.]+)", version.metadata.get("evaluation", ""))
    return found[1] if found else ""
