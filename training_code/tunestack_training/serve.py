"""Serve: `/ping`, and `/invocations` with an answer per line of JSON Lines, in order."""

import json
import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tunestack_training import contract, digests
from tunestack_training.asking import Asking
from tunestack_training.base_model import load_base_model
from tunestack_training.batching import Batcher
from tunestack_training.failure import JobError
from tunestack_training.generation import answer
from tunestack_training.options import read_recipe
from tunestack_training.package import ADAPTER, BASE, FUSED
from tunestack_training.progress import Progress
from tunestack_training.questions import Question
from tunestack_training.recipe import Recipe
from tunestack_training.tokenizer import load_tokenizer

CONTENT_TYPES = ("application/jsonlines", "application/json", "application/x-ndjson")
# The digest of what PackageModel packed; the pipeline gives it to the model, and the registry to whoever deploys one.
MODEL_SHA256 = "TUNESTACK_MODEL_SHA256"
Answer = dict[str, Any]
log = logging.getLogger(__name__)


def run(options: Mapping[str, str]) -> None:
    """Load the model, then listen: a server that answers /ping is ready."""
    import uvicorn

    started = time.monotonic()
    check_model(contract.model_folder(), os.environ.get(MODEL_SHA256))
    server = ModelServer(contract.model_folder())
    limit = os.environ.get("TUNESTACK_MAX_RUNTIME_SECONDS")
    answer_lines = within(server.answer_lines, started + float(limit), limit) if limit else server.answer_lines
    application = build_application(answer_lines, at_once=server.recipe.inference.batch_size)
    port = int(os.environ.get("SAGEMAKER_BIND_TO_PORT", "8080"))
    uvicorn.run(application, host="0.0.0.0", port=port, log_level="warning")  # noqa: S104


def check_model(folder: Path, wanted: str | None) -> None:
    """See that what is served is what was packed.

    Raises:
        JobError: it isn't.
    """
    if wanted is None:
        log.warning("%s isn't set: whether the model is the one that was judged isn't known", MODEL_SHA256)
        return
    digests.check({"model": digests.folder_sha256(folder)}, {"model": wanted})


class ModelServer:
    """Answers lines with the model of a packed archive's folder."""

    def __init__(self, folder: Path) -> None:
        self.recipe = Recipe.model_validate(read_recipe(folder))
        self.tokenizer = load_tokenizer(folder / ADAPTER)
        self.model = _load_model(folder, self.recipe)
        self._asking = Asking(self.tokenizer, self.model.config, max_new_tokens=self.recipe.inference.max_new_tokens)
        self._progress = Progress(None, "rows answered")

    def answer_lines(self, lines: Sequence[bytes]) -> list[Answer]:
        """An answer per line, in order: {"response": …}, or {"error": …} for a line that can't be answered.

        A bad line never costs its neighbours their answers. A line's own id comes back with its answer; one that ran
        into its limit of tokens says so.
        """
        answers: list[Answer] = []
        asked: dict[float, list[tuple[int, Question]]] = {}
        for line in lines:
            try:
                question = self._asking.question(line)
            except ValueError as error:
                answers.append({"error": str(error)})
                continue
            warmth = question.temperature
            asked.setdefault(self.recipe.inference.temperature if warmth is None else warmth, []).append(
                (len(answers), question)
            )
            answers.append({})
        for temperature, questions in asked.items():
            for index, found in self._answered(questions, temperature):
                answers[index] = found
        self._progress.add(len(lines))
        return answers

    def _answered(self, asked: Sequence[tuple[int, Question]], temperature: float) -> Iterator[tuple[int, Answer]]:
        found = answer(
            self.model,
            self.tokenizer,
            [question.messages for _, question in asked],
            max_new_tokens=self.recipe.inference.max_new_tokens,
            batch_size=self.recipe.inference.batch_size,
            temperature=temperature,
            limits=[question.max_new_tokens for _, question in asked],
            tools=[question.tools for _, question in asked],
        )
        for (index, question), said in zip(asked, found, strict=True):
            named = {} if question.name is None else {"id": question.name}
            text = question.cut(said.text)
            cut_off = {} if said.ended or text != said.text else {"cut_off": True}
            yield index, {**named, "response": text, **cut_off}


def within(
    answer_lines: Callable[[Sequence[bytes]], list[Answer]], deadline: float, limit: str
) -> Callable[[Sequence[bytes]], list[Answer]]:
    """The same until a moment of `time.monotonic`; after it an error for every line, so that the transform ends.

    SageMaker has no time limit for a transform: without this one it could cost what it wants to.
    """
    setting = "jobs.transform.max_runtime_minutes"
    reason = f"not answered: the transform ran into its time limit of {limit} seconds ({setting})"

    def limited(lines: Sequence[bytes]) -> list[Answer]:
        if time.monotonic() < deadline:
            return answer_lines(lines)
        log.warning("%d lines %s", len(lines), reason)
        return [{"error": reason} for _ in lines]

    return limited


def build_application(answer_lines: Callable[[Sequence[bytes]], list[Answer]], *, at_once: int) -> Any:
    """The ASGI application; requests that come in together are answered together, `at_once` lines at most."""
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import PlainTextResponse, Response
    from starlette.routing import Route

    batcher = Batcher(answer_lines, at_once=at_once)

    async def ping(request: Request) -> Response:
        return PlainTextResponse("ok")

    async def invocations(request: Request) -> Response:
        content_type = request.headers.get("content-type", "").partition(";")[0].strip()
        if content_type not in CONTENT_TYPES:
            wanted = " or ".join(CONTENT_TYPES)
            return PlainTextResponse(f"content type must be {wanted}, got {content_type!r}", status_code=415)
        answers = await batcher.answer((await request.body()).removesuffix(b"\n").split(b"\n"))
        # A transform that assembles by line adds the newline after each answer itself.
        lines = "\n".join(json.dumps(item, ensure_ascii=False) for item in answers)
        return Response(lines, media_type="application/jsonlines")

    return Starlette(
        routes=[Route("/ping", ping, methods=["GET"]), Route("/invocations", invocations, methods=["POST"])],
        lifespan=batcher.running,
    )


def _load_model(folder: Path, recipe: Recipe) -> Any:
    if (folder / FUSED).is_dir():
        model = load_base_model(folder / FUSED, recipe, quantized=False)
    elif (folder / BASE).is_dir():
        from peft import PeftModel

        model = PeftModel.from_pretrained(load_base_model(folder / BASE, recipe), folder / ADAPTER)
    else:
        raise JobError(f"{folder} holds neither {FUSED}/ nor {BASE}/: it is not an archive that PackageModel made")
    model.eval()
    return model
