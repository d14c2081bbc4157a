"""The `tunestack` command: each group in a file of its own, imported when it is called."""

import sys

import click

from tunestack.cli.lazy import LazyGroup
from tunestack.errors import UserError

COMMANDS = {
    "answers": ("answers:answers_command", "Show what base and tuned model answer, side by side."),
    "cost": ("cost:cost", "What a change costs; an environment's report."),
    "data": ("uploads:data", "Upload data sets."),
    "definition": ("definition:definition", "Show and validate pipeline definitions."),
    "describe": ("executions:describe_command", "Show an execution, step by step."),
    "executions": ("executions:executions_command", "List the pipeline's executions."),
    "local": ("local:local", "Start and stop an AWS on this machine."),
    "logs": ("executions:logs_command", "Print a step's log."),
    "memory": ("memory:memory_command", "What one job needs of a GPU, phase by phase."),
    "models": ("uploads:models", "Upload base models."),
    "plan": ("plan:plan_command", "Where a job fits, how long it takes, what it costs."),
    "prices": ("prices:prices", "Read the catalogue's prices again."),
    "quotas": ("quotas:quotas_command", "Which service quotas an environment's jobs need."),
    "retry": ("executions:retry_command", "Run again what failed or was stopped of an execution."),
    "run": ("executions:run_command", "Start an execution and follow it."),
    "settings": ("settings:settings", "Check the settings, and get their JSON Schema."),
    "stop": ("executions:stop_command", "Stop an execution."),
    "tune": ("tune:tune_command", "From a data file to answers: look, upload, run, compare."),
}


@click.version_option(package_name="tunestack")
@click.group(cls=LazyGroup, lazy=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
def tunestack() -> None:
    """Fine-tune language models on Amazon SageMaker, and know what it costs."""


def main() -> None:
    """Run the command; a user's mistake is a message and exit code 1, never a traceback."""
    try:
        tunestack()
    except UserError as error:
        sys.exit(f"error: {error}")
    except _aws_errors() as error:
        sys.exit(
            f"error: AWS says: {error}\nIs the local AWS running (`tunestack local up`), or are credentials missing?"
        )


def _aws_errors() -> tuple[type[Exception], ...]:
    """What botocore raises, once something has gone wrong: a command that asks AWS nothing doesn't import it."""
    from botocore.exceptions import BotoCoreError, ClientError

    return (BotoCoreError, ClientError)


if __name__ == "__main__":
    main()
