"""Training throughput: FLOPs, memory traffic and communication → tokens per second and GPU, with a range.

FLOPs per token after Kaplan et al. (arXiv 2001.08361) and PaLM's appendix B (arXiv 2204.02311): 2 a weight forward,
2 backward through it, 2 for its own gradient where it trains; attention's own 2 × sequence × query width a layer
(causal), twice that backward; the forward pass once more with checkpointing.
"""

from dataclasses import dataclass

from tunestack.catalogue.gpus import Gpu, find_gpu
from tunestack.sizing.job.fine_tuning import FineTuning
from tunestack.sizing.model.architecture import Architecture

# The share of the peak that matrix products and attention reach, recomputation counted as work: fitted on 49 rows of
# four sources for A100 and 26 rows of two for H100 (benchmarks/data/throughput.csv); nine of our own trainings on an
# H200, which has H100's chip, lie in the range.
EFFICIENCY = {"A100": 0.62, "H100": 0.50, "H200": 0.50}
# A chip without rows: the more FLOPs it has for each byte that its memory moves, the more it starves. The exponent is
# what lies between A100 and H100; nothing is better than the former.
REFERENCE, STARVING = "A100", 0.33
# Those before Ampere have no flash attention. A guess: no rows.
BEFORE_AMPERE = 0.65
# Adapters add small products and copies to every linear (fitted on 15 rows of three sources).
ADAPTER_EFFICIENCY = 0.75
# fp8 products have twice the peak; what isn't a product keeps the gain lower.
FP8_SPEED_UP = 1.6
# Launching a layer's kernels takes the host this long, forward and backward, and hides behind what the GPU computes.
# Without adapters it wasn't measured: half of what they take, as each adapted linear is three with a sum.
SECONDS_PER_LAYER = 2.5e-3
# With adapters on every linear, and casts around each (ours, alone on an H200: benchmarks/data/gpu_blind.csv).
SECONDS_PER_ADAPTED_LAYER = 5.4e-3
# The forward pass once more (10.4 ms), and bitsandbytes' own calls (12.9 ms).
RECOMPUTING_LAUNCHES, QUANTISED_LAUNCHES = 1.9, 1.25
# bitsandbytes' dequantisation reads 0.5 B and writes 2 B, and the product reads 2 B; of the bandwidth it gets a third.
DEQUANTISED_BYTES, DEQUANTISATION_EFFICIENCY = 4.5, 0.3
# Of a link's or network's rate, and how much of it hides behind computing.
COMMUNICATION_EFFICIENCY, OVERLAP = 0.7, 0.7
# One direction of PCIe 4.0 × 16, for offloaded states.
OFFLOAD_GB_PER_S = 20
# The true rate lies between these multiples of the expected one in nine of ten of the 80 logs that ship, and in five of
# six where they are fitted without the source that is judged: settings don't show kernels, packing and compilation.
LOW, HIGH = 0.45, 1.80


@dataclass(frozen=True, kw_only=True)
class Throughput:
    """Tokens per second of one GPU, expected and bounds, and where a micro-step's seconds go."""

    tokens_per_second: float
    low: float
    high: float
    seconds: dict[str, float]

    def with_extra(self, *, likely: float, least: float, most: float) -> "Throughput":
        """The same with more seconds for each token, in a range of their own."""

        def slower(rate: float, extra: float) -> float:
            return 1 / (1 / rate + extra)

        return Throughput(
            tokens_per_second=slower(self.tokens_per_second, likely),
            low=slower(self.low, most),
            high=slower(self.high, least),
            seconds={**self.seconds, "generating and scoring": likely},
        )


@dataclass(frozen=True, kw_only=True)
class Network:
    """What joins the GPUs: how many share a machine, and the rate of a machine's network in Gbit/s."""

    gpus_per_machine: int
    gbit_per_s: float


@dataclass(frozen=True, kw_only=True)
class Work:
    """What a token costs of a model: weights that it is multiplied with, and attention's width summed over layers."""

    parameters: float
    all_parameters: float
    depth: int
    attention_width: float

    @classmethod
    def of(cls, architecture: Architecture) -> "Work":
        width = sum(layer.copies * layer.attention.query_width for layer in architecture.layers)
        return cls(
            parameters=architecture.active_parameters,
            all_parameters=architecture.parameters,
            depth=architecture.depth,
            attention_width=width,
        )


