"""The `tunestack` command: each group in a file of its own, imported when it is called."""

import io
import re
import signal
import sys

import click

from tunestack.cli.lazy import LazyGroup
from tunestack.errors import UserError

COMMANDS = {
    "access": ("access:access_command", "Prove that every role reaches what it needs."),
    "answers": ("answers:answers_command", "Show what base and tuned model answer, side by side."),
    "bootstrap-plan": ("bootstrap_plan:bootstrap_plan_command", "How to bootstrap each account of a delivery."),
    "calibrate": ("calibrate:calibrate_command", "Correct what is expected by what your own trainings took."),
    "chat": ("chat:chat_command", "Ask a registered version, on this machine."),
    "check": ("check:check_command", "What a change of the settings must pass before it is deployed."),
    "compare": ("compare:compare_command", "Two executions side by side."),
    "cost": ("cost:cost", "What a change costs; an environment's report."),
    "data": ("uploads:data", "Upload data sets."),
    "delete": ("delete:delete_command", "Delete an execution's files, and say what that frees."),
    "definition": ("definition:definition", "Show and validate pipeline definitions."),
    "describe": ("executions:describe_command", "Show an execution, step by step."),
    "executions": ("executions:executions_command", "List the pipeline's executions."),
    "import": ("import_recipe:import_command", "Another trainer's recipe as one of this kit."),
    "local": ("local:local", "Start and stop an AWS on this machine."),
    "logs": ("executions:logs_command", "Print a step's log."),
    "memory": ("memory:memory_command", "What one job needs of a GPU, phase by phase."),
    "models": ("models:models", "Upload base models; approve and reject tuned ones."),
    "plan": ("plan:plan_command", "Where a job fits, how long it takes, what it costs."),
    "prices": ("prices:prices", "Read the catalogue's prices again."),
    "quotas": ("quotas:quotas_command", "Which service quotas an environment's jobs need."),
    "report": ("report:report_command", "Write an execution's page: steps, cost, curves, answers."),
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


# The longest S3 URI has fewer characters.
LONGEST_WORD = 1200


def main() -> None:
    """Run the command; a user's mistake is a message and exit code 1, never a traceback.

    SIGTERM, of a CI job's end or a timeout, does as Ctrl-C: what is followed is stopped, and nobody pays for it.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    for stream in (sys.stdout, sys.stderr):
        # Where a terminal or a pipe takes ASCII alone, a sign that it hasn't is a ?, and no traceback.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        tunestack()
    except UserError as error:
        sys.exit(_in_a_line(error))
    except ModuleNotFoundError as error:
        # The wheel by itself has what sizing and planning need.
        if (error.name or "tunestack").startswith("tunestack."):
            raise
        sys.exit(
            _in_a_line(
                f"this needs the kit's own environment ({error.name} is missing): clone the kit, and `make setup`; "
                "`tunestack plan --model` and `tunestack memory` work without"
            )
        )
    except OSError as error:
        if _is_of_aws(error):
            sys.exit(_said_by_aws(error))
        # A folder where a file belongs, a full disk, a file that may not be read: the system's own words and the place.
        place = f": {error.filename}" if error.filename else ""
        sys.exit(_in_a_line(f"{error.strerror or error}{place}"))
    except Exception as error:
        if not _is_of_aws(error):
            raise
        sys.exit(_said_by_aws(error))


def _is_of_aws(error: Exception) -> bool:
    return type(error).__module__.startswith(("botocore", "boto3"))


def _said_by_aws(error: Exception) -> str:
    # A command that asks AWS nothing doesn't import it.
    from tunestack.cli.aws_errors import in_words

    return _in_a_line(in_words(error))


def _in_a_line(problem: object) -> str:
    """The message, without the middle of words that would fill a screen."""
    text = re.sub(rf"\S{{{LONGEST_WORD},}}", lambda found: f"{found[0][:80]}…{found[0][-40:]}", str(problem))
    return f"error: {text}"


if __name__ == "__main__":
    main()
