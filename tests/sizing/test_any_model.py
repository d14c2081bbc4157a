"""Families that nobody wrote down: sized by what their checkpoint's headers or their class say."""

import json
import struct
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.sizing.jobs import model
from tunestack.catalogue.models import model_configs
from tunestack.sizing.job.ability import as_built
from tunestack.sizing.job.named_methods import job_of_method
from tunestack.sizing.memory.training_memory import training_memory
from tunestack.sizing.model.families import DEFAULTS, FAMILIES, from_config
from tunestack.sizing.model.model_config import ModelConfigError
from tunestack.sizing.model.model_source import PYTHON_VARIABLE, find_model
from tunestack.sizing.model.safetensors_headers import checkpoint_shapes
from tunestack.sizing.model.shapes import from_shapes
from tunestack.sizing.trainers.choice import find_trainer

NEW = (
    "olmo2", "olmo3", "glm4", "granite", "starcoder2", "qwen2_5_vl", "qwen3_next", "llama4", "smollm3", "mistral3",
    "seed_oss", "ernie4_5", "exaone4", "apertus", "phimoe", "minimax", "qwen3_5", "gemma4", "cohere2", "granitemoe",
    "glm4_moe", "ministral3", "lfm2",
)  # fmt: skip
TRAINING_PYTHON = ROOT / ".venv-training" / "bin" / "python"


