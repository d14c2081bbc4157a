"""The `tunestack` command: each group in a file of its own."""

import sys

import click
from botocore.exceptions import BotoCoreError, ClientError

from tunestack.aws import NotDeployedError
from tunestack.cli.definition import definition
from tunestack.cli.executions import describe_command, executions_command, logs_command, run_command
from tunestack.cli.local import local
from tunestack.cli.settings import settings
from tunestack.cli.staging import data, models
from tunestack.executions.errors import ExecutionError
from tunestack.local.lifecycle import LocalAwsError
from tunestack.settings import SettingsError
from tunestack.staging import StagingError

USER_ERRORS = (SettingsError, NotDeployedError, ExecutionError, StagingError, LocalAwsError)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def tunestack() -> None:
    """Fine-tune language models on Amazon SageMaker, and know what it costs."""


for command in (
    data,
    definition,
    describe_command,
    executions_command,
    local,
    logs_command,
    models,
    run_command,
    settings,
):
    tunestack.add_command(command)


def main() -> None:
    """Run the command; a user's mistake is a message and exit code 1, never a traceback."""
    try:
        tunestack()
    except USER_ERRORS as error:
        sys.exit(f"error: {error}")
    except (ClientError, BotoCoreError) as error:
        sys.exit(
            f"error: AWS says: {error}\nIs the local AWS running (`tunestack local up`), or are credentials missing?"
        )


if __name__ == "__main__":
    main()
