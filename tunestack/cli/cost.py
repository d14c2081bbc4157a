"""`tunestack cost`: what a change costs, and an environment's report."""

import json
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tunestack.cli.lazy import SuggestingGroup
from tunestack.cli.options import aws_of, env_option, json_option, show
from tunestack.cli.synthesis import assembly_of, synthesize
from tunestack.costs.assembly import assembly_costs
from tunestack.costs.diff import cost_diff
from tunestack.costs.diff_text import to_json, to_markdown, to_sentence
from tunestack.errors import UserError
from tunestack.layout import StackName
from tunestack.money import in_hours, usd

if TYPE_CHECKING:
    from tunestack.executions.actual import Actual


@click.group(cls=SuggestingGroup)
def cost() -> None:
    """What stacks and runs cost: report, comparison, estimate against fact."""


@cost.command("diff")
@click.argument("old")
@click.argument("new")
@click.option("--env", default="dev", show_default=True, help="Of git revisions, the environment to synthesize.")
@click.option("--markdown", "as_markdown", is_flag=True, help="Print Markdown, for a pull request's comment.")
@json_option
def diff_command(old: str, new: str, env: str, as_markdown: bool, as_json: bool) -> None:
    """Compare two cloud assemblies' folders, or two git revisions: what the change costs a month and a run."""
    with assembly_of(old, env) as before, assembly_of(new, env) as after:
        found = cost_diff(assembly_costs(before), assembly_costs(after))
    if as_json:
        click.echo(json.dumps(to_json(found), indent=2))
        return
    text = to_markdown(found, title=f"Cost of the change: {old} → {new}")
    if as_markdown:
        click.echo(text, nl=False)
        return
    from rich.console import Console
    from rich.markdown import Markdown

    Console().print(Markdown(text.replace("<details><summary>Resources</summary>", "").replace("</details>", "")))


@cost.command("report")
@click.option("--env", default="dev", show_default=True, help="The environment, a file in config/.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help=".html, .md or .json")
def report_command(env: str, out: Path) -> None:
    """Write an environment's report: memory, plans, costs per stack and step, assumptions with their dates."""
    from tunestack.planning.blueprint import blueprint_of
    from tunestack.report import check_place, write_report
    from tunestack.settings.loading import load_settings

    check_place(out)
    blueprint = blueprint_of(load_settings(env))
    with tempfile.TemporaryDirectory() as folder:
        synthesize(env, Path(folder))
        stacks = assembly_costs(Path(folder))
    write_report(blueprint, stacks, out)
    click.echo(f"written: {out}")


@cost.command("review")
@click.argument("assembly", type=click.Path(path_type=Path))
@env_option
@click.option("--role-arn", help="Who reads what is deployed. Default: the bootstrap's lookup role.")
@click.option("--max-increase-usd-per-month", type=click.FloatRange(min=0), help="More is refused (exit code 1).")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write the whole comparison, as Markdown.")
def review_command(
    assembly: Path, env: str, role_arn: str | None, max_increase_usd_per_month: float | None, out: Path | None
) -> None:
    """Compare a cloud ASSEMBLY with what is deployed: what it changes a month and a run, and which steps.

    A delivery pipeline shows it to who approves.
    """
    from tunestack.executions.deployed import deployed_costs, lookup_role_arn
    from tunestack.files import write_whole

    aws = aws_of(env, acts_as="deployer")
    settings, role = aws.settings, role_arn or lookup_role_arn(aws.settings)

    def cloudformation(stack: StackName) -> Any:
        return aws.client_of_role("cloudformation", role, region=settings.region_of(stack))

    before = deployed_costs(cloudformation, settings.names)
    found = cost_diff(before, assembly_costs(assembly))
    if out is not None:
        write_whole(out, to_markdown(found, title=f"Deployment to {env}"))
    click.echo(to_sentence(found) if before else f"First deployment. {to_sentence(found)}")
    increase = found.month.difference
    if (
        max_increase_usd_per_month is not None
        and before
        and (increase is None or increase > max_increase_usd_per_month)
    ):
        shown = "by an unknown amount" if increase is None else f"by {usd(increase)} a month"
        raise UserError(f"the standing cost grows {shown}, and {usd(max_increase_usd_per_month)} are allowed")


@cost.command("actual")
@click.argument("execution", default="latest")
@env_option
@json_option
def actual_command(execution: str, env: str, as_json: bool) -> None:
    """Compare what an EXECUTION was expected to cost with what is billed for it, and say what was off."""
    from tunestack.executions.actual import actual

    found = actual(aws_of(env), execution)
    plain = {**asdict(found), "expected_usd": found.expected_usd, "billed_usd": found.billed_usd}
    show(plain, as_json=as_json, text=lambda: _print_actual(found))


def _print_actual(found: "Actual") -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("step", "instance", "hours expected", "billed", "$ expected", "billed", box=None)
    for step in found.steps:
        hours = (in_hours(step.expected_hours, decimals=3), in_hours(step.billed_hours, decimals=3))
        table.add_row(step.step, step.instance_type, *hours, usd(step.expected_usd), usd(step.billed_usd))
    table.add_row("all", "", "", "", usd(found.expected_usd), usd(found.billed_usd))
    Console().print(table)
    for line in found.findings:
        click.echo(line)
