"""One framework, at one time: the facts of its code that decide what a job of the same settings takes."""

from dataclasses import dataclass
from typing import get_args

from tunestack.sizing.kinds import AttentionKernel, Checkpointing, LossKernel, Method, Objective, Sharding
from tunestack.sizing.optimizers import Optimizer
from tunestack.sizing.precision import Dtype

FP32, SIXTEEN_BIT = 4, 2
EVERY_METHOD: frozenset[Method] = frozenset(get_args(Method))
EVERY_OBJECTIVE: frozenset[Objective] = frozenset(get_args(Objective))
# accelerate's, with DeepSpeed's beside it.
OF_THE_TRAINER: frozenset[Sharding] = frozenset({"ddp", "zero1", "zero2", "zero3", "fsdp", "layers"})


@dataclass(frozen=True, kw_only=True)
class Trainer:
    """A framework's facts, from a month on until the next entry of the same name.

    `sources` says for each fact where in the framework's own code it is to be read: file, and version or commit.
    """

    name: str
    since: str
    """The first month of these facts, YYYY-MM."""
    sources: tuple[str, ...]

    loss: LossKernel = "plain"
    """What it takes where nobody chooses."""
    fp32_loss: bool = True
    """Logits become fp32 for the loss: under autocast, or by the loss function. Otherwise the loss is 16 bit, too."""
    upcasts_logits: bool = False
    """The model's class returns fp32 logits, which are there until the backward pass has left them."""
    holds_logits: bool = False
    """The 16-bit logits are held by whoever called the model while the backward pass runs."""
    compiles_plain_loss: bool = False
    compiles_chunked_loss: bool = False
    """Where layers are compiled, this loss is, too: its fp32 steps are fused."""
    chunked_bytes_per_logit: float = 6
    """Bytes per logit of the chunked loss: 16-bit logits of all chunks, and what the loss keeps of each."""

    fuses_layers: bool = False
    """Where nobody says, norms and gated activations are fused (torch.compile, Liger's kernels): less is kept."""
    in_place_gradients: bool = False
    """The MLP's backward pass writes its gradients over what was kept of it."""
    fixed_blocks: bool = False
    """PyTorch's allocator has expandable segments: blocks grow where they are, and little lies between them."""
    pads_batches: bool = False
    """Batches are padded to their own longest row: freed blocks don't fit again."""

    fp32_adapters: bool = True
    """Adapters of a 16-bit model are fp32; otherwise as the model is."""
    fp32_adapters_on_quantized: bool = True
    """Adapters of a quantised model are fp32; otherwise of the type that it computes in."""
    upcasts_unquantized: bool = False
    """PEFT's `prepare_model_for_kbit_training` turns all that isn't quantised, and so the stream, into fp32."""
    quantized_inputs: Dtype | None = None
    """What quantised linears keep of their inputs, frozen or not: bitsandbytes did before 0.43."""
    quantizes_head: bool = False
    """The head is quantised like any linear; transformers leaves it alone."""

    fp32_under_fsdp: bool = False
    """What trains is turned into fp32 before FSDP shards it: 16 bytes a parameter, whatever the model's dtype."""
    fp32_master: bool = False
    """16-bit weights have an fp32 copy in the optimizer, and fp32 gradients (Megatron, AMP of level O2)."""
    adapters_share_units: bool = False
    """FSDP's units hold adapters beside frozen weights, and a unit's gradient is as large as the unit."""
    loads_whole: frozenset[Method] = frozenset()
    """With these methods, each GPU loads the whole checkpoint before it keeps its share."""
    wraps_root: bool = False
    """Embedding and head are FSDP units of their own: they aren't whole all the time."""
    streams_apart: bool = False
    """FSDP2 gathers parameters and reduces gradients in streams of their own, whose blocks the allocator keeps for them
    from step to step. Of those that shard so, torchtitan's published peaks have them, torchtune's don't."""

    wide_embedding_states: bool = False
    """bitsandbytes' 8-bit optimizers keep an embedding's states in fp32 (transformers registers it so)."""

    unties_head: bool = False
    """Its own classes hold the head apart, even where the checkpoint ties it to the embedding."""

    own_classes: bool = False
    """Its models are classes of its own: activations are fused, and every linear is a nn.Linear."""
    quantizes_derived: bool = False
    """bitsandbytes gets what derives from nn.Linear, too (Falcon's linears); transformers 5 asks for the very type."""
    adapts_parameters: bool = False
    """LoRA reaches joined experts, as the parameters that they are (PEFT from 0.20)."""
    passes_groups: bool = False
    """Attention gets fewer heads of keys than of queries as they are, where there is no mask: not every kernel can."""
    experts_are_modules: bool = False
    """A nn.Linear for each matrix of each expert, which bitsandbytes quantises and LoRA adapts; transformers 5 has one
    bare parameter for all, which they pass by."""

    methods: frozenset[Method] = EVERY_METHOD
    objectives: frozenset[Objective] = EVERY_OBJECTIVE
    shardings: frozenset[Sharding] = OF_THE_TRAINER
    """How it spreads a job over several GPUs."""
    fsdp2: bool = False
    """Its `fsdp` is, or can be, PyTorch's second one, which shards each parameter by itself."""
    checkpoints_selectively: bool = False
    steps_in_backward: bool = False
    divides_embeddings: bool = True
    """Tensor parallelism divides embedding and head, too."""

    serves: bool = False
    """It answers, and trains nothing."""
    takes_its_share: bool = False
    """It takes a share of the GPU at its start, whatever is asked: its cache fills what weights leave."""
    logits_of_prompt: bool = False
    """Answering computes the logits of the whole prompt, not of its last token alone."""

    attention: AttentionKernel = "sdpa"
    checkpointing: Checkpointing = "none"
    gradient_accumulation_steps: int = 1
    optimizer: Optimizer = "adamw"
    lora_dropout: float = 0.05

    @property
    def plain_bytes_per_logit(self) -> float:
        """Bytes that are there at once for each logit of a loss that isn't chunked or fused.

        The log-softmax that the loss keeps, the gradient that enters it and the one that leaves it, in the loss's
        type; and what is held of the logits themselves.
        """
        held = FP32 if self.upcasts_logits else SIXTEEN_BIT if self.holds_logits else 0
        return 3 * (FP32 if self.fp32_loss else SIXTEEN_BIT) + held
