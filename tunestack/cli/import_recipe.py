"""`tunestack import`: another trainer's recipe as one of this kit."""

from pathlib import Path

import click

from tunestack.files import write_whole
from tunestack.settings.foreign_recipe import import_recipe


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="Write it there, such as config/recipes/mine.yaml.")
def import_command(file: Path, out: Path | None) -> None:
    """Make a recipe of another trainer's FILE (axolotl, LLaMA-Factory, TRL, transformers).

    Each value goes to its place; what became of every key is said beside it. What isn't named there takes this kit's
    defaults.
    """
    imported = import_recipe(file)
    for note in imported.notes:
        click.echo(note, err=True)
    if out is None:
        click.echo(imported.text, nl=False)
        return
    if out.exists():
        raise click.UsageError(f"{out} is there already: name another file, or take it away")
    write_whole(out, imported.text)
    click.echo(f"written: {out}; look at it, then `tunestack plan {out}`")
