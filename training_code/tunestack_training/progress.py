"""How far a job has come, said in its log: `progress 12/200 rows scored`. `tunestack run` shows it as it comes."""

import logging
import time

EVERY_SECONDS = 5.0
log = logging.getLogger(__name__)


class Progress:
    """Counts what is done, and says it at most every few seconds, and at the end.

    Where nobody knows how much there is, the total is None.
    """

    def __init__(self, total: int | None, what: str) -> None:
        self._total, self._what = total, what
        self._done, self._said = 0, time.monotonic()

    def add(self, count: int) -> None:
        """So many more are done."""
        self.reach(self._done + count)

    def reach(self, done: int) -> None:
        """So many are done."""
        self._done = done
        now = time.monotonic()
        if done == self._total or now - self._said >= EVERY_SECONDS:
            self._said = now
            log.info("progress %s %s", done if self._total is None else f"{done}/{self._total}", self._what)
