"""Evaluate: base and tuned model on held-out rows, and on a general set that shows what was forgotten.

What both answer, on held-out rows and on the user's questions, is kept beside the scores (`answers.jsonl`).
"""

import logging
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from tunestack_training import contract, digests
from tunestack_training.answer_words import answer_in
from tunestack_training.asking import Asking
from tunestack_training.base_model import load_base_model
from tunestack_training.chat_template import Tools
from tunestack_training.encoding import Encoder
from tunestack_training.exam import read_questions, read_set, sample
from tunestack_training.failure import JobError
from tunestack_training.generation import Answer, answer, said_by, stops_of
from tunestack_training.intervals import difference_interval, rate_interval, ratio_interval
from tunestack_training.options import read_recipe, recipe_from_options
from tunestack_training.prepare import write_rows
from tunestack_training.progress import Progress
from tunestack_training.recipe import Evaluation, Recipe
from tunestack_training.right import comparison_for
from tunestack_training.right import score as score_of
from tunestack_training.rows import Row
from tunestack_training.tokenizer import load_tokenizer
from tunestack_training.verdict import FEW_TEST_ROWS, in_words, verdict_on

ANSWERS_FILE = "answers.jsonl"
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Scores:
    """How well a model answers a set of rows.

    `loss` is the mean negative log-likelihood of the answers' own tokens, without those that the template puts around
    every answer; `token_accuracy` is the share of them that the model finds likeliest. Of the answers that were
    generated, `right` is how many are right in all, `answer_accuracy` their share, `answer_score` the mean of what is
    right of each; None where none was generated.
    """

    loss: float
    perplexity: float
    token_accuracy: float
    right: int = 0
    answer_accuracy: float | None = None
    answer_score: float | None = None


def run(options: Mapping[str, str]) -> None:
    """Evaluate the adapter of a processing job against its base."""
    from peft import PeftModel

    adapter, folder = (contract.processing_input(name) for name in ("adapter", "base-model"))
    options, told = digests.split_options(options)
    judged = look_at_inputs(adapter, folder, told)
    recipe = recipe_from_options(options, base=read_recipe(adapter))
    tokenizer = load_tokenizer(folder)
    # The base as it was trained on, quantised alike: the adapter makes the only difference.
    model = PeftModel.from_pretrained(load_base_model(folder, recipe), adapter)
    model.eval()
    result, examples = {}, {}
    for name in ("heldout", "general"):
        rows = sample(read_set(name), recipe)
        result[name], examples[name] = compare(name, model, tokenizer, rows, recipe)
    asking = Asking(tokenizer, model.config, max_new_tokens=recipe.evaluation.max_new_tokens)
    questions = read_questions(contract.processing_input("questions"), recipe.evaluation, asking)
    tools = [item.get("tools") for item in questions]
    asked = both(model, tokenizer, [item["question"] for item in questions], recipe.evaluation, tools)
    kept = [{"set": "heldout", **example} for example in examples["heldout"]]
    kept += [{"set": "questions", **question, **_plain(pair)} for question, pair in zip(questions, asked, strict=True)]
    output = contract.processing_output("evaluation")
    write_rows(output / ANSWERS_FILE, kept)
    gate = verdict_on(result, recipe.evaluation)
    contract.write_json(output / "evaluation.json", {**result, "gate": gate, "sha256": judged})
    message = " - ".join([*(summary(name, figures) for name, figures in result.items()), in_words(gate)])
    log.info(message)
    contract.write_exit_message(message)


def look_at_inputs(adapter: Path, base_model: Path, told: Mapping[str, str]) -> dict[str, str]:
    """The digests of what is judged, and of the exam: held-out rows, general set and questions together.

    Raises:
        JobError: the base is another than the adapter was trained on, or something isn't what the job was told.
    """
    sets = {name: digests.folder_sha256(contract.processing_input(name)) for name in ("test", "general", "questions")}
    found = {
        "adapter": digests.folder_sha256(adapter),
        "base_model": digests.folder_sha256(base_model),
        "exam": digests.of_several(sets),
    }
    digests.check(found, {"base_model": digests.made_from(adapter)["base_model"], **told})
    return found


