"""The words of a job's settings, by Hugging Face's and PyTorch's names."""

from typing import Literal

Method = Literal["full", "frozen", "lora", "dora", "prompt_tuning", "prefix_tuning", "p_tuning", "adapter"]
# `offload`: each layer's input lies on the host until its backward pass.
Checkpointing = Literal["none", "full", "selective", "offload"]
AttentionKernel = Literal["flash", "sdpa", "eager"]
# How the loss is taken from the logits; see `loss_head`.
LossKernel = Literal["plain", "chunked", "tiled", "fused", "score"]
Sharding = Literal["none", "ddp", "zero1", "zero2", "zero3", "fsdp", "tensor", "layers"]
# `dpo` stands for the methods with a reference (IPO, KTO), `simpo` for those without (ORPO, CPO), `grpo` for RLOO, too.
Objective = Literal["sft", "dpo", "simpo", "reward", "ppo", "grpo"]
