"""Serve: `/ping`, and `/invocations` with an answer per line of JSON Lines, in order."""

import json
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tunestack_training import contract
from tunestack_training.base_model import load_base_model
from tunestack_training.failure import JobError
from tunestack_training.generation import answer
from tunestack_training.options import read_recipe
from tunestack_training.package import ADAPTER, BASE, FUSED
from tunestack_training.recipe import Recipe
from tunestack_training.rows import to_prompt
from tunestack_training.tokenizer import load_tokenizer

CONTENT_TYPES = ("application/jsonlines", "application/json", "application/x-ndjson")
log = logging.getLogger(__name__)


def run(options: Mapping[str, str]) -> None:
    """Load the model, then listen: a server that answers /ping is ready."""
    import uvicorn

    server = ModelServer(contract.model_folder())
    port = int(os.environ.get("SAGEMAKER_BIND_TO_PORT", "8080"))
    uvicorn.run(build_application(server), host="0.0.0.0", port=port, log_level="warning")  # noqa: S104


class ModelServer:
    """Answers lines with the model of a packed archive's folder."""

    def __init__(self, folder: Path) -> None:
        self.recipe = Recipe.model_validate(read_recipe(folder))
        self.tokenizer = load_tokenizer(folder / ADAPTER)
        self.model = _load_model(folder, self.recipe)

    def answer_lines(self, body: bytes) -> list[dict[str, Any]]:
        """An answer per line, in order: {"response": …}, or {"error": …} for a line that can't be answered.

        A bad line never costs its neighbours their answers.
        """
        answers: list[dict[str, Any]] = []
        prompts: list[tuple[int, list[dict[str, str]]]] = []
        for number, line in enumerate(body.splitlines(), start=1):
            if not line.strip():
                continue
            try:
                prompts.append((len(answers), to_prompt(json.loads(line))))
                answers.append({})
            except ValueError as error:
                answers.append({"error": f"line {number}: {error}"})
        texts = answer(
            self.model,
            self.tokenizer,
            [prompt for _, prompt in prompts],
            max_new_tokens=self.recipe.inference.max_new_tokens,
            temperature=self.recipe.inference.temperature,
        )
        for (index, _), text in zip(prompts, texts, strict=True):
            answers[index] = {"response": text}
        return answers


def build_application(server: ModelServer) -> Any:
    """The ASGI application."""
    from starlette.applications import Starlette
    from starlette.concurrency import run_in_threadpool
    from starlette.requests import Request
    from starlette.responses import PlainTextResponse, Response
    from starlette.routing import Route

    async def ping(request: Request) -> Response:
        return PlainTextResponse("ok")

    async def invocations(request: Request) -> Response:
        content_type = request.headers.get("content-type", "").partition(";")[0].strip()
        if content_type not in CONTENT_TYPES:
            wanted = " or ".join(CONTENT_TYPES)
            return PlainTextResponse(f"content type must be {wanted}, got {content_type!r}", status_code=415)
        answers = await run_in_threadpool(server.answer_lines, await request.body())
        lines = "".join(json.dumps(item, ensure_ascii=False) + "\n" for item in answers)
        return Response(lines, media_type="application/jsonlines")

    return Starlette(
        routes=[Route("/ping", ping, methods=["GET"]), Route("/invocations", invocations, methods=["POST"])]
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
