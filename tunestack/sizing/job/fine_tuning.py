"""One training job as the memory model sees it: what trains, in which numbers, over how many tokens and GPUs."""

from dataclasses import dataclass, replace

from tunestack.errors import UserError
from tunestack.sizing.kinds import AttentionKernel, Checkpointing, LossKernel, Method, Sharding
from tunestack.sizing.optimizers import Optimizer
from tunestack.sizing.precision import BYTES, Dtype, Quantization
from tunestack.sizing.trainers.known import TUNESTACK
from tunestack.sizing.trainers.trainer import Trainer

LARGEST = 100_000_000
# What trains as it is beside adapters. DeepSpeed's optimizer may lie on the host from stage 1 on, FSDP's with all else.
SAVED_MODULES = ("embed_tokens", "lm_head")
OFFLOADS = ("zero1", "zero2", "zero3", "fsdp")
_AT_LEAST_ONE = (
    "per_device_train_batch_size", "max_length", "gradient_accumulation_steps", "gpus", "context_parallel",
    "tensor_parallel", "replicas",
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
    # Who runs it: what its code does with these settings.
    trainer: Trainer = TUNESTACK
    # What frozen and full weights are kept in; with fp32 weights, computing in 16 bit is mixed precision.
    weight_dtype: Dtype = "bf16"
    compute_dtype: Dtype = "bf16"
    quantization: Quantization = "none"
    double_quant: bool = False
    r: int = 16
    # Names of linears, or "all-linear".
    target_modules: tuple[str, ...] = ("all-linear",)
    # Whole modules that train beside the adapters, as PEFT names them: "embed_tokens", "lm_head".
    modules_to_save: tuple[str, ...] = ()
    lora_dropout: float = 0.05
    # With `frozen`: how many of the last layers train. With the prompt methods: how many virtual tokens.
    trainable_layers: int = 0
    virtual_tokens: int = 0
    optimizer: Optimizer = "adamw"
    # Each parameter is updated, and its gradient freed, as soon as the backward pass has it.
    optimizer_in_backward: bool = False
    gradient_accumulation_steps: int = 1
    checkpointing: Checkpointing = "full"
    attention: AttentionKernel = "sdpa"
    # PyTorch's flash kernel runs on Ampere and later.
    has_flash_kernel: bool = True
    loss: LossKernel = "plain"
    # Norms and gated activations are fused, by torch.compile or by Liger's kernels: less is kept.
    fuses_layers: bool = False
    # Batches padded to their own longest row: freed blocks don't fit again. Packed or fixed-length ones do.
    varying_lengths: bool = False
    gpus: int = 1
    sharding: Sharding = "none"
    # Over how many GPUs each sequence is spread (context parallelism).
    context_parallel: int = 1
    tensor_parallel: int = 1
    # FSDP's hybrid sharding: all shards are there so many times, mostly once on each machine.
    replicas: int = 1
    # On the host; a GPU doesn't see whether that hands it on to NVMe.
    cpu_offload: bool = False
    # Gradients are reduced at every micro-step (accelerate's name for it). Otherwise FSDP keeps them whole while they
    # accumulate.
    sync_each_batch: bool = False

    def __post_init__(self) -> None:
        for name in _AT_LEAST_ONE:
            if not 1 <= getattr(self, name) <= LARGEST:
                raise SizingError(f"{name} must be from 1 to {LARGEST:,}, got {getattr(self, name)}")
        if self.virtual_tokens < 0:
            raise SizingError(f"virtual_tokens must be at least 0, got {self.virtual_tokens}")
        if self.cpu_offload and self.sharding not in OFFLOADS:
            raise SizingError(f"cpu_offload needs sharding {', '.join(OFFLOADS)}, got {self.sharding!r}")
        if self.modules_to_save and not self.trains_adapters:
            raise SizingError(f"modules_to_save goes with adapters, got method {self.method!r}")
        if unknown := set(self.modules_to_save) - set(SAVED_MODULES):
            raise SizingError(f"modules_to_save can be {', '.join(SAVED_MODULES)}, got {', '.join(sorted(unknown))}")
        if self.trains_adapters and self.r < 1:
            raise SizingError(f"r must be at least 1, got {self.r}")
        if not 0 <= self.lora_dropout < 1:
            raise SizingError(f"lora_dropout must be in [0, 1), got {self.lora_dropout}")
        if self.replicas > 1 and self.sharding != "fsdp":
            raise SizingError(f"replicas ({self.replicas}) of shards need sharding 'fsdp', got {self.sharding!r}")
        parallel = self.context_parallel * self.tensor_parallel * self.replicas
        if self.gpus % parallel:
            raise SizingError(
                f"gpus ({self.gpus}) must be a multiple of context × tensor parallelism × replicas ({parallel})"
            )
        if self.method in ("full", "frozen") and self.quantization != "none":
            raise SizingError(f"quantised weights can't train: method {self.method!r} needs quantization 'none'")

    @property
    def trains_adapters(self) -> bool:
        return self.method in ("lora", "dora")

    @property
    def one_shard(self) -> float:
        """The part of what is sharded that one GPU has."""
        return self.tensor_parallel * self.replicas / self.gpus

    @property
    def tokens(self) -> int:
        """Tokens that one GPU computes at a time."""
        return self.per_device_train_batch_size * self.max_length // self.context_parallel

    def on(self, *, has_bfloat16: bool) -> "FineTuning":
        """The job as a GPU runs it: one without bfloat16 is from before Ampere, and has no flash kernel. It computes in
        fp32 instead, from fp32 weights.
        """
        if has_bfloat16:
            return self
        if self.compute_dtype != "bf16":
            return replace(self, has_flash_kernel=False)
        weights: Dtype = "fp32" if self.weight_dtype == "bf16" else self.weight_dtype
        return replace(self, weight_dtype=weights, compute_dtype="fp32", has_flash_kernel=False)

    @property
    def takes_groups(self) -> bool:
        """Whether PyTorch has a fused kernel for fewer heads of keys than of queries: without a mask, which has them
        repeated before, its flash kernel alone, which takes 16-bit numbers.
        """
        masked = self.varying_lengths and self.per_device_train_batch_size > 1
        return masked or (self.has_flash_kernel and self.compute_dtype != "fp32")

    @property
    def is_quantized(self) -> bool:
        return self.quantization != "none"

    @property
    def upcasts_unquantized(self) -> bool:
        """Whether what isn't quantised is fp32, and with it the residual stream."""
        return self.trainer.upcasts_unquantized and self.is_quantized

    @property
    def kept_dtype(self) -> Dtype:
        """What the model's own weights are kept in: Accelerate turns what trains into fp32 before FSDP shards it."""
        turned = self.trainer.fp32_under_fsdp and self.sharding == "fsdp" and self.method in ("full", "frozen")
        return "fp32" if turned else self.weight_dtype

    @property
    def saved_dtype(self) -> Dtype:
        """What `modules_to_save` are kept in: as the modules that they are copies of."""
        return "fp32" if self.upcasts_unquantized else self.kept_dtype

    @property
    def adapter_dtype(self) -> Dtype:
        """What adapters are kept in: fp32, or what the model computes in."""
        fp32 = self.trainer.fp32_adapters_on_quantized if self.is_quantized else self.trainer.fp32_adapters
        return "fp32" if fp32 else self.compute_dtype

    @property
    def trained_dtype(self) -> Dtype:
        """What the optimizer updates: adapters, the model's own weights, or fp32 masters of them."""
        if self.method not in ("full", "frozen"):
            return self.adapter_dtype
        return "fp32" if self.trainer.fp32_master else self.kept_dtype

    @property
    def autocasts(self) -> bool:
        """Computing in 16 bit from fp32 weights keeps a 16-bit copy of each until the backward pass has used it.

        FSDP's and DeepSpeed's mixed precision don't: they gather in 16 bit.
        """
        mixed = self.weight_dtype == "fp32" and self.compute_dtype != "fp32"
        return mixed and (self.gpus == 1 or self.sharding not in OFFLOADS)

    @property
    def stream_bytes(self) -> float:
        """Bytes of an element of the residual stream."""
        return 4 if self.upcasts_unquantized else self.compute_bytes

    @property
    def compute_bytes(self) -> float:
        return BYTES[self.compute_dtype]
