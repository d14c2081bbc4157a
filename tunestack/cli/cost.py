"""`tunestack cost`: what a change costs, and an environment's report."""

import json
import tempfile
from pathlib import Path

import click

from tunestack.cli.synthesis import assembly_of, synthesize
from tunestack.costs.assembly import assembly_costs
from tunestack.costs.diff import cost_diff
from tunestack.costs.diff_text import to_json, to_markdown

_FORMATS = ("text", "markdown", "json")


@click.group()
def cost() -> None:
    """What stacks and runs cost: report, comparison, estimate against fact."""


@cost.command("diff")
@click.argument("old")
@click.argument("new")
@click.option("--env", default="dev", show_default=True, help="Of git revisions, the environment to synthesize.")
@click.option("--format", "form", type=click.Choice(_FORMATS), default="text", show_default=True)
def diff_command(old: str, new: str, env: str, form: str) -> None:
    """Compare two cloud assemblies' folders, or two git revisions: what the change costs a month and a run."""
    with assembly_of(old, env) as before, assembly_of(new, env) as after:
        found = cost_diff(assembly_costs(before), assembly_costs(after))
    if form == "json":
        click.echo(json.dumps(to_json(found), indent=2))
        return
    text = to_markdown(found, title=f"Cost of the change: {old} → {new}")
    if form == "markdown":
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
    from tunestack.report import write_report
    from tunestack.settings import load_settings

    settings = load_settings(env)
    with tempfile.TemporaryDirectory() as folder:
        synthesize(env, Path(folder))
        stacks = assembly_costs(Path(folder))
    write_report(settings, stacks, out)
    click.echo(f"written: {out}")
