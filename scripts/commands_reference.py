"""docs/commands.md: every command with its arguments and options, as `--help` says them; the pipeline's parameters."""

from collections.abc import Iterator

import click

from tunestack.cli.main import tunestack
from tunestack.executions.parameters import declared_parameters
from tunestack.planning.blueprint import blueprint_of
from tunestack.settings.loading import load_settings

_HEAD = """# Commands

Made from the commands themselves. Each answers `--help`; with `--json` it prints JSON for programs, and nothing else.
Colours are left out in a pipe.

| exit code | means |
|---|---|
| 0 | done; of a run: it succeeded |
| 1 | refused, failed or stopped, with the reason on standard error |
| 2 | the command line can't be read: an unknown command or option, a value of another kind |

`eval "$(_TUNESTACK_COMPLETE=bash_source tunestack)"` completes commands and options in bash (`zsh_source` in zsh,
`fish_source` in fish).
"""
_PARAMETERS = """
## The pipeline's parameters

What `tunestack run --param NAME=VALUE` and `tunestack tune --param NAME=VALUE` take, with dev's defaults; a recipe's
fields are explained in [the settings](settings.md).

| parameter | type | default |
|---|---|---|
"""


def commands_reference() -> str:
    """The page."""
    return _HEAD + "".join(_commands(tunestack, click.Context(tunestack, info_name="tunestack"))) + _parameters()


def _commands(group: click.Group, context: click.Context) -> Iterator[str]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        inner = click.Context(command, info_name=name, parent=context)
        if isinstance(command, click.Group):
            yield from _commands(command, inner)
        else:
            yield _section(command, inner)


def _section(command: click.Command, context: click.Context) -> str:
    arguments = " ".join(command.collect_usage_pieces(context)).replace("[OPTIONS]", "").strip()
    lines = [
        f"\n## `{context.command_path}{f' {arguments}' if arguments else ''}`\n",
        f"\n{_unwrapped(command.help)}\n",
    ]
    records = [
        record
        for parameter in command.get_params(context)
        if isinstance(parameter, click.Option)
        and (record := parameter.get_help_record(context))
        and "--help" not in record[0]
    ]
    if records:
        lines += [
            "\n| option | |\n|---|---|\n",
            *(f"| `{_cell(option)}` | {_cell(text)} |\n" for option, text in records),
        ]
    return "".join(lines)


def _parameters() -> str:
    declared = declared_parameters(blueprint_of(load_settings("dev")).definition)
    rows = (
        f"| `{name}` | {_type(parameter)} | `{_cell(str(parameter.get('DefaultValue', '')))}` |\n"
        for name, parameter in sorted(declared.items())
        # Its default is a hash, and a run chooses it by itself.
        if name != "CheckpointKey"
    )
    return _PARAMETERS + "".join(rows)


def _type(parameter: dict[str, object]) -> str:
    choices = parameter.get("EnumValues")
    return " or ".join(f"`{choice}`" for choice in choices) if isinstance(choices, list) else str(parameter["Type"])


def _unwrapped(text: str | None) -> str:
    return "\n\n".join(" ".join(part.split()) for part in (text or "").split("\n\n"))


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
