"""A dry run finds what keeps a model from going the whole way, without its weights."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from conftest import RECIPE
from tunestack_training.base_model import load_base_model
from tunestack_training.dry_run import dry_run, main
from tunestack_training.failure import JobError
from tunestack_training.options import recipe_from_options

LLAMA_8B = {
    "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 4096, "intermediate_size": 14336,
    "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8, "vocab_size": 384,
    "max_position_embeddings": 8192, "rms_norm_eps": 1e-5, "eos_token_id": 0, "pad_token_id": 1,
}  # fmt: skip
QWEN_MOE = {
    **LLAMA_8B, "architectures": ["Qwen3MoeForCausalLM"], "model_type": "qwen3_moe", "num_experts": 128, "head_dim": 128,
    "num_experts_per_tok": 2, "moe_intermediate_size": 768, "hidden_size": 2048,
}  # fmt: skip


def folder_of(config: dict[str, Any], tiny_model: Path, folder: Path) -> Path:
    """A model's folder without its weights: a dry run doesn't read them."""
    folder.mkdir()
    for file in tiny_model.glob("token*"):
        shutil.copy(file, folder)
    (folder / "config.json").write_text(json.dumps(config))
    return folder


@pytest.mark.parametrize("config", [LLAMA_8B, QWEN_MOE], ids=["llama", "mixture of experts"])
def test_a_model_that_works_goes_the_whole_way(
    config: dict[str, Any], tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUNESTACK_ML_FOLDER", "elsewhere")
    dry_run(folder_of(config, tiny_model, tmp_path / "model"), {**RECIPE, "quantization.load_in_4bit": "true"})


@pytest.mark.parametrize("wrapper", ["module.", "_orig_mod.", "base_model.model."])
def test_weights_that_are_not_the_model_s_are_found_without_reading_them(
    wrapper: str, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from safetensors.torch import load_file, save_file

    monkeypatch.setenv("TUNESTACK_ML_FOLDER", "elsewhere")
    folder = tmp_path / "model"
    shutil.copytree(tiny_model, folder)
    weights = {f"{wrapper}{name}": tensor for name, tensor in load_file(folder / "model.safetensors").items()}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(JobError, match="loading: the weights lack .* tensors of the model"):
        dry_run(folder, RECIPE)
    with pytest.raises(JobError, match="the weights lack"):
        load_base_model(folder, recipe_from_options(RECIPE))


def test_a_token_beyond_the_model_s_places_is_found(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUNESTACK_ML_FOLDER", "elsewhere")
    folder = folder_of({**LLAMA_8B, "vocab_size": 20}, tiny_model, tmp_path / "model")
    with pytest.raises(JobError, match="loading: token .* and the model has places for 20 tokens"):
        dry_run(folder, RECIPE)


def test_an_architecture_that_transformers_hasn_t_is_named(
    tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUNESTACK_ML_FOLDER", "elsewhere")
    own = {**LLAMA_8B, "model_type": "our_own", "auto_map": {"AutoModelForCausalLM": "modeling_own.OwnForCausalLM"}}
    folder = folder_of(own, tiny_model, tmp_path / "model")
    assert main([str(folder), *[word for item in RECIPE.items() for word in ("--set", *item)]]) == 1
    assert "loading: ValueError" in capsys.readouterr().out


def test_a_template_that_can_t_be_trained_is_found_at_its_step(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUNESTACK_ML_FOLDER", "elsewhere")
    folder = folder_of(LLAMA_8B, tiny_model, tmp_path / "model")
    (folder / "chat_template.jinja").write_text("{% for m in messages %}{{ m['role'] }}{% endfor %}")
    with pytest.raises(JobError, match="preparing data: .*leaves"):
        dry_run(folder, RECIPE)
