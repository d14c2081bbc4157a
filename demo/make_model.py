"""Turn the packaged GGUF of SmolLM2-135M-Instruct into a Hugging Face model folder.

Runs in the training environment, with the demo's packages on the path:
`python -m demo.make_model GGUF_FILE FOLDER`.
"""

import sys
from pathlib import Path


def make_model(gguf: Path, folder: Path) -> None:
    """Write weights (bfloat16 safetensors), configuration and tokenizer."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM

    loaded = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name, dtype=torch.float32)
    config = loaded.config.to_dict()
    # The loaded model says that it is quantised, though its weights aren't any more: a fresh one doesn't.
    config.pop("quantization_config", None)
    config["rms_norm_eps"] = 1e-5
    model = LlamaForCausalLM(LlamaConfig.from_dict(config))
    model.load_state_dict(loaded.state_dict())
    model.to(torch.bfloat16).save_pretrained(folder)
    AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name).save_pretrained(folder)


if __name__ == "__main__":
    make_model(Path(sys.argv[1]), Path(sys.argv[2]))
