"""`tunestack delete`: the files of an execution, and what that frees."""

import click

from tunestack.cli.following import console
from tunestack.cli.options import aws_of, env_option
from tunestack.executions.deletion import delete_files, files_of

MB = 1e6


@click.command("delete")
@click.argument("execution")
@click.option("--yes", is_flag=True, help="Don't ask.")
@env_option
def delete_command(execution: str, yes: bool, env: str) -> None:
    """Delete the files that an EXECUTION left in S3 (dev and local only). SageMaker keeps its record."""
    aws = aws_of(env, acts_as="deployer")
    execution_id, found = files_of(aws, execution)
    if not found:
        console.print(f"execution {execution_id} has no files in S3")
        return
    for files in found:
        console.print(f"  {files.bytes / MB:>10,.1f} MB  {files.uri}")
    total = sum(files.bytes for files in found) / MB
    if not yes:
        click.confirm(f"delete {total:,.1f} MB of execution {execution_id}?", abort=True)
    for files in found:
        delete_files(aws, files)
    console.print(f"deleted {total:,.1f} MB")
