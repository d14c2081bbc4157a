"""Run by a Python that has transformers: a config.json → the shapes of its class's parameters, as JSON on stdout.

The class is instantiated on torch's meta device: nothing is allocated, downloaded or run of the model's own code.
"""

import json
import sys


def main() -> None:
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForImageTextToText

    with open(sys.argv[1], encoding="utf-8-sig") as file:  # noqa: PTH123  # stands alone
        fields = json.load(file)
    config = AutoConfig.for_model(**fields)
    classes = [AutoModelForCausalLM, AutoModelForImageTextToText]
    if "vision_config" in fields:
        classes.reverse()
    for auto in classes:
        try:
            with torch.device("meta"):
                model = auto.from_config(config)
            break
        except ValueError:
            continue
    else:
        raise SystemExit(f"transformers has no language model of type {fields.get('model_type')!r}")
    json.dump({name: list(parameter.shape) for name, parameter in model.named_parameters()}, sys.stdout)


if __name__ == "__main__":
    main()