@cache
def built() -> dict[str, Any]:
    command = [TRAINING_PYTHON, Path(__file__).with_name("any_model.py")]
    done = subprocess.run(command, input=json.dumps(NEW), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return dict(json.loads(done.stdout))


@pytest.mark.slow
@pytest.mark.parametrize("family", NEW)
def test_a_family_that_nobody_wrote_down_is_read_off_its_class(family: str) -> None:
    assert family not in FAMILIES
    told = built()[family]
    found = from_shapes({k: tuple(v) for k, v in told["shapes"].items()}, told["config"], name=family)
    assert (found.parameters, found.depth) == (told["parameters"], told["depth"])
    # What LoRA's all-linear would adapt, and bitsandbytes quantise.
    named = {linear.name for _, linear in found.linears() if linear.is_module}
    assert set(told["linears"]) - {"gate", "router"} <= named
    sized = training_memory(found, job_of_method("qlora", max_length=512))
    assert 0 < sized.low_bytes < sized.high_bytes


def test_a_known_family_read_off_shapes_is_what_its_formula_says() -> None:
    known, config = model("meta-llama/Llama-3.1-8B"), dict(model_configs()["meta-llama/Llama-3.1-8B"])
    assert from_shapes(_llama(config), config, name=known.name).parameters == known.parameters
    ours, theirs = (
        training_memory(item, job_of_method("qlora", max_length=2048)).allocated_bytes
        for item in (from_shapes(_llama(config), config, name="shapes"), known)
    )
    assert ours == pytest.approx(theirs, rel=1e-6)


def _llama(config: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    hidden, inner, kv = config["hidden_size"], config["intermediate_size"], 1024
    shapes: dict[str, tuple[int, ...]] = {
        "model.embed_tokens.weight": (config["vocab_size"], hidden),
        "lm_head.weight": (config["vocab_size"], hidden),
        "model.norm.weight": (hidden,),
    }
    for layer in range(config["num_hidden_layers"]):
        for name, shape in {
            "self_attn.q_proj": (hidden, hidden), "self_attn.k_proj": (kv, hidden), "self_attn.v_proj": (kv, hidden),
            "self_attn.o_proj": (hidden, hidden), "mlp.gate_proj": (inner, hidden), "mlp.up_proj": (inner, hidden),
            "mlp.down_proj": (hidden, inner), "input_layernorm": (hidden,), "post_attention_layernorm": (hidden,),
        }.items():  # fmt: skip
            shapes[f"model.layers.{layer}.{name}.weight"] = shape
    return shapes


def checkpoint(folder: Path, shapes: dict[str, tuple[int, ...]], **config: Any) -> Path:
    """A folder as `save_pretrained` leaves it, less the numbers."""
    folder.mkdir(parents=True)
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    header |= {name: {"dtype": "BF16", "shape": list(shape), "data_offsets": [0, 0]} for name, shape in shapes.items()}
    text = json.dumps(header).encode()
    (folder / "model-00001-of-00001.safetensors").write_bytes(struct.pack("<Q", len(text)) + text)
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def small(**more: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    config = {"hidden_size": 1024, "intermediate_size": 2048, "vocab_size": 500, "num_hidden_layers": 3}
    return {**_llama(config), **more}


def test_the_headers_of_safetensors_files_say_what_a_model_of_any_family_is(tmp_path: Path) -> None:
    folder = checkpoint(tmp_path / "new", small(), model_type="brand_new", num_attention_heads=8)
    found = find_model(str(folder))
    assert (found.depth, found.vocabulary, found.hidden, found.layers[0].attention.heads) == (3, 500, 1024, 8)
    assert found.parameters == sum(_size(shape) for shape in small().values())
    assert find_model(str(folder / "config.json")).parameters == found.parameters


def _size(shape: tuple[int, ...]) -> int:
    return shape[0] * (shape[1] if len(shape) > 1 else 1)


def test_a_tower_beside_the_text_is_loaded_and_stays_frozen(tmp_path: Path) -> None:
    more = {"model.visual.blocks.0.attn.qkv.weight": (9000, 3000)}
    folder = checkpoint(
        tmp_path / "sees", small(**more), model_type="brand_new", text_config={"num_attention_heads": 4}
    )
    found = find_model(str(folder))
    assert (found.tower_parameters, found.depth, found.layers[0].attention.heads) == (27_000_000, 3, 4)


def test_a_model_of_the_local_cache_is_found_by_its_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    place = tmp_path / "hub" / "models--somebody--something" / "snapshots" / "0123"
    checkpoint(place, small(), model_type="brand_new", num_attention_heads=8)
    assert find_model("somebody/something").depth == 3
    with pytest.raises(ModelConfigError, match="nothing in the Hugging Face cache: 'somebody/else'"):
        find_model("somebody/else")


@pytest.mark.slow
def test_without_a_checkpoint_the_class_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "config.json"
    fields = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4}
    config.write_text(json.dumps({"model_type": "olmo2", "vocab_size": 300, **fields}))
    monkeypatch.setenv(PYTHON_VARIABLE, str(TRAINING_PYTHON))
    assert find_model(str(config)).depth == 2
    config.write_text(json.dumps({"model_type": "nobody_knows"}))
    with pytest.raises(ModelConfigError, match="can't build the family 'nobody_knows'"):
        find_model(str(config))


def test_what_helps_is_said_where_nothing_knows_the_family(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"model_type": "olmo2"}))
    monkeypatch.setenv(PYTHON_VARIABLE, str(tmp_path / "none"))
    with pytest.raises(ModelConfigError, match="put the model's safetensors files beside its config.json, or name a"):
        find_model(str(config))
    monkeypatch.setenv(PYTHON_VARIABLE, sys.executable)
    with pytest.raises(ModelConfigError, match="can't build the family 'olmo2': ModuleNotFoundError"):
        find_model(str(config))


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        ({"model.embed_tokens.weight": (5, 4)}, "no numbered layers"),
        ({"model.layers.0.mlp.up_proj.weight": (8, 4)}, "no token embedding"),
    ],
)
def test_tensors_that_are_no_decoder_are_refused(shapes: dict[str, tuple[int, ...]], message: str) -> None:
    with pytest.raises(ModelConfigError, match=message):
        from_shapes(shapes, {}, name="x")


