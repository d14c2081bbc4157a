"""The parameter count of every preset, against the model's own class and against what its publisher says."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tunestack.catalogue.models import model_configs
from tunestack.sizing.memory.activations import COMPOSED
from tunestack.sizing.model.families import FAMILIES, OWN_ACTIVATIONS, from_config
from tunestack.sizing.model.model_config import ModelConfigError

# What the hub shows for these models' safetensors.
PUBLISHED = {
    "meta-llama/Llama-2-7b-hf": 6_738_415_616,
    "meta-llama/Llama-3.1-8B": 8_030_261_248,
    "meta-llama/Llama-3.1-405B": 405_853_388_800,
    "mistralai/Mixtral-8x7B-v0.1": 46_702_792_704,
    "Qwen/Qwen2.5-7B": 7_615_616_512,
    "google/gemma-2-9b": 9_241_705_984,
    "google/gemma-3-4b-it": 4_300_079_472,
    "microsoft/phi-4": 14_659_507_200,
    "tiiuae/falcon-40b": 41_303_293_952,
    "openai/gpt-oss-20b": 20_914_757_184,
    "HuggingFaceTB/SmolLM2-135M-Instruct": 134_515_008,
}
LLAMA = dict(model_configs()["meta-llama/Llama-3.1-8B"])


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_preset_has_the_published_number_of_parameters(name: str) -> None:
    assert from_config(model_configs()[name], name=name).parameters == PUBLISHED[name]


def test_every_preset_has_the_parameters_linears_and_kernels_of_its_class() -> None:
    # GIVEN every preset's shape, a shape per family once
    script = Path(__file__).with_name("count_on_meta.py")
    shapes = {json.dumps(config, sort_keys=True): name for name, config in model_configs().items()}
    configs = {name: model_configs()[name] for name in shapes.values()}
    assert {config["model_type"] for config in configs.values()} == set(FAMILIES)
    # WHEN transformers builds each on the meta device
    python = ROOT / ".venv-training" / "bin" / "python"
    done = subprocess.run(
        [python, script], input=json.dumps({name: dict(config) for name, config in configs.items()}),
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout)
    ours = {name: from_config(config, name=name) for name, config in configs.items()}
    # THEN the counts are equal, to the last parameter
    assert {name: item.parameters for name, item in ours.items()} == {name: told[name]["parameters"] for name in ours}
    # AND so is what a recipe is held to: whether the class takes sdpa, and which linears it has
    assert [name for name, item in ours.items() if item.lacks_sdpa == told[name]["sdpa"]] == []
    for name, item in ours.items():
        # AND so are what bitsandbytes gets of it, and activation functions that are several operators.
        assert any(linear.kind == "derived" for _, linear in item.linears()) == told[name]["derived"], name
        if configs[name]["model_type"] not in OWN_ACTIVATIONS:
            assert (item.activation in COMPOSED) == (told[name]["activation"] in COMPOSED), name
        linears = {linear.name for _, linear in item.linears() if linear.is_module}
        real = told[name]["linears"]
        assert [linear for linear in linears if not any(f".{other}".endswith(f".{linear}") for other in real)] == []
        assert [other for other in real if not any(f".{other}".endswith(f".{linear}") for linear in linears)] == []


def test_of_experts_a_token_uses_the_active_ones() -> None:
    mixtral = from_config(model_configs()["mistralai/Mixtral-8x7B-v0.1"], name="mixtral")
    assert 12.5e9 < mixtral.active_parameters < 12.9e9


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"model_type": "lama"}, "model_type must be one of .*, got 'lama'; did you mean 'llama'"),
        ({"hidden_size": None}, "hidden_size is missing"),
        ({"num_hidden_layers": 0}, "num_hidden_layers must be greater than 0, got 0"),
        ({"intermediate_size": -5}, "intermediate_size must be a whole number greater than 0, got -5"),
        ({"vocab_size": "many"}, "vocab_size must be a whole number greater than 0, got 'many'"),
        ({"num_attention_heads": 33}, r"hidden_size \(4096\) must be a multiple of num_attention_heads \(33\)"),
        ({"num_key_value_heads": 7}, r"num_attention_heads \(32\) must be a multiple of num_key_value_heads \(7\)"),
        ({"tie_word_embeddings": "no"}, "tie_word_embeddings must be true or false, got 'no'"),
    ],
)
def test_a_config_that_cannot_be_is_refused_with_its_field(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelConfigError, match=f"^my/config.json: {message}"):
        from_config({**LLAMA, **changed}, name="my/config.json")


def test_more_active_experts_than_there_are_is_refused() -> None:
    config = {**model_configs()["mistralai/Mixtral-8x7B-v0.1"], "num_experts_per_tok": 9}
    with pytest.raises(ModelConfigError, match=r"num_experts_per_tok \(9\) must be at most num_local_experts \(8\)"):
        from_config(config, name="x")


def test_qwen3s_experts_are_counted_by_either_name() -> None:
    config = dict(model_configs()["Qwen/Qwen3-30B-A3B"])
    renamed = {**{key: value for key, value in config.items() if key != "num_experts"}, "num_local_experts": 128}
    assert from_config(renamed, name="q").parameters == from_config(config, name="q").parameters