def efficiency(gpu: Gpu) -> float:
    """The share of its peak that a GPU reaches: measured, or after its FLOPs for each byte of bandwidth."""
    if (measured := EFFICIENCY.get(gpu.name)) is not None:
        return measured
    reference = find_gpu(REFERENCE)
    assert reference is not None
    starved = (gpu.bf16_tflops / gpu.bandwidth_gb_per_s) / (reference.bf16_tflops / reference.bandwidth_gb_per_s)
    share: float = min(1.0, starved**-STARVING)
    return EFFICIENCY[REFERENCE] * share * (1 if gpu.has_bfloat16 else BEFORE_AMPERE)


def flops_per_token(work: Work, job: FineTuning) -> float:
    """Floating-point operations of one token's training, what is recomputed included."""
    trains = job.method == "full"
    share = job.trainable_layers / work.depth if job.method == "frozen" else 1.0
    linear = 2 * work.parameters
    attention = 2 * job.max_length * work.attention_width
    forward = linear + attention
    backward = linear + 2 * attention + (linear if trains or job.method == "frozen" else 0)
    recomputed = {"none": 0.0, "selective": 0.35, "full": 1.0, "offload": 1.0}[job.checkpointing] * forward
    return forward + share * (backward + recomputed)


def throughput(
    work: Work, job: FineTuning, gpu: Gpu, *, network: Network | None = None, fp8: bool = False
) -> Throughput:
    """Tokens per second of each GPU of a job."""
    tokens = job.tokens
    rate = gpu.bf16_tflops * 1e12 * efficiency(gpu)
    if job.compute_dtype == "fp32":
        rate /= 8
    if fp8:
        rate *= FP8_SPEED_UP
    if job.method not in ("full", "frozen"):
        rate *= ADAPTER_EFFICIENCY
    computing = tokens * flops_per_token(work, job) / rate / job.tensor_parallel
    passes = 3 if job.checkpointing in ("full", "offload") else 2
    dequantising = 0.0
    if job.quantization != "none":
        traffic = DEQUANTISED_BYTES * work.all_parameters * passes
        dequantising = traffic / (gpu.bandwidth_gb_per_s * 1e9 * DEQUANTISATION_EFFICIENCY)
    communicating = _communication(work, job, gpu, network)
    launching = _launching(work, job)
    exposed = max(communicating - OVERLAP * computing, (1 - OVERLAP) * communicating)
    offloading = 2 * 12 * work.all_parameters / job.gpus / (OFFLOAD_GB_PER_S * 1e9) if job.cpu_offload else 0.0
    seconds = {
        "computing": computing,
        "waiting for launches": max(0.0, launching - computing - dequantising),
        "dequantising": dequantising,
        "communicating": exposed,
        "offloading": offloading / job.gradient_accumulation_steps,
    }
    # `tokens` are one GPU's already under context parallelism; under tensor parallelism several GPUs share them.
    expected = tokens / sum(seconds.values()) / job.tensor_parallel
    return Throughput(tokens_per_second=expected, low=expected * LOW, high=expected * HIGH, seconds=seconds)


def _launching(work: Work, job: FineTuning) -> float:
    """Seconds that the host needs to launch a micro-step's kernels."""
    each = SECONDS_PER_ADAPTED_LAYER if job.trains_adapters else SECONDS_PER_LAYER
    if job.checkpointing != "none":
        each *= RECOMPUTING_LAUNCHES
    if job.quantization != "none":
        each *= QUANTISED_LAUNCHES
    return each * work.depth


def _communication(work: Work, job: FineTuning, gpu: Gpu, network: Network | None) -> float:
    """Seconds of a micro-step's collectives: parameters gathered for each pass, gradients reduced at its end."""
    if job.gpus == 1 or job.sharding == "layers":
        return 0.0
    trained = work.all_parameters if job.method == "full" else 0.01 * work.all_parameters
    moved = 2 * job.compute_bytes * trained / job.gradient_accumulation_steps
    if job.sharding in ("fsdp", "zero3"):
        gathered = job.compute_bytes if job.quantization == "none" else 0.5
        moved = 2 * gathered * work.all_parameters + job.compute_bytes * trained
    speed = gpu.link_gb_per_s * 1e9
    if network and job.gpus > network.gpus_per_machine:
        # What enters a machine is passed on inside it: the network carries each parameter once a machine.
        speed = min(speed, network.gbit_per_s / 8 * 1e9)
    return moved / (speed * COMMUNICATION_EFFICIENCY)