def compare(
    name: str, model: Any, tokenizer: Any, rows: Sequence[Row], recipe: Recipe
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Scores of base and tuned model on the same rows, and the ratio of their losses; examples of what both answer."""
    generated = rows[: recipe.evaluation.generated_rows]
    tools = [row.get("tools") for row in generated]
    answers = both(model, tokenizer, [row["prompt"] for row in generated], recipe.evaluation, tools)
    wanted = [_wanted(model, tokenizer, row) for row in generated]
    how = comparison_for(wanted, recipe.evaluation.compare_answers)
    examples = [
        {"question": row["prompt"], "wanted": text, **_plain(pair)}
        for row, text, pair in zip(generated, wanted, answers, strict=True)
    ]
    scores, losses, hits = {}, {}, {}
    for version, adapter in _versions(model):
        with adapter:
            progress = Progress(len(rows), f"rows of the {name} set scored, {version}")
            found, losses[version] = score(model, tokenizer, rows, recipe, progress)
        hits[version] = [
            score_of(pair[version], text, how, recipe.evaluation.answer_pattern)
            for text, pair in zip(wanted, answers, strict=True)
        ]
        scores[version] = _with_answers(found, hits[version])
        log.info("%s: %s", version, scores[version])
    if not scores["base"].loss:
        raise JobError(
            f"the base model's loss on the {name} set is 0: it knows every answer, or the set has none to find. "
            "Evaluate on rows that it can get wrong"
        )
    return {
        "rows": len(rows),
        "undecided": len(rows) < FEW_TEST_ROWS,
        **{version: asdict(value) for version, value in scores.items()},
        "loss_ratio": round(scores["tuned"].loss / scores["base"].loss, 6),
        "loss_ratio_interval": ratio_interval(losses["tuned"], losses["base"], recipe.training.seed),
        "answered": len(examples),
        "compared_by": how,
        # Who always said the commonest answer would be right as often.
        "commonest_answer": round(max(Counter(map(answer_in, wanted)).values()) / len(wanted), 6) if wanted else None,
        **_errors(hits, recipe.training.seed),
    }, examples


def _wanted(model: Any, tokenizer: Any, row: Row) -> str:
    """The text of a row's answer; of one that calls tools, what the model's template makes of the calls."""
    (message,) = row["completion"]
    if "tool_calls" not in message:
        return str(message["content"])
    made = Encoder(tokenizer).one(row["prompt"], row["completion"], row.get("tools"))
    return said_by(tokenizer, made.tokens[made.answer :], stops_of(model, tokenizer)).text


def _errors(hits: Mapping[str, Sequence[float]], seed: int) -> dict[str, Any]:
    """How much of the answers is wrong, and how much more of the tuned model's than of the base's."""
    tuned, base = hits["tuned"], hits["base"]
    if not tuned:
        # What isn't known is no reason to go on: without answers, all of them are wrong.
        return {
            "error_rate": 1.0,
            "error_rate_interval": (0.0, 1.0),
            "error_increase": 1.0,
            "error_increase_interval": (-1.0, 1.0),
        }
    rate = round(1 - sum(tuned) / len(tuned), 6)
    return {
        "error_rate": rate,
        "error_rate_interval": rate_interval(rate, len(tuned)),
        "error_increase": round((sum(base) - sum(tuned)) / len(tuned), 6),
        "error_increase_interval": difference_interval(base, tuned, seed),
    }


def _with_answers(found: Scores, hits: Sequence[float]) -> Scores:
    if not hits:
        return found
    right = sum(hit == 1 for hit in hits)
    shares = {"answer_accuracy": right / len(hits), "answer_score": sum(hits) / len(hits)}
    return replace(found, right=right, **{name: round(share, 6) for name, share in shares.items()})


def _plain(pair: Mapping[str, Answer]) -> dict[str, Any]:
    """What both models said; which of them ran into the limit."""
    cut_off = [version for version, said in pair.items() if not said.ended]
    return {version: said.text for version, said in pair.items()} | ({"cut_off": cut_off} if cut_off else {})


def both(
    model: Any,
    tokenizer: Any,
    conversations: Sequence[list[dict[str, Any]]],
    settings: Evaluation,
    tools: Sequence[Tools] = (),
) -> list[dict[str, Answer]]:
    """What base and tuned model answer to each conversation."""
    answers = {}
    for version, adapter in _versions(model):
        with adapter:
            answers[version] = answer(
                model,
                tokenizer,
                conversations,
                tools=tools,
                max_new_tokens=settings.max_new_tokens,
                batch_size=settings.batch_size,
                progress=Progress(len(conversations), f"rows answered, {version}"),
            )
    return [dict(zip(answers, pair, strict=True)) for pair in zip(*answers.values(), strict=True)]


def _versions(model: Any) -> Iterator[tuple[str, AbstractContextManager[Any]]]:
    yield "base", model.disable_adapter()
    yield "tuned", nullcontext()


def score(
    model: Any, tokenizer: Any, rows: Sequence[Row], recipe: Recipe, progress: Progress
) -> tuple[Scores, list[float]]:
    """How well a model finds the answers of rows, as far as a training would have seen them (`max_length`).

    With it the loss of each row, summed over its tokens.
    """
    losses: list[float] = []
    correct = tokens = 0
    size = recipe.evaluation.batch_size
    for start in range(0, len(rows), size):
        batch = rows[start : start + size]
        of_rows, hits, count = _score_batch(model, tokenizer, batch, recipe.training.max_length)
        losses += of_rows
        correct, tokens = correct + hits, tokens + count
        progress.add(len(batch))
    if not tokens:
        raise JobError("the rows' answers have no tokens to evaluate")
    mean = sum(losses) / tokens
    if not math.isfinite(mean):
        raise JobError(f"the loss is {mean}: the training diverged; lower the learning rate")
    found = Scores(
        loss=round(mean, 6),
        perplexity=round(math.exp(min(mean, 100)), 4),
        token_accuracy=round(correct / tokens, 6),
    )
    return found, losses


def summary(name: str, figures: dict[str, Any]) -> str:
    """A set's result in a few words: how many held-out answers are right, and the ratio of the losses.

    The gate's reason shows it, and the registry's metadata, whose values have letters, digits, spaces and
    `_ . : / = + - @` only, 256 at the most.
    """
    tuned, base = (figures[model]["loss"] for model in ("tuned", "base"))
    text = f"{name}.loss_ratio {figures['loss_ratio']:.4f} = {tuned:.4f} / {base:.4f} on {figures['rows']} rows"
    if name != "heldout" or not figures["answered"]:
        return text
    return f"right {figures['tuned']['right']} of {figures['answered']} base {figures['base']['right']} {text}"


def _score_batch(model: Any, tokenizer: Any, rows: Sequence[Row], max_length: int) -> tuple[list[float], int, int]:
    """The loss of each row, summed over its answer's tokens; of all of them the tokens found, and the tokens."""
    import torch

    encoder = Encoder(tokenizer)
    encoded = [encoder.with_own_tokens(row["prompt"], row["completion"], row.get("tools")) for row in rows]
    width = max(min(len(tokens), max_length) for tokens, _ in encoded)
    ids = torch.full((len(encoded), width), tokenizer.pad_token_id)
    labels = torch.full((len(encoded), width), -100)
    mask = torch.zeros((len(encoded), width), dtype=torch.long)
    for index, (tokens, own) in enumerate(encoded):
        seen = torch.tensor(tokens[:max_length])
        ids[index, : len(seen)] = seen
        mask[index, : len(seen)] = 1
        chosen = torch.tensor([place for place in own if place < max_length], dtype=torch.long)
        labels[index, chosen] = seen[chosen]
    labels = labels[:, 1:].to(model.device)
    with torch.inference_mode():
        logits = model(input_ids=ids.to(model.device), attention_mask=mask.to(model.device)).logits[:, :-1].float()
    wanted = labels != -100
    loss = torch.nn.functional.cross_entropy(logits.transpose(1, 2), labels, reduction="none").sum(1)
    hits = (logits.argmax(-1)[wanted] == labels[wanted]).sum()
    return loss.tolist(), int(hits), int(wanted.sum())
