"""Run in the training environment: configs by name as JSON on stdin → what each is, on stdout: the bytes that a layer
keeps per token, its whole configuration, and its tensors' shapes.

Two models of each, with two layers and with four, differ by two layers and nothing else: whatever autograd saves in a
forward pass, each storage once, parameters and buffers left out. On a CPU and in fp32, trained as a whole and by LoRA on
all linears.
"""

import json
import sys
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoConfig, AutoModelForCausalLM

TOKENS, RANK, FEW, MORE = 128, 8, 2, 4
DEPTH = ("num_hidden_layers", "n_layer")


def main() -> None:
    stdout, sys.stdout = sys.stdout, sys.stderr
    found = {}
    for name, given in json.load(sys.stdin).items():
        sizes = {
            method: [kept(given["config"], given["attention"], depth, adapts=method == "lora") for depth in (FEW, MORE)]
            for method in ("full", "lora")
        }
        found[name] = {
            "kept": {method: (more - few) / (MORE - FEW) for method, (few, more) in sizes.items()},
            **described(given["config"]),
        }
    print(json.dumps(found), file=stdout)


def described(fields: dict[str, Any]) -> dict[str, Any]:
    config = with_depth(fields, MORE)
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)
    shapes = {name: list(parameter.shape) for name, parameter in model.named_parameters()}
    return {"config": json.loads(config.to_json_string(use_diff=False)), "shapes": shapes}


def with_depth(fields: dict[str, Any], depth: int) -> Any:
    """The configuration with so many layers, of which none is of another kind."""
    usual = AutoConfig.for_model(fields["model_type"])
    names = {*usual.to_dict(), *usual.attribute_map}
    kinds = {"layer_types": ["full_attention"] * depth} if "layer_types" in names else {}
    known = {key: value for key, value in fields.items() if key in names or key.endswith("token_id")}
    return AutoConfig.for_model(**{**known, **kinds, **{key: depth for key in DEPTH if key in known}})


def kept(fields: dict[str, Any], attention: str, depth: int, *, adapts: bool) -> float:
    """Bytes per token that a forward pass of so many layers leaves for the backward pass."""
    whole = AutoModelForCausalLM.from_config(
        with_depth(fields, depth), dtype=torch.float32, attn_implementation=attention
    )
    model = whole.get_decoder()
    if adapts:
        model = get_peft_model(model, LoraConfig(r=RANK, target_modules="all-linear", lora_dropout=0.0))
        model.enable_input_require_grads()
    model.train()
    own = {tensor.untyped_storage().data_ptr() for tensor in (*model.parameters(), *model.buffers())}
    seen: dict[int, int] = {}
    alive = []

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            seen[storage.data_ptr()] = storage.nbytes()
            alive.append(tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        # The result holds the graph, and so all that was saved.
        result = model(input_ids=torch.randint(2, 90, (1, TOKENS)), use_cache=False)
    del result
    return sum(seen.values()) / TOKENS


if __name__ == "__main__":
    main()
