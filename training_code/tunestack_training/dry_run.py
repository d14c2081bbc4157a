"""A dry run: a model's architecture, shrunken and with random weights, goes the whole way on this machine's CPU.

`python -m tunestack_training.dry_run FOLDER [--set KEY VALUE]…`, with the recipe's options. What keeps such a model
from being loaded, trained, evaluated, packed or served is found in a minute, before it is uploaded and paid for.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from tunestack_training.base_model import check_weights
from tunestack_training.failure import JobError
from tunestack_training.tokenizer import check_vocabulary, load_tokenizer

LAYERS, HEADS, INTERMEDIATE, EXPERTS = 2, 4, 256, 4
_TOKENIZER = ("token*", "special_tokens_map.json", "added_tokens.json", "chat_template*", "vocab*", "merges.txt")
# Of the recipe's options, what a CPU and a single step need otherwise.
_SMALL = {
    "data.test_fraction": "0.3", "data.validation_fraction": "0.2", "data.min_test_rows": "1",
    "data.long_rows": "truncate", "training.max_steps": "1", "training.max_length": "128",
    "training.per_device_train_batch_size": "1", "training.gradient_accumulation_steps": "1",
    "training.optim": "adamw_torch", "model.attn_implementation": "eager", "evaluation.generated_rows": "1",
    "evaluation.max_rows": "2", "evaluation.max_new_tokens": "2", "inference.max_new_tokens": "2",
    "quantization.bnb_4bit_compute_dtype": "auto",
}  # fmt: skip
_ROWS = 16


def dry_run(model: Path, options: Mapping[str, str]) -> None:
    """See that a model of this architecture, tokenizer and template goes the whole way.

    Raises:
        JobError: it doesn't; the text says at which step, and why.
    """
    with tempfile.TemporaryDirectory() as scratch:
        ml = Path(scratch)
        os.environ["TUNESTACK_ML_FOLDER"] = str(ml)
        base = ml / "processing" / "input" / "base-model"
        _step("loading", lambda: _load(model))
        _step("loading", lambda: shrink(model, base))
        chosen = {**options, **_SMALL}
        for name, step in (("preparing data", _prepare), ("training", _train), ("evaluating", _evaluate)):
            _step(name, partial(step, ml, chosen))
        _step("packing", lambda: _package(ml))
        _step("serving", lambda: _serve(ml))


def _load(model: Path) -> None:
    """See that the weights are those of the model, and the tokenizer's tokens among its: by names and shapes alone."""
    from transformers import AutoConfig, AutoModelForCausalLM

    config = AutoConfig.from_pretrained(model, local_files_only=True, trust_remote_code=False)
    check_vocabulary(load_tokenizer(model), config.get_text_config().vocab_size)
    if any(model.glob("*.safetensors")):
        made, found = AutoModelForCausalLM.from_pretrained(
            model, local_files_only=True, use_safetensors=True, trust_remote_code=False, device_map="meta",
            output_loading_info=True,
        )  # fmt: skip
        check_weights(made, found)


def shrink(model: Path, folder: Path) -> None:
    """Write a model of the same architecture and vocabulary with few layers, heads and experts, and random weights."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    config = AutoConfig.from_pretrained(model, local_files_only=True, trust_remote_code=False)
    for part in {id(item): item for item in (config, config.get_text_config())}.values():
        _shrink_config(part)
    torch.manual_seed(0)
    made = AutoModelForCausalLM.from_config(config, trust_remote_code=False)
    made.to(torch.float32).save_pretrained(folder)
    for pattern in _TOKENIZER:
        for file in model.glob(pattern):
            shutil.copyfile(file, folder / file.name)


def _shrink_config(config: Any) -> None:
    """Fewer layers, heads and experts; what a head is like, and the vocabulary, stay."""
    values = config.to_dict()
    heads, kv_heads = values.get("num_attention_heads"), values.get("num_key_value_heads")
    smaller: dict[str, Any] = {"num_hidden_layers": LAYERS}
    if isinstance(heads, int) and isinstance(values.get("hidden_size"), int) and heads > HEADS:
        head_dim = values.get("head_dim") or values["hidden_size"] // heads
        smaller |= {"num_attention_heads": HEADS, "hidden_size": HEADS * head_dim, "intermediate_size": INTERMEDIATE}
        if isinstance(kv_heads, int):
            smaller["num_key_value_heads"] = HEADS if kv_heads == heads else min(kv_heads, HEADS // 2)
    for name in ("num_experts", "num_local_experts", "n_routed_experts"):
        if isinstance(values.get(name), int) and values[name] > EXPERTS:
            smaller[name] = EXPERTS
    if isinstance(values.get("layer_types"), list):
        smaller["layer_types"] = values["layer_types"][-LAYERS:]
    config.update({name: value for name, value in smaller.items() if name in values})


def _prepare(ml: Path, options: Mapping[str, str]) -> None:
    from tunestack_training import prepare

    data = ml / "processing" / "input" / "data"
    data.mkdir(parents=True)
    rows = [{"instruction": f"what is {number}", "response": f"a number: {number}"} for number in range(_ROWS)]
    (data / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    prepare.run({key: value for key, value in options.items() if key.split(".")[0] in ("model", "data", "training")})


def _train(ml: Path, options: Mapping[str, str]) -> None:
    from tunestack_training import train

    made, channels = ml / "processing" / "output", ml / "input" / "data"
    for name in ("train", "validation"):
        shutil.copytree(made / name, channels / name)
    shutil.copytree(ml / "processing" / "input" / "base-model", channels / "base-model")
    config = ml / "input" / "config" / "hyperparameters.json"
    config.parent.mkdir(parents=True)
    config.write_text(json.dumps(dict(options)), encoding="utf-8")
    train.run({})


def _evaluate(ml: Path, options: Mapping[str, str]) -> None:
    from tunestack_training import evaluate

    inputs = ml / "processing" / "input"
    shutil.copytree(ml / "model", inputs / "adapter")
    for name in ("test", "general"):
        shutil.copytree(ml / "processing" / "output" / name, inputs / name)
    (inputs / "questions").mkdir()
    evaluate.run({key: value for key, value in options.items() if key.startswith("evaluation.")})


def _package(ml: Path) -> None:
    from tunestack_training import package

    package.run({})
    shutil.unpack_archive(ml / "processing" / "output" / "model" / "model.tar.gz", ml / "served")


def _serve(ml: Path) -> None:
    from tunestack_training.serve import ModelServer

    (answer,) = ModelServer(ml / "served").answer_lines([b'{"instruction": "what is 1"}'])
    if "error" in answer:
        raise JobError(answer["error"])


def _step(name: str, run: Callable[[], object]) -> None:
    try:
        run()
    except JobError as error:
        raise JobError(f"{name}: {error}") from None
    except Exception as error:  # Whatever a library makes of a stranger's model.
        raise JobError(f"{name}: {type(error).__name__}: {error}") from error


def main(arguments: list[str]) -> int:
    """Try a model; 0 where it goes the whole way, else 1 with the reason as the last line."""
    parser = argparse.ArgumentParser(prog="tunestack_training.dry_run")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--set", nargs=2, action="append", default=[], metavar=("KEY", "VALUE"))
    given = parser.parse_args(arguments)
    try:
        dry_run(given.folder, dict(given.set))
    except JobError as error:
        print(error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
