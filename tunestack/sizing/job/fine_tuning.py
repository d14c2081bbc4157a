"""One training job as the memory model sees it: what trains, in which numbers, over how many tokens and GPUs."""

from dataclasses import dataclass, replace
from typing import Literal

from tunestack.errors import UserError
from tunestack.sizing.job.optimizers import Optimizer
from tunestack.sizing.precision import BYTES, Dtype, Quantization

Method = Literal["full", "frozen", "lora", "dora", "prompt_tuning", "prefix_tuning", "p_tuning", "adapter"]
Checkpointing = Literal["none", "full", "selective"]
AttentionKernel = Literal["flash", "sdpa", "eager"]
# How the loss is taken from the logits; see `loss_head`.
LossKernel = Literal["plain", "trainer_2023", "chunked", "tiled", "fused", "score"]
Sharding = Literal["none", "ddp", "zero1", "zero2", "zero3", "fsdp", "tensor", "layers"]


LARGEST = 100_000_000
_AT_LEAST_ONE = (
    "per_device_train_batch_size", "max_length", "gradient_accumulation_steps", "gpus", "context_parallel",
    "tensor_parallel",
)  # fmt: skip


class SizingError(UserError, ValueError):
    """A job that can't be; the text says what, the value, and what would be right."""


@dataclass(frozen=True, kw_only=True)
class FineTuning:
    """A training job's settings, by Hugging Face's names. Counts are per GPU where a GPU has its own.

    Raises:
        SizingError: a setting is out of range.
    """

    method: Method
    per_device_train_batch_size: int
    max_length: int
    # What frozen and full weights are kept in; with fp32 weights, computing in 16 bit is mixed precision.
    weight_dtype: Dtype = "bf16"
    compute_dtype: Dtype = "bf16"
    quantization: Quantization = "none"
    double_quant: bool = False
    # PEFT's adapters on a 16-bit base are fp32 (`autocast_adapter_dtype`).
    adapter_dtype: Dtype = "fp32"
    r: int = 16
    # Names of linears, or "all-linear".
    target_modules: tuple[str, ...] = ("all-linear",)
    lora_dropout: float = 0.05
    # With `frozen`: how many of the last layers train. With the prompt methods: how many virtual tokens.
    trainable_layers: int = 0
    virtual_tokens: int = 0
    optimizer: Optimizer = "adamw"
    # fp32 copies of 16-bit weights and gradients, as AMP and ZeRO keep them.
    master_weights: bool = False
    # Computing in 16 bit from fp32 weights under autocast keeps a 16-bit copy of every weight until the backward
    # pass has used it. FSDP's and DeepSpeed's mixed precision don't: they gather in 16 bit.
    autocast: bool = False
    gradient_accumulation_steps: int = 1
    checkpointing: Checkpointing = "full"
    attention: AttentionKernel = "sdpa"
    loss: LossKernel = "plain"
    # PEFT's `prepare_model_for_kbit_training` turns what isn't quantised, and so the residual stream, into fp32.
    upcasts_unquantized: bool = False
    # What quantised linears keep of their inputs, frozen or not: None since bitsandbytes 0.43; before, the input
    # itself, or its fp32 copy where `bnb_4bit_compute_dtype` is left at its default.
    quantized_inputs: Dtype | None = None
    # bitsandbytes as transformers uses it leaves the head alone; other loaders quantise it too.
    quantized_head: bool = False
    # Batches padded to their own longest row: freed blocks don't fit again. Packed or fixed-length ones do.
    varying_lengths: bool = False
    gpus: int = 1
    sharding: Sharding = "none"
    # Over how many GPUs each sequence is spread (context parallelism).
    context_parallel: int = 1
    tensor_parallel: int = 1
    cpu_offload: bool = False
    # Gradients are reduced at every micro-step (accelerate's name for it). Otherwise FSDP keeps them whole while they
    # accumulate.
    sync_each_batch: bool = False
    # FSDP's units hold adapters beside the frozen weights, and a unit's gradient is as large as the unit (litgpt issue
    # 1417, PyTorch's note on frozen parameters). PEFT's wrapping policy keeps them apart.
    adapters_share_units: bool = False

    def __post_init__(self) -> None:
        for name in _AT_LEAST_ONE:
            if not 1 <= getattr(self, name) <= LARGEST:
                raise SizingError(f"{name} must be from 1 to {LARGEST:,}, got {getattr(self, name)}")
        if self.virtual_tokens < 0:
            raise SizingError(f"virtual_tokens must be at least 0, got {self.virtual_tokens}")
        if self.cpu_offload and self.sharding not in ("fsdp", "zero3"):
            raise SizingError(f"cpu_offload needs sharding 'fsdp' or 'zero3', got {self.sharding!r}")
        if self.trains_adapters and self.r < 1:
            raise SizingError(f"r must be at least 1, got {self.r}")
        if not 0 <= self.lora_dropout < 1:
            raise SizingError(f"lora_dropout must be in [0, 1), got {self.lora_dropout}")
        parallel = self.context_parallel * self.tensor_parallel
        if self.gpus % parallel:
            raise SizingError(f"gpus ({self.gpus}) must be a multiple of context × tensor parallelism ({parallel})")
        if self.method in ("full", "frozen") and self.quantization != "none":
            raise SizingError(f"quantised weights can't train: method {self.method!r} needs quantization 'none'")

    @property
    def trains_adapters(self) -> bool:
        return self.method in ("lora", "dora")

    @property
    def tokens(self) -> int:
        """Tokens that one GPU computes at a time."""
        return self.per_device_train_batch_size * self.max_length // self.context_parallel

    def on(self, *, has_bfloat16: bool) -> "FineTuning":
        """The job as a GPU runs it: one without bfloat16 computes in fp32 instead, from fp32 weights."""
        if has_bfloat16 or self.compute_dtype != "bf16":
            return self
        weights: Dtype = "fp32" if self.weight_dtype == "bf16" else self.weight_dtype
        return replace(self, weight_dtype=weights, compute_dtype="fp32")

    @property
    def stream_bytes(self) -> float:
        """Bytes of an element of the residual stream."""
        return 4 if self.upcasts_unquantized and self.quantization != "none" else self.compute_bytes

    @property
    def compute_bytes(self) -> float:
        return BYTES[self.compute_dtype]
