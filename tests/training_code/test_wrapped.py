"""A model whose configuration wraps a text model's, beside a picture's: prepared, trained, judged, packed and served."""

import json
import shutil
from pathlib import Path

import pytest
from conftest import TRAINING, prepared, rows, training_inputs, write_lines
from tunestack_training import evaluate, package, train
from tunestack_training.serve import ModelServer

ANSWERED = {"evaluation.generated_rows": "2", "evaluation.max_new_tokens": "3"}


@pytest.fixture(scope="module")
def wrapped_model(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random Gemma 3 with the tiny model's tokenizer."""
    import torch
    from transformers import AutoTokenizer, Gemma3Config, Gemma3ForConditionalGeneration

    folder = tmp_path_factory.mktemp("wrapped")
    text = {
        "vocab_size": 384, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2,
        "num_key_value_heads": 1, "head_dim": 16, "max_position_embeddings": 1024, "eos_token_id": 0, "pad_token_id": 1,
        "sliding_window": 64,
    }  # fmt: skip
    vision = {
        "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "image_size": 28,
        "patch_size": 14,
    }  # fmt: skip
    torch.manual_seed(0)
    config = Gemma3Config(
        text_config=text, vision_config=vision, mm_tokens_per_image=4, image_token_index=2, eos_token_id=0
    )
    Gemma3ForConditionalGeneration(config).save_pretrained(folder)
    AutoTokenizer.from_pretrained(tiny_model).save_pretrained(folder)
    return folder


def test_it_goes_the_whole_way(wrapped_model: Path, ml: Path, tmp_path: Path) -> None:
    assert "text_config" in json.loads((wrapped_model / "config.json").read_text())
    write_lines(ml / "processing" / "input" / "data" / "a.jsonl", rows(30))
    prepared(ml, wrapped_model)
    training_inputs(ml, wrapped_model, {**TRAINING, "training.max_steps": "2"})
    train.run({})
    inputs, made = ml / "processing" / "input", ml / "processing" / "output"
    shutil.copytree(ml / "model", inputs / "adapter")
    for name in ("test", "general"):
        shutil.copytree(made / name, inputs / name)
    (inputs / "questions").mkdir()
    evaluate.run(ANSWERED)
    assert json.loads((made / "evaluation" / "evaluation.json").read_text())["heldout"]["tuned"]["loss"] > 0
    package.run({"inference.max_new_tokens": "3"})
    shutil.unpack_archive(made / "model" / "model.tar.gz", tmp_path / "served")
    (answer,) = ModelServer(tmp_path / "served").answer_lines([b'{"instruction": "what does the function do"}'])
    assert "response" in answer, answer