@pytest.mark.parametrize("content", [b"", b"12345678", struct.pack("<Q", 10**18) + b"{}", struct.pack("<Q", 2) + b"[]"])
def test_a_file_that_is_no_safetensors_file_is_named(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.safetensors").write_bytes(content)
    with pytest.raises(ModelConfigError, match=r"a\.safetensors: not a safetensors file"):
        checkpoint_shapes(tmp_path)


def test_a_quantised_checkpoint_is_not_taken_for_its_model(tmp_path: Path) -> None:
    more = {"model.layers.0.mlp.up_proj.weight.absmax": (100,)}
    folder = checkpoint(tmp_path / "nf4", small(**more), model_type="brand_new")
    with pytest.raises(ModelConfigError, match="holds quantised weights"):
        find_model(str(folder))


def test_what_the_index_names_is_the_model_and_must_be_there(tmp_path: Path) -> None:
    folder = checkpoint(tmp_path / "whole", small(), model_type="brand_new", num_attention_heads=8)
    checkpoint(tmp_path / "more", small(), model_type="brand_new")
    more = (tmp_path / "more" / "model-00001-of-00001.safetensors").read_bytes()
    # The same once more in Mistral's own layout, and an adapter: neither is counted.
    for name in ("consolidated.safetensors", "adapter_model.safetensors"):
        (folder / name).write_bytes(more.replace(b"model.", b"other."))
    whole = sum(_size(shape) for shape in small().values())
    assert find_model(str(folder)).parameters == whole
    files = {"a": "model-00001-of-00001.safetensors"}
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": files}))
    assert find_model(str(folder)).parameters == whole
    index.write_text(json.dumps({"weight_map": {**files, "b": "model-00002-of-00002.safetensors"}}))
    with pytest.raises(ModelConfigError, match="1 of 2 files of the index are missing, model-00002-of-00002"):
        find_model(str(folder))
    index.write_text("[" * 100_000)
    with pytest.raises(ModelConfigError, match="not an index of safetensors files"):
        find_model(str(folder))


def test_single_experts_of_a_checkpoint_are_joined_as_they_are_loaded(tmp_path: Path) -> None:
    names = ("gate_proj", "up_proj")
    more = {f"model.layers.0.mlp.experts.{index}.{name}.weight": (256, 1024) for index in range(4) for name in names}
    fields = {"model_type": "brand_new", "num_attention_heads": 8, "num_experts_per_tok": 2}
    found = find_model(str(checkpoint(tmp_path / "experts", small(**more), **fields)))
    assert found.unquantized_experts("nf4") == 4 * 2 * 256 * 1024
    # In the classes of transformers 4 they were modules, and quantised.
    assert as_built(found, find_trainer("hf_trainer", month="2025-06")).unquantized_experts("nf4") == 0


def test_the_scales_of_fp8_weights_are_no_parameters(tmp_path: Path) -> None:
    more = {"model.layers.0.mlp.up_proj.weight_scale_inv": (16, 8)}
    folder = checkpoint(tmp_path / "fp8", small(**more), model_type="brand_new", num_attention_heads=8)
    assert find_model(str(folder)).parameters == sum(_size(shape) for shape in small().values())
    more = {"model.layers.0.mlp.up_proj.weight_packed": (100, 100)}
    with pytest.raises(ModelConfigError, match="holds quantised weights"):
        find_model(str(checkpoint(tmp_path / "int4", small(**more), model_type="brand_new")))


@pytest.mark.parametrize(
    ("kind", "cached"), [("linear_attn.in_proj_qkvz", 2), ("mamba.in_proj", 2), ("self_attn.qkv_proj", 3)]
)
def test_a_layer_without_attention_caches_no_tokens(kind: str, cached: int) -> None:
    shapes = {name: shape for name, shape in small().items() if not name.startswith("model.layers.1.self_attn")}
    shapes[f"model.layers.1.{kind}.weight"] = (3072, 1024)
    found = from_shapes(shapes, {"num_attention_heads": 8}, name="x")
    assert sum(layer.copies for layer in found.layers if layer.attention.cache_width) == cached


@pytest.mark.parametrize("shape", [[3.5, 4], [-3, 4], ["a"], None])
def test_shapes_that_cannot_be_are_refused(shape: object, tmp_path: Path) -> None:
    text = json.dumps({"x": {"shape": shape}}).encode()
    (tmp_path / "a.safetensors").write_bytes(struct.pack("<Q", len(text)) + text)
    with pytest.raises(ModelConfigError, match="not a safetensors file"):
        checkpoint_shapes(tmp_path)


@pytest.mark.parametrize("family", [["llama"], {}, 3])
def test_a_model_type_that_is_no_text_is_named(family: object, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": family}))
    with pytest.raises(ModelConfigError, match="model_type must be one of"):
        find_model(str(tmp_path))


@pytest.mark.slow
def test_what_a_configuration_leaves_out_is_its_class_s_default() -> None:
    """Read off transformers; `null` in its file would mean one key for each head, as without a default."""
    script = """
import json, sys
from transformers import AutoConfig
ask = json.load(sys.stdin)
json.dump({f: {k: getattr(AutoConfig.for_model(f), k, None) for k in keys} for f, keys in ask.items()}, sys.stdout)
"""
    asked = json.dumps({family: sorted(fields) for family, fields in DEFAULTS.items()})
    done = subprocess.run([TRAINING_PYTHON, "-c", script], input=asked, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == DEFAULTS


def test_a_left_out_default_is_the_class_s_own_and_not_llama_s() -> None:
    config = dict(model_configs()["mistralai/Mistral-7B-v0.1"])
    whole = from_config(config, name="whole")
    config.pop("num_key_value_heads")
    assert from_config(config, name="less").parameters == whole.parameters
