"""An execution that is followed is never silent for long: by a clock that the test moves."""

import signal
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise

import pytest

from tests.conftest import ROOT
from tests.executions.test_progress import STEP, Account
from tunestack.cli import following
from tunestack.executions.describe import ExecutionView

# Longer than this a user wonders whether it hangs.
MOST_SILENCE_SECONDS = 60
VIEW = ExecutionView(
    id="e", arn="arn", status="Executing", started="", seconds=0.0, failure_reason=None, steps=[], parameters={},
)  # fmt: skip


class Clock:
    now = 1_000.0

    def monotonic(self) -> float:
        return self.now

    def strftime(self, form: str) -> str:
        return "12:00:00"


def test_a_step_that_goes_on_speaks_before_its_user_wonders(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # GIVEN a step that began, in a pipe
    clock, account = Clock(), Account([(1.0, "INFO step 1/100: {'loss': 2.0}")])
    monkeypatch.setattr(following, "time", clock)
    follower = following.Follower(account, status=None, quiet=False)  # type: ignore[arg-type]
    # WHEN it runs for ten minutes and is looked at as often as an account is
    spoke = [clock.now]
    for _ in range(int(600 / following.REMOTE_SECONDS)):
        follower.show(replace(VIEW, steps=[STEP]))
        if capsys.readouterr().out:
            spoke.append(clock.now)
        clock.now += following.REMOTE_SECONDS
    # THEN no silence is longer than it may be
    assert len(spoke) > 10
    assert max(later - earlier for earlier, later in pairwise(spoke)) <= MOST_SILENCE_SECONDS


FOLLOWING = """
import sys, types, click
from tunestack.cli import following, main
from tests.cli.test_following import VIEW

def describe(aws, arn):
    # It is followed from here on.
    print("up", flush=True)
    return VIEW

following.describe = describe
following.stop = lambda aws, arn: print("stopped", arn, flush=True)

@click.command("follow")
def follow():
    following.follow(types.SimpleNamespace(is_local=True), "arn/e", quiet=True)

main.tunestack = follow
sys.argv = ["tunestack"]
main.main()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_command_that_is_told_to_end_stops_what_it_follows(number: signal.Signals) -> None:
    client = subprocess.Popen(
        # A shell that runs the tests in the background has its children ignore Ctrl-C.
        ["env", "--default-signal=INT", sys.executable, "-c", FOLLOWING],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT,
    )  # fmt: skip
    assert client.stdout is not None and client.stdout.readline() == "up\n"
    client.send_signal(number)
    printed, errors = client.communicate()
    assert "stopped arn/e\n" in printed and client.returncode == 1
    assert errors.startswith("error: interrupted: execution e is being stopped")
