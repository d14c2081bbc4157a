"""Run in the training environment: what torch's memory tracker says of one training step, without a GPU.

Steps (config, rank, checkpointing, sizes) as JSON on stdin → each one's peak bytes by category as JSON on stdout. Everything is a fake tensor:
nothing is computed or allocated. The tracker counts tensors: no CUDA context, workspaces or fragmentation.
"""

import json
import sys
from collections import defaultdict
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.distributed._tools.mem_tracker import MemTracker
from transformers import AutoConfig, AutoModelForCausalLM


def main() -> None:
    json.dump([_measured(request) for request in json.load(sys.stdin)], sys.stdout)


def _measured(request: dict[str, Any]) -> dict[str, int]:
    model = _on_meta(request)
    with FakeTensorMode():
        _materialise(model)
        return _peak(model, request)


def _on_meta(request: dict[str, Any]) -> Any:
    config = AutoConfig.for_model(**request["config"])
    torch.set_default_dtype(torch.bfloat16)
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config, attn_implementation="sdpa")
        if request["rank"]:
            lora = LoraConfig(r=request["rank"], target_modules="all-linear", lora_dropout=0.0)
            model = get_peft_model(model, lora, autocast_adapter_dtype=False)
    if request["checkpointing"]:
        model.gradient_checkpointing_enable({"use_reentrant": False})
        model.enable_input_require_grads()
    return model


class _NoHook:
    def remove(self) -> None:
        pass


def _materialise(model: Any) -> None:
    """Fake CPU tensors for the meta ones, module by module: `.to()` can't swap them."""
    for module in model.modules():
        for name, parameter in list(module._parameters.items()):
            if parameter is not None:
                fake = torch.empty(parameter.shape, dtype=parameter.dtype)
                module._parameters[name] = made = torch.nn.Parameter(fake, requires_grad=parameter.requires_grad)
                if not made.requires_grad:
                    # The tracker hooks every parameter, and PyTorch refuses that for a frozen one.
                    made.register_hook = made.register_post_accumulate_grad_hook = lambda _: _NoHook()
        for name, buffer in list(module._buffers.items()):
            if buffer is not None:
                module._buffers[name] = torch.empty(buffer.shape, dtype=buffer.dtype)


def _peak(model: Any, request: dict[str, Any]) -> dict[str, int]:
    model.train()
    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trainable, foreach=True)
    tracker = MemTracker()
    tracker.track_external(model, optimizer)
    ids = torch.randint(0, request["config"]["vocab_size"], (request["batch"], request["length"]))
    with tracker:
        for step in range(2):
            loss = model(input_ids=ids, labels=ids, use_cache=False).loss
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            if step == 0:
                tracker.reset_mod_stats()
    peak: dict[str, int] = defaultdict(int)
    for device in tracker.get_tracker_snapshot("peak").values():
        for kind, size in device.items():
            name = kind if isinstance(kind, str) else kind.value
            peak[name] += size
    return dict(peak)


if __name__ == "__main__":
    main()
