"""Serving: lines of many requests are answered together, each gets its own answer, and a late transform ends."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import pytest
from starlette.testclient import TestClient
from tunestack_training.batching import Batcher
from tunestack_training.serve import build_application, within


def numbered(lines: Sequence[bytes]) -> list[dict[str, Any]]:
    return [{"response": line.decode()} for line in lines]


def test_concurrent_requests_share_a_batch_and_each_gets_its_own_answers_in_order() -> None:
    batches: list[int] = []

    def answer_lines(lines: Sequence[bytes]) -> list[dict[str, Any]]:
        batches.append(len(lines))
        time.sleep(0.05)
        return numbered(lines)

    async def ask() -> list[list[dict[str, Any]]]:
        batcher = Batcher(answer_lines, at_once=4)
        async with batcher.running():
            return await asyncio.gather(*(batcher.answer([f"{n}a".encode(), f"{n}b".encode()]) for n in range(8)))

    answers = asyncio.run(ask())
    assert answers == [[{"response": f"{n}a"}, {"response": f"{n}b"}] for n in range(8)]
    assert batches == [4, 4, 4, 4]


def test_a_bad_line_costs_its_neighbours_nothing_and_a_model_that_fails_fails_the_request() -> None:
    def answer_lines(lines: Sequence[bytes]) -> list[dict[str, Any]]:
        if any(line.startswith(b"bad") for line in lines):
            raise RuntimeError("CUDA out of memory")
        return numbered(lines)

    async def ask(*requests: list[bytes]) -> list[Any]:
        batcher = Batcher(answer_lines, at_once=2)
        async with batcher.running():
            return await asyncio.gather(*(batcher.answer(lines) for lines in requests), return_exceptions=True)

    bad, good = asyncio.run(ask([b"bad"], [b"good"]))
    assert bad == [{"error": "RuntimeError: CUDA out of memory"}] and good == [{"response": "good"}]
    failed, answered = asyncio.run(ask([b"bad 1", b"bad 2"], [b"good"]))
    assert isinstance(failed, RuntimeError) and answered == [{"response": "good"}]


def test_the_server_answers_each_line_and_refuses_other_content() -> None:
    with TestClient(build_application(numbered, at_once=8)) as client:
        assert client.get("/ping").status_code == 200
        jsonl = {"content-type": "application/jsonlines"}
        answer = client.post("/invocations", content=b"one\n\ntwo", headers=jsonl)
        assert answer.text == '{"response": "one"}\n{"response": ""}\n{"response": "two"}'
        assert client.post("/invocations", content=b"one\n", headers=jsonl).text == '{"response": "one"}'
        assert client.post("/invocations", content=b"x", headers={"content-type": "text/csv"}).status_code == 415


def test_after_the_time_limit_every_line_gets_an_error_at_once() -> None:
    def never(lines: Sequence[bytes]) -> list[dict[str, Any]]:
        pytest.fail("the model was asked after the limit")

    assert within(numbered, time.monotonic() + 60, "60")([b"a"]) == [{"response": "a"}]
    (answer,) = within(never, time.monotonic() - 1, "60")([b"a"])
    assert "time limit of 60 seconds (jobs.transform.max_runtime_minutes)" in answer["error"]
