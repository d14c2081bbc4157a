"""An execution that is followed is never silent for long: by a clock that the test moves."""

from dataclasses import replace
from itertools import pairwise

import pytest

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
