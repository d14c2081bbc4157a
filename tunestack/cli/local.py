"""`tunestack local`: the AWS on this machine."""

import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import click

from tunestack.cli.lazy import SuggestingGroup
from tunestack.cli.options import aws_of, json_option, show
from tunestack.layout import Image, StackName
from tunestack.local import LOCAL_ENVIRONMENT, lifecycle, local_aws
from tunestack.local.address import DEFAULT_PORT, OF_A_REAL_ACCOUNT
from tunestack.local.authorization.ledger import read_ledger

TRAINING_CODE = Path(__file__).parents[2] / "training_code"


@click.group(cls=SuggestingGroup)
def local() -> None:
    """Start and stop an AWS on this machine; no account is needed."""


@local.command()
@click.option("--port", type=click.IntRange(1, 65_535), default=DEFAULT_PORT, show_default=True)
@click.option("--enforce/--no-enforce", default=True, show_default=True, help="Authorize every request as AWS does.")
def up(port: int, enforce: bool) -> None:
    """Start it, unless it runs."""
    aws = local_aws()
    started = lifecycle.up(aws, port=port, enforce=enforce)
    click.echo(f"the local AWS {'runs' if started else 'already runs'} at {aws.endpoint_url}; state in {aws.home}")


@local.command()
@click.option("--delete-data", is_flag=True, help="Remove everything that it holds, too.")
def down(delete_data: bool) -> None:
    """Stop it; its state is kept."""
    ran = lifecycle.down(local_aws(), delete_data=delete_data)
    click.echo(
        f"the local AWS {'is stopped' if ran else 'was not running'}{'; its data is deleted' if delete_data else ''}"
    )


@local.command()
@json_option
def status(as_json: bool) -> None:
    """Say whether it runs; exit code 1 when not."""
    aws = local_aws()
    pid = lifecycle.server_pid(aws)
    state = {"running": pid is not None, "pid": pid, "endpoint_url": aws.endpoint_url, "home": str(aws.home)}
    text = f"runs at {aws.endpoint_url} (process {pid})" if pid else "does not run; `tunestack local up` starts it"
    show(state, as_json=as_json, text=lambda: click.echo(f"the local AWS {text}"))
    sys.exit(0 if pid else 1)


@local.command()
def environment() -> None:
    """Print the variables that point AWS clients here: eval "$(tunestack local environment)"."""
    click.echo(f"unset {' '.join(OF_A_REAL_ACCOUNT)}")
    for name, value in lifecycle.running(local_aws()).environment().items():
        click.echo(f"export {name}={value}")


@local.command()
@click.option("--denied", is_flag=True, help="Only what was refused.")
@json_option
def ledger(denied: bool, as_json: bool) -> None:
    """Show who was allowed or refused what, each decision once."""
    entries = [entry for entry in read_ledger(local_aws().ledger_file) if not (denied and entry.allowed)]

    def text() -> None:
        for entry in entries:
            verdict = "allowed" if entry.allowed else "DENIED"
            click.echo(f"{verdict}  {entry.role or entry.principal}  {entry.action}  {entry.resource}")

    show([asdict(entry) for entry in entries], as_json=as_json, text=text)


@local.command("build-images")
@click.option("--base-image", help="Instead of the settings' base image.")
def build_images(base_image: str | None) -> None:
    """Build the deployed images with Docker, so that local jobs run in containers."""
    aws = aws_of(LOCAL_ENVIRONMENT)
    images = aws.settings.environment.images
    uris = aws.outputs(StackName.IMAGES)
    if shutil.which("docker") is None:
        raise lifecycle.LocalAwsError("no docker on PATH; without images, jobs run in .venv-training")
    if uris is None:
        raise lifecycle.LocalAwsError("no images stack: deploy it with `cdk deploy --all -c env=local`")
    for image in Image:
        base = base_image or images.base_image(image)
        arguments = [f"--build-arg=BASE_IMAGE={base}", "--build-arg=TORCH_BUILD=cpu"]
        command = ["docker", "build", "--network=host", *arguments]
        done = subprocess.run([*command, "--tag", uris[image.output], str(TRAINING_CODE)], check=False)
        if done.returncode != 0:
            raise lifecycle.LocalAwsError(f"{image.output} was not built: docker ended with {done.returncode}")
