"""Lines of several requests answered together: a model answers eight in hardly more time than one."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

Answer = dict[str, Any]
# How long the first line waits for company.
GATHER_SECONDS = 0.02


class Batcher:
    """Hands what is waiting to `answer_lines`, one batch after another, in a thread of its own."""

    def __init__(self, answer_lines: Callable[[Sequence[bytes]], list[Answer]], *, at_once: int) -> None:
        self._answer_lines, self._at_once = answer_lines, at_once
        self._waiting: asyncio.Queue[tuple[bytes, asyncio.Future[Answer]]] = asyncio.Queue()

    async def answer(self, lines: Sequence[bytes]) -> list[Answer]:
        """An answer per line, in order.

        Raises:
            Exception: whatever `answer_lines` raised for the batch that a line was in.
        """
        futures = []
        for line in lines:
            future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
            self._waiting.put_nowait((line, future))
            futures.append(future)
        return list(await asyncio.gather(*futures))

    @contextlib.asynccontextmanager
    async def running(self, _: object = None) -> AsyncIterator[None]:
        """While this lasts, lines are answered (a Starlette lifespan)."""
        worker = asyncio.create_task(self._work())
        try:
            yield
        finally:
            worker.cancel()

    async def _work(self) -> None:
        while True:
            batch = await self._gather()
            try:
                answers = await asyncio.to_thread(self._answers, [line for line, _ in batch])
            except Exception as error:  # The requests of this batch fail with it; the next one may do.
                for _, future in batch:
                    if not future.done():
                        future.set_exception(error)
                continue
            for (_, future), item in zip(batch, answers, strict=True):
                if not future.done():
                    future.set_result(item)

    def _answers(self, lines: Sequence[bytes]) -> list[Answer]:
        """The answers of a batch; where it fails as a whole, each line's by itself, and an error for the bad ones.

        Raises:
            Exception: no line of several can be answered: it is the model that fails, not a line.
        """
        try:
            return self._of_each(lines, self._answer_lines(lines))
        except Exception as failed:
            answers = [self._alone(line) for line in lines]
            if len(lines) > 1 and all("error" in item for item in answers):
                raise failed
            return answers

    def _alone(self, line: bytes) -> Answer:
        try:
            return self._of_each([line], self._answer_lines([line]))[0]
        except Exception as error:  # Whatever it is, this line has no answer, and the others have theirs.
            return {"error": f"{type(error).__name__}: {error}"}

    @staticmethod
    def _of_each(lines: Sequence[bytes], answers: list[Answer]) -> list[Answer]:
        if len(answers) != len(lines):
            raise RuntimeError(f"{len(answers)} answers to {len(lines)} lines")
        return answers

    async def _gather(self) -> list[tuple[bytes, "asyncio.Future[Answer]"]]:
        batch = [await self._waiting.get()]
        if self._waiting.qsize() + 1 < self._at_once:
            await asyncio.sleep(GATHER_SECONDS)
        while len(batch) < self._at_once and not self._waiting.empty():
            batch.append(self._waiting.get_nowait())
        return batch
