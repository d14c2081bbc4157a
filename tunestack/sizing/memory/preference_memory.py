"""GPU memory of preference methods: DPO and its relatives, reward models, PPO, and GRPO or RLOO.

Each is a fine-tuning with something beside it: a reference model, pairs instead of rows, models that score, rollouts.
Phases that follow each other (rollouts, then the step) are compared, never added.
"""

from dataclasses import replace

from tunestack.sizing.job.fine_tuning import FineTuning, SizingError
from tunestack.sizing.job.rollouts import USUAL, Rollouts
from tunestack.sizing.memory.estimate import GIB, Component, MemoryEstimate, Phase
from tunestack.sizing.memory.inference_memory import Inference, answering
from tunestack.sizing.memory.serving_memory import cache_tokens
from tunestack.sizing.memory.sharding import shares
from tunestack.sizing.memory.states import states
from tunestack.sizing.memory.training_memory import training_memory
from tunestack.sizing.model.architecture import Architecture
from tunestack.sizing.precision import BYTES, Dtype, bytes_per_weight


def dpo_memory(architecture: Architecture, job: FineTuning, *, reference: bool = True) -> MemoryEstimate:
    """DPO, IPO, KTO (with `reference`), SimPO, ORPO, CPO (without): chosen and rejected rows in one batch.

    `job.per_device_train_batch_size` counts pairs. A reference is a second copy of the weights, unless adapters train:
    then it is the base with the adapter switched off.
    """
    pairs = replace(job, per_device_train_batch_size=2 * job.per_device_train_batch_size)
    copied = reference and not job.trains_adapters
    beside = (frozen_model(architecture, job, name="reference model"),) if copied else ()
    return training_memory(architecture, pairs, resident=beside)


def reward_memory(architecture: Architecture, job: FineTuning) -> MemoryEstimate:
    """A reward model: pairs, and a head of one output in the place of the model's own.

    `job.per_device_train_batch_size` counts pairs.
    """
    scoring = replace(architecture, tied_embeddings=True, head_bias=False)
    pairs = replace(job, per_device_train_batch_size=2 * job.per_device_train_batch_size, loss="score")
    return training_memory(scoring, pairs)


def ppo_memory(
    policy: Architecture,
    job: FineTuning,
    *,
    reward: Architecture | None = None,
    value: Architecture | None = None,
) -> MemoryEstimate:
    """PPO: the policy trains beside a frozen reference, a frozen reward model and a value model that trains, too.

    With adapters the reference is the policy's base, and so are, where none are given, value and reward model with
    adapters of their own; a full fine-tuning has four models on the GPUs.
    """
    beside = []
    if not job.trains_adapters:
        beside.append(frozen_model(policy, job, name="reference model"))
    if reward is not None or not job.trains_adapters:
        beside.append(frozen_model(reward or policy, job, name="reward model"))
    if value is not None or not job.trains_adapters:
        trained = states(value or policy, replace(job, loss="score")).optimizer_step
        beside.append(
            Component(
                name="value model",
                size_bytes=sum(part.size_bytes for part in trained),
                formula="weights, gradients and optimizer states",
            )
        )
    rollout = rollout_phase(policy, job, beside, sequences=job.per_device_train_batch_size)
    return training_memory(policy, job, resident=tuple(beside), before=(rollout,))


def grpo_memory(
    policy: Architecture, job: FineTuning, rollouts: Rollouts = USUAL, *, capacity_bytes: float | None = None
) -> MemoryEstimate:
    """GRPO and RLOO: groups of answers are rolled out, scored and trained on; no value model.

    A reference is there with `beta` > 0 and without adapters. An engine on the same GPU has a share of its
    `capacity_bytes` from its start: while the model trains, too, unless it sleeps.

    Raises:
        SizingError: the engine's share has no room for the model and one answer, or of what isn't told.
    """
    references = rollouts.beta > 0 and not job.trains_adapters
    beside = [frozen_model(policy, job, name="reference model")] if references else []
    if rollouts.vllm_gpu_memory_utilization is None:
        sequences = max(rollouts.num_generations, job.per_device_train_batch_size)
        rollout = rollout_phase(policy, job, beside, sequences=sequences)
    else:
        engine = _engine(policy, job, rollouts.vllm_gpu_memory_utilization, capacity_bytes)
        rollout = _rollout_of_engine(policy, job, beside, engine)
        beside += [] if rollouts.vllm_enable_sleep_mode else [engine]
    return training_memory(policy, job, resident=tuple(beside), before=(rollout,))


def _engine(policy: Architecture, job: FineTuning, share: float, capacity_bytes: float | None) -> Component:
    """vLLM's share of a GPU; it loads the model whole, as 16-bit weights or as the job's 4-bit ones (TRL 1.16.0:
    generation/vllm_generation.py:337), and has cache in the rest.
    """
    if capacity_bytes is None:
        raise SizingError("an engine takes a share of a GPU: of which one isn't told (capacity_bytes)")
    if job.quantization == "int8":
        raise SizingError("TRL has no vLLM engine beside a model of 8 bits: 4 bits, or none")
    half: Dtype = "bf16" if job.compute_dtype == "bf16" else "fp16"
    asked = Inference(
        batch=1, max_length=job.max_length, weight_dtype=half, cache_dtype=half, quantization=job.quantization
    )
    room = cache_tokens(policy, asked, capacity_bytes=capacity_bytes, utilization=share)
    if room < job.max_length:
        raise SizingError(
            f"{share:.0%} of {capacity_bytes / GIB:.0f} GiB leaves an engine no room for the model and an answer of "
            f"{job.max_length:,} tokens"
        )
    formula = f"{share:.0%} of {capacity_bytes / GIB:.0f} GiB: weights, and cache for {room:,} tokens"
    return Component(name="vLLM engine", size_bytes=share * capacity_bytes, formula=formula)


def _rollout_of_engine(policy: Architecture, job: FineTuning, beside: list[Component], engine: Component) -> Phase:
    held = states(policy, job)
    stays = (*held.weights, held.adapter, held.optimizer, *beside, engine)
    return Phase(name="rollout", components=(*stays, held.workspace), static=stays)


def frozen_model(architecture: Architecture, job: FineTuning, *, name: str) -> Component:
    """A model that only computes, sharded as the job shards weights."""
    dense = BYTES[job.weight_dtype]
    packed = bytes_per_weight(job.quantization, dtype=job.weight_dtype, double_quant=job.double_quant)
    inside = architecture.quantizable_parameters(job.quantization)
    size = inside * packed + (architecture.parameters - inside) * dense
    return Component(name=name, size_bytes=size * shares(architecture, job).weights, formula="weights only")


def rollout_phase(policy: Architecture, job: FineTuning, beside: list[Component], *, sequences: int) -> Phase:
    """Answers being generated: the policy's weights, whole, and their KV cache, beside what stays on the GPU."""
    found, held = answering(policy, _generating(job, sequences)), states(policy, job)
    components = (*found.phase.components, held.adapter, held.optimizer, *beside)
    return Phase(name="rollout", components=components, static=found.weights)


def _generating(job: FineTuning, sequences: int) -> Inference:
    """The job's model answering so many prompts at a time."""
    return Inference(
        batch=sequences,
        max_length=job.max_length,
        weight_dtype=job.weight_dtype,
        quantization=job.quantization,
        double_quant=job.double_quant,
        # Where whole layers or heads are divided, no GPU ever has the whole model; FSDP and ZeRO gather it to generate.
        gpus=job.gpus if job.sharding in ("tensor", "layers") else 1,
        tensor_parallel=job.sharding == "tensor",
    )
