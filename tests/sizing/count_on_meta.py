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
        }
    json.dump(found, sys.stdout)


def _linears(model: torch.nn.Module) -> set[str]:
    """The last two parts of the names of the text model's linears, but for the head."""
    names = {name for name, module in model.named_modules() if isinstance(module, (torch.nn.Linear, Conv1D))}
    return {
        ".".join(name.split(".")[-2:])
        for name in names
        if name != "lm_head" and "vision" not in name and "projector" not in name
    }


if __name__ == "__main__":
    main()
