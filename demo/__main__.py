"""`make demo`: deploy into an AWS on this machine, fine-tune a pretrained model there, show what came of it."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import SequenceMatcher
from pathlib import Path

from rich.console import Console

from demo import deployment
from demo.make_data import write_data_set
from demo.pretrained import FOLDER, ROOT, pretrained_model
from tunestack.aws import Aws
from tunestack.cli.answers import print_answers
from tunestack.cli.following import follow
from tunestack.errors import UserError
from tunestack.executions.describe import ENDED, ExecutionView, list_executions
from tunestack.executions.errors import ExecutionError
from tunestack.executions.results import Answered, answers, evaluation, gate_in_words, right_in_words
from tunestack.executions.start import start
from tunestack.local import LOCAL_ENVIRONMENT, lifecycle, local_aws
from tunestack.local.address import DEFAULT_PORT
from tunestack.money import usd
from tunestack.planning.blueprint import blueprint_of
from tunestack.settings.loading import load_settings
from tunestack.uploads import add_batch_input, add_data_set, add_model

QUESTIONS = (
    "What does Python's textwrap.shorten do?",
    "What does Python's bisect.insort_left do?",
    "What is the capital of France?",
)
SHOWN = 3
NEXT = (
    ("tune my-data.jsonl --questions my-questions.jsonl", "from a file to answers"),
    ("answers", "what base and tuned model say"),
    ("chat", "ask the tuned model yourself"),
)
console = Console(highlight=False, soft_wrap=True)


def main() -> None:
    began = time.monotonic()
    os.chdir(ROOT)
    local = local_aws()
    with _doing("make the base model and the data set (pretrained SmolLM2-135M, Python's own docstrings)"):
        model, data, questions = _inputs()
    with _doing("start the local AWS"):
        lifecycle.up(local, port=local.port() or DEFAULT_PORT)
    with _doing("cdk bootstrap"):
        deployment.bootstrap(local)
    with _doing("cdk synth, with cdk-nag and every check of the pipeline"):
        deployment.synthesize(local, ROOT / "cdk.out" / "local")
    with _doing("cdk deploy of all stacks"):
        deployment.deploy(local, ROOT / "cdk.out" / "local")
    aws = Aws(load_settings(LOCAL_ENVIRONMENT))
    recipe = aws.settings.recipe
    with _doing("upload the model, the data set and a batch of questions to S3"):
        add_model(aws, model, name=recipe.model.name_or_path, revision=recipe.model.revision)
        data_uri = add_data_set(aws, [data], name=recipe.data.name)
        input_uri = add_batch_input(aws, questions, name=recipe.data.name)
    _stop_what_runs(aws)
    console.print("[bold]run the deployed pipeline[/bold] (in another terminal: tunestack logs latest --follow)")
    arn = start(aws, {"DataUri": data_uri, "TransformInputUri": input_uri})
    view = follow(aws, arn)
    if view.status != "Succeeded":
        raise ExecutionError(f"the execution ended {view.status}; see `tunestack describe` and `tunestack logs`")
    _summarize(aws, view, time.monotonic() - began)


def _inputs() -> tuple[Path, Path, Path]:
    """The model's folder, the data set and the questions; made once."""
    try:
        model = pretrained_model()
    except subprocess.CalledProcessError as error:
        tail = "\n".join(error.output.splitlines()[-10:])
        raise deployment.DeploymentError(f"`{' '.join(error.cmd)}` failed:\n{tail}") from None
    data, questions = FOLDER / "data" / "python-docstrings.jsonl", FOLDER / "data" / "questions.jsonl"
    write_data_set(data)
    questions.write_text("".join(json.dumps({"instruction": text}) + "\n" for text in QUESTIONS), encoding="utf-8")
    return model, data, questions


def _stop_what_runs(aws: Aws) -> None:
    """Stop an execution that an interrupted demo left running; the new one resumes from its checkpoint."""
    running = [item for item in list_executions(aws) if item["status"] not in ENDED]
    for item in running:
        console.print(f"stopping execution {item['id']}, left running by an earlier demo")
        if item["status"] == "Executing":
            aws.sagemaker.stop_pipeline_execution(
                PipelineExecutionArn=item["arn"], ClientRequestToken=f"demo-{item['id']}".ljust(32, "-")
            )
    while any(item["status"] not in ENDED for item in list_executions(aws)):
        time.sleep(0.5)


def _summarize(aws: Aws, view: ExecutionView, seconds: float) -> None:
    found = evaluation(aws, view)
    heldout, general = found["heldout"], found["general"]
    version = next(step for step in view.steps if step.name == "RegisterModel").outputs["RegisterModel"]
    cost = blueprint_of(aws.settings).run
    console.rule("what came of it")
    print_answers(_where_tuning_shows(answers(aws, view)), limit=SHOWN)
    if right := right_in_words(heldout):
        console.print(f"answers right  {right} held-out rows say just what was wanted")
    console.print(
        f"held-out loss  {heldout['base']['loss']:.3f} → [green]{heldout['tuned']['loss']:.3f}[/green]  how surprising "
        f"the right answers are to the model, on {heldout['rows']} rows that it never saw: lower is better"
    )
    console.print(
        f"general loss   {general['base']['loss']:.3f} → {general['tuned']['loss']:.3f}  the same on questions about "
        "other things: higher would mean that it forgets"
    )
    console.print(f"gate           {gate_in_words(found)}")
    console.print(
        f"registered     version {version.rpartition('/')[2]} of {aws.model_package_group_name}, until somebody "
        "approves it"
    )
    console.print(
        f"cost on AWS    about {usd(cost.expected_usd)} a run (at most {usd(cost.ceiling_usd)}); here nothing"
    )
    console.print(f"took           {seconds:.0f} s")
    console.print("\n[bold]your own data[/bold] (rows with an instruction and a response, JSON Lines or CSV)")
    for command, what in NEXT:
        console.print(f"  .venv/bin/tunestack {command:<50} [dim]{what}[/dim]")


def _where_tuning_shows(found: list[Answered]) -> list[Answered]:
    """The held-out rows whose tuned answer is nearer to the wanted one than the base's, the clearest first."""

    def gain(item: Answered) -> float:
        tuned, base = (SequenceMatcher(None, said or "", item.wanted or "").ratio() for said in (item.tuned, item.base))
        return tuned - base

    return sorted((item for item in found if item.of == "heldout"), key=gain, reverse=True)[:SHOWN]


@contextmanager
def _doing(what: str) -> Iterator[None]:
    console.print(f"[bold]{what}[/bold] …", end="")
    began = time.monotonic()
    yield
    console.print(f" {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    try:
        main()
    except (UserError, deployment.DeploymentError) as error:
        sys.exit(f"\nerror: {error}")
    except KeyboardInterrupt:
        sys.exit("\ninterrupted; `make demo` again goes on from here")
