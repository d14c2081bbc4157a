"""Run in the training environment: configs by name as JSON on stdin → parameter counts by name as JSON on stdout.

Each model's class is instantiated on torch's meta device, which allocates nothing.
"""

import json
import sys

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForImageTextToText


def main() -> None:
    counts = {}
    for name, fields in json.load(sys.stdin).items():
        config = AutoConfig.for_model(**fields)
        auto = AutoModelForImageTextToText if "vision_config" in fields else AutoModelForCausalLM
        with torch.device("meta"):
            model = auto.from_config(config)
        counts[name] = sum(parameter.numel() for parameter in model.parameters())
    json.dump(counts, sys.stdout)


if __name__ == "__main__":
    main()
