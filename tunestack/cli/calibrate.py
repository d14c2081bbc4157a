"""`tunestack calibrate`: what your own trainings took corrects what is expected of the next ones."""

from dataclasses import asdict

import click

from tunestack.catalogue.own_runs import forget_runs, keep_runs, own_runs
from tunestack.cli.options import aws_of, env_option, json_option, show
from tunestack.errors import UserError
from tunestack.sizing.calibrated import calibration_notes


@click.command("calibrate")
@click.argument("executions", nargs=-1)
@click.option("--forget", is_flag=True, help="Expect again what the models say, and nothing else.")
@env_option
@json_option
def calibrate_command(executions: tuple[str, ...], forget: bool, env: str, as_json: bool) -> None:
    """Measure the trainings of EXECUTIONS, keep them, and show what they correct; without any, show what is kept.

    Plans, costs and checks of the same instance types are multiplied by it, and say so.
    """
    if forget and executions:
        raise UserError("--forget takes no EXECUTIONS: it forgets all")
    if forget:
        click.echo("forgotten" if forget_runs() else "nothing was kept")
        return
    if executions:
        from tunestack.executions.calibration import measured_run

        aws = aws_of(env)
        # All are measured before any is kept.
        keep_runs([measured_run(aws, execution) for execution in executions])
    found = own_runs()
    notes = [line for name in sorted({run.instance_type for run in found}) for line in calibration_notes(name)]

    def text() -> None:
        for run in found:
            speed = f"{run.tokens_per_second:,.0f} tokens/s of {run.expected_tokens_per_second:,.0f}"
            memory = f"{run.reserved_gib:.1f} GiB of {run.expected_reserved_gib:.1f}"
            click.echo(f"{run.execution}  {run.instance_type}  {run.model}, {run.job}: {speed}, {memory}")
        for line in notes or ["nothing is kept: name executions that trained on a GPU"]:
            click.echo(line)

    show({"runs": [asdict(run) for run in found], "notes": notes}, as_json=as_json, text=text)
