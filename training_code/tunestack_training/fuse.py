"""Fuse: base and adapter as one set of weights, proven to answer as the two did."""

import json
import logging
from importlib.resources import files
from itertools import islice
from pathlib import Path
from typing import Any

from tunestack_training.base_model import load_base_model
from tunestack_training.failure import JobError
from tunestack_training.generation import stops_of
from tunestack_training.recipe import Recipe
from tunestack_training.rows import to_conversation
from tunestack_training.tokenizer import load_tokenizer

# How far, in nats a token (Kullback-Leibler), fused weights may be from what was judged: a share of how far the adapter
# moved the base, and what rounding does to a model by itself (bfloat16's is 1e-4 to 1e-3 on the models tried).
MOST_OF_WHAT_WAS_LEARNED, MOST_BY_ROUNDING = 0.05, 2e-3
ROWS_TO_PROVE = 8
log = logging.getLogger(__name__)


def fuse(base: Path, adapter: Path, recipe: Recipe, folder: Path) -> dict[str, float]:
    """Save base and adapter as one set of weights that answers as the two did; how far they are apart.

    The base is quantised as in training, then de-quantised, then merged. Merging while it is 4-bit loses the
    adapter in the rounding; merging into the original weights gives a model that was never evaluated.

    Raises:
        JobError: the fused weights don't predict what base and adapter did.
    """
    import torch

    tokenizer = load_tokenizer(adapter)
    model, judged, untuned = judged_model(base, adapter, recipe, tokenizer)
    model = merged(model, adapter, recipe)
    # Whoever serves it without this kit stops where it was trained to.
    model.generation_config.eos_token_id = sorted(stops_of(model, tokenizer)) or None
    model = model.to(getattr(torch, recipe.package.save_dtype))
    apart = {"from_adapter": distance(judged, predictions(model, tokenizer)), "from_base": distance(judged, untuned)}
    check_agreement(apart)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return apart


def judged_model(base: Path, adapter: Path, recipe: Recipe, tokenizer: Any) -> tuple[Any, Any, Any]:
    """The base as it was loaded for the evaluation, with what it predicts with the adapter, and without it."""
    from peft import PeftModel

    model = PeftModel.from_pretrained(load_base_model(base, recipe), adapter)
    model.eval()
    judged = predictions(model, tokenizer)
    with model.disable_adapter():
        untuned = predictions(model, tokenizer)
    return model.unload(), judged, untuned


def merged(model: Any, adapter: Path, recipe: Recipe) -> Any:
    """Base and adapter as one plain model, in float32."""
    import torch
    from peft import PeftModel

    if recipe.quantization.load_in_4bit:
        model = model.dequantize()
    model = PeftModel.from_pretrained(model.to(torch.float32), adapter).merge_and_unload()
    # It is a plain model now, and must say so to be loaded as one.
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    return model.eval()


def predictions(model: Any, tokenizer: Any) -> Any:
    """What a model expects at each token of some conversations of the general set: tokens × vocabulary, logarithms."""
    import torch

    with files("tunestack_training").joinpath("general.jsonl").open(encoding="utf-8") as lines:
        rows = [to_conversation(json.loads(line))[0] or {} for line in islice(lines, ROWS_TO_PROVE)]
    found = []
    for row in rows:
        text = tokenizer.apply_chat_template(row["prompt"] + row["completion"], tokenize=False)
        inputs = tokenizer(text, return_tensors="pt", add_special_tokens=False).to(model.device)
        with torch.inference_mode():
            found.append(model(input_ids=inputs["input_ids"]).logits[0].float().log_softmax(-1).cpu())
    return torch.cat(found)


def distance(judged: Any, other: Any) -> float:
    """How far predictions are from those that were judged, in nats a token (Kullback-Leibler)."""
    import torch

    return float(torch.nn.functional.kl_div(other, judged, reduction="batchmean", log_target=True).clamp(min=0))


def check_agreement(apart: dict[str, float]) -> None:
    """See that fused weights predict what was judged.

    Raises:
        JobError: they don't.
    """
    most = max(MOST_BY_ROUNDING, MOST_OF_WHAT_WAS_LEARNED * apart["from_base"])
    figures = (
        f"{apart['from_adapter']:.2g} nats a token from what was judged, where the base is {apart['from_base']:.2g}"
    )
    if not apart["from_adapter"] <= most:
        raise JobError(
            f"the fused weights don't answer as base and adapter did: they are {figures}, and at most {most:.2g} is "
            "allowed. Nothing is packed; set package.fuse: false to serve base and adapter side by side, or "
            "package.save_dtype: float32"
        )
    log.info("fused weights are %s", figures)
