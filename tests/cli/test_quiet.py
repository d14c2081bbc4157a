"""`--quiet`: nothing on the way, and how it ended all the same."""

from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from tunestack.cli import executions
from tunestack.cli.main import tunestack

ENDED = SimpleNamespace(id="abc", status="Succeeded", seconds=61.0, failed_step=None, to_json=dict)


@pytest.mark.parametrize(("command", "starts"), [(["stop"], "stop"), (["retry"], "retry"), (["run"], "start")], ids=str)
@pytest.mark.parametrize("options", [[], ["--quiet"], ["--json"]], ids=lambda options: " ".join(options) or "none")
def test_it_is_followed_in_silence_and_its_end_is_said(
    command: list[str], starts: str, options: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    followed: list[bool] = []

    def follow(_: Any, arn: str, *, quiet: bool) -> Any:
        assert arn == "arn"
        followed.append(quiet)
        return ENDED

    aws = SimpleNamespace(settings=SimpleNamespace(recipe=SimpleNamespace(data=SimpleNamespace(name="mine"))))
    for name, stub in (
        ("aws_of", lambda _: aws),
        ("params_of", lambda *_: {}),
        ("stage_run", lambda *_, **__: {}),
        (starts, lambda *_, **__: "arn"),
        ("follow", follow),
    ):
        monkeypatch.setattr(executions, name, stub)
    done = CliRunner().invoke(tunestack, [*command, *options])
    assert done.exit_code == 0, done.output
    assert followed == [bool(options)]
    assert ("Succeeded" in done.output) == (options != ["--json"])
