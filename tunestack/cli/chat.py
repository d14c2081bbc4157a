"""`tunestack chat`: ask a registered version, on this machine."""

import sys

import click

from tunestack.cli.following import console
from tunestack.cli.options import aws_of, env_option
from tunestack.errors import UserError
from tunestack.executions.chat import Conversation, served
from tunestack.executions.versions import find_version


@click.command("chat")
@click.argument("version", default="latest")
@env_option
def chat_command(version: str, env: str) -> None:
    """Ask a VERSION of the registry (a number; default: the latest) on this machine. An empty line or Ctrl-D ends it.

    Questions may come through a pipe, one a line; each goes on with what was said before.
    """
    aws = aws_of(env)
    found = find_version(aws, version)
    console.print(f"version {found.number} ({found.approval}) is loaded …")
    conversation: Conversation = []
    with served(aws, found) as model:
        while question := _ask():
            try:
                said = model.answer([*conversation, {"role": "user", "content": question}])
            except UserError as error:
                click.echo(f"error: {error}", err=True)
                continue
            conversation += [{"role": "user", "content": question}, {"role": "assistant", "content": said}]
            click.echo(said)


def _ask() -> str:
    try:
        return input("> " if sys.stdin.isatty() else "").strip()
    except EOFError:
        return ""
