"""Run in the training environment: model types as JSON on stdin → config, shapes and parameters of each, on stdout."""

import json
import sys

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForImageTextToText


def main() -> None:
    found = {}
    for family in json.load(sys.stdin):
        config = AutoConfig.for_model(family)
        fields = json.loads(config.to_json_string(use_diff=False))
        auto = AutoModelForImageTextToText if "vision_config" in fields else AutoModelForCausalLM
        with torch.device("meta"):
            model = auto.from_config(config)
        text = model.get_decoder()
        text = getattr(text, "model", text)
        found[family] = {
            "config": fields,
            "shapes": {name: list(parameter.shape) for name, parameter in model.named_parameters()},
            "parameters": sum(parameter.numel() for parameter in model.parameters()),
            "depth": len(text.layers),
            "linears": sorted(
                {name.split(".")[-1] for name, item in text.layers.named_modules() if isinstance(item, torch.nn.Linear)}
            ),
        }
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
