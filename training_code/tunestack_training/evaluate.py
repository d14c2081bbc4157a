"""Evaluate: base and tuned model on held-out rows, and on a general set that shows what was forgotten."""

import json
import logging
import math
import random
import re
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tunestack_training import contract
from tunestack_training.base_model import load_base_model
from tunestack_training.failure import JobError
from tunestack_training.generation import answer
from tunestack_training.options import read_recipe, recipe_from_options
from tunestack_training.prepare import ROWS_FILE
from tunestack_training.recipe import Evaluation, Recipe
from tunestack_training.rows import Row
from tunestack_training.tokenizer import encode, load_tokenizer

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Scores:
    """How well a model answers a set of rows.

    `loss` is the mean negative log-likelihood of the answers' tokens, `token_accuracy` the share of them that
    the model finds likeliest, `answer_accuracy` the share of generated answers that hold the wanted one
    (None where nothing was generated).
    """

    loss: float
    perplexity: float
    token_accuracy: float
    answer_accuracy: float | None


def run(options: Mapping[str, str]) -> None:
    """Evaluate the adapter of a processing job against its base."""
    from peft import PeftModel

    adapter = contract.processing_input("adapter")
    recipe = recipe_from_options(options, base=read_recipe(adapter))
    folder = contract.processing_input("base-model")
    tokenizer = load_tokenizer(folder)
    # The base as it was trained on, quantised alike: the adapter makes the only difference.
    model = PeftModel.from_pretrained(load_base_model(folder, recipe), adapter)
    model.eval()
    result = {
        name: compare(model, tokenizer, sample(read_set(name), recipe), recipe.evaluation)
        for name in ("heldout", "general")
    }
    contract.write_json(contract.processing_output("evaluation") / "evaluation.json", result)
    message = " - ".join(summary(name, figures) for name, figures in result.items())
    log.info(message)
    contract.write_exit_message(message)


def compare(model: Any, tokenizer: Any, rows: Sequence[Row], settings: Evaluation) -> dict[str, Any]:
    """Scores of base and tuned model on the same rows, and the ratio of their losses."""
    scores = {}
    for name, adapter in (("base", model.disable_adapter()), ("tuned", nullcontext())):
        with adapter:
            scores[name] = score(model, tokenizer, rows, settings)
        log.info("%s: %s", name, scores[name])
    return {
        "rows": len(rows),
        **{name: asdict(value) for name, value in scores.items()},
        "loss_ratio": round(scores["tuned"].loss / scores["base"].loss, 6),
    }


def score(model: Any, tokenizer: Any, rows: Sequence[Row], settings: Evaluation) -> Scores:
    """How well a model answers rows."""
    total_loss = correct = tokens = 0.0
    for start in range(0, len(rows), settings.batch_size):
        loss, hits, count = _score_batch(model, tokenizer, rows[start : start + settings.batch_size])
        total_loss, correct, tokens = total_loss + loss, correct + hits, tokens + count
    if not tokens:
        raise JobError("the rows' answers have no tokens to evaluate")
    mean = total_loss / tokens
    if not math.isfinite(mean):
        raise JobError(f"the loss is {mean}: the training diverged; lower the learning rate")
    return Scores(
        loss=round(mean, 6),
        perplexity=round(math.exp(min(mean, 100)), 4),
        token_accuracy=round(correct / tokens, 6),
        answer_accuracy=_answer_accuracy(model, tokenizer, rows[: settings.generated_rows], settings),
    )


def sample(rows: list[Row], recipe: Recipe) -> list[Row]:
    """As many rows as are evaluated, chosen and ordered by the seed: a file's first rows may be all of a kind."""
    wanted = min(len(rows), recipe.evaluation.max_rows)
    return random.Random(recipe.training.seed).sample(rows, wanted)  # noqa: S311


def read_set(name: str) -> list[Row]:
    """The rows of a set: heldout (the test split) or general."""
    file = contract.processing_input({"heldout": "test", "general": "general"}[name]) / ROWS_FILE
    rows = _read(file)
    if not rows:
        raise JobError(f"the {name} set is empty ({file})")
    return rows


def summary(name: str, figures: dict[str, Any]) -> str:
    """A set's result in a few words: the ratio, and the tuned loss over the base's.

    The gate's reason shows it, and the registry's metadata, whose values have letters, digits, spaces and
    `_ . : / = + - @` only, 256 at the most.
    """
    tuned, base = (figures[model]["loss"] for model in ("tuned", "base"))
    return f"{name}.loss_ratio {figures['loss_ratio']:.4f} = {tuned:.4f} / {base:.4f}"


def _score_batch(model: Any, tokenizer: Any, rows: Sequence[Row]) -> tuple[float, float, int]:
    """Summed loss, tokens found, tokens: over the answers of a batch."""
    import torch

    encoded = [encode(tokenizer, row["prompt"], row["completion"]) for row in rows]
    width = max(len(tokens) for tokens, _ in encoded)
    ids = torch.full((len(encoded), width), tokenizer.pad_token_id)
    labels = torch.full((len(encoded), width), -100)
    mask = torch.zeros((len(encoded), width), dtype=torch.long)
    for index, (tokens, question) in enumerate(encoded):
        ids[index, : len(tokens)] = torch.tensor(tokens)
        labels[index, question : len(tokens)] = torch.tensor(tokens[question:])
        mask[index, : len(tokens)] = 1
    labels = labels[:, 1:].to(model.device)
    with torch.inference_mode():
        logits = model(input_ids=ids.to(model.device), attention_mask=mask.to(model.device)).logits[:, :-1].float()
    wanted = labels != -100
    loss = torch.nn.functional.cross_entropy(logits[wanted], labels[wanted], reduction="sum")
    hits = (logits.argmax(-1)[wanted] == labels[wanted]).sum()
    return float(loss), float(hits), int(wanted.sum())


def _answer_accuracy(model: Any, tokenizer: Any, rows: Sequence[Row], settings: Evaluation) -> float | None:
    if not rows:
        return None
    answers = answer(
        model,
        tokenizer,
        [row["prompt"] for row in rows],
        max_new_tokens=settings.max_new_tokens,
        batch_size=settings.batch_size,
    )
    found = sum(holds(text, row["completion"][0]["content"]) for row, text in zip(rows, answers, strict=True))
    return round(found / len(rows), 6)


def holds(text: str, wanted: str) -> bool:
    """Whether an answer has the wanted one in it, word by word; where that has no words, sign by sign."""
    words = _plain(wanted)
    return f" {words} " in f" {_plain(text)} " if words else wanted.strip() in text


def _plain(text: str) -> str:
    """Letters and digits in lower case, single spaces: what is left of an answer when form doesn't count."""
    return " ".join(re.findall(r"\w+", text.lower()))


def _read(file: Path) -> list[Row]:
    with file.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]
