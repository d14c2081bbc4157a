"""Run in the training environment: configs by name as JSON on stdin → what their classes are, by name, as JSON on stdout.

Each model's class is instantiated on torch's meta device, which allocates nothing.
"""

import json
import sys

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForImageTextToText
from transformers.pytorch_utils import Conv1D


def main() -> None:
    found = {}
    for name, fields in json.load(sys.stdin).items():
        config = AutoConfig.for_model(**fields)
        auto = AutoModelForImageTextToText if "vision_config" in fields else AutoModelForCausalLM
        with torch.device("meta"):
            model = auto.from_config(config)
        found[name] = {
            "parameters": sum(parameter.numel() for parameter in model.parameters()),
            "sdpa": bool(model._supports_sdpa),
            "linears": sorted(_linears(model)),
            "derived": any(type(module) not in (torch.nn.Linear, Conv1D) for module in _of_text(model).values()),
            "activation": _activation(config.get_text_config()),
        }
    json.dump(found, sys.stdout)


def _linears(model: torch.nn.Module) -> set[str]:
    """The last two parts of the names of the text model's linears, but for the head."""
    return {".".join(name.split(".")[-2:]) for name in _of_text(model)}


def _of_text(model: torch.nn.Module) -> dict[str, torch.nn.Module]:
    return {
        name: module
        for name, module in model.named_modules()
        if isinstance(module, (torch.nn.Linear, Conv1D))
        if name != "lm_head" and "vision" not in name and "projector" not in name
    }


def _activation(config: object) -> str:
    keys = ("hidden_activation", "hidden_act", "activation_function", "activation")
    return next(str(getattr(config, key)) for key in keys if hasattr(config, key))


if __name__ == "__main__":
    main()
