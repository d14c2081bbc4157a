"""Training throughput: FLOPs, memory traffic and communication → tokens per second and GPU, with a range.

FLOPs per token after Kaplan et al. (arXiv 2001.08361) and PaLM's appendix B (arXiv 2204.02311): 2 a weight forward,
2 backward through it, 2 for its own gradient where it trains; attention's own 2 × sequence × query width a layer
(causal), twice that backward; the forward pass once more with checkpointing.
"""

from dataclasses import dataclass

from tunestack.catalogue.gpus import Gpu
from tunestack.sizing.job.fine_tuning import FineTuning
from tunestack.sizing.model.architecture import Architecture

# The share of the peak that matrix products and attention reach, recomputation counted as work: training logs of
# LLM-foundry, torchtune, litgpt and LLaMA-Factory (throughput.csv). Faster chips starve more: H100's peak is three
# times A100's, its bandwidth twice.
EFFICIENCY = {
    "T4": 0.35, "V100": 0.40, "A10G": 0.60, "L4": 0.45, "L40S": 0.42, "A6000": 0.55, "RTX3090": 0.55,
    "RTX4090": 0.62, "RTX-PRO-SERVER-6000": 0.45, "A100": 0.62, "H100": 0.50, "H200": 0.50, "B200": 0.42, "B300": 0.42,
}  # fmt: skip
EFFICIENCY_UNKNOWN = 0.40
# Adapters add small products and copies to every linear.
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
# The true rate lies between these multiples of the expected one in 17 of 20 logs: kernels, packing and compilation
# that a job's settings don't show.
LOW, HIGH = 0.55, 1.40


@dataclass(frozen=True, kw_only=True)
class Throughput:
    """Tokens per second of one GPU, expected and bounds, and where a micro-step's seconds go."""

    tokens_per_second: float
    low: float
    high: float
    seconds: dict[str, float]


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


def flops_per_token(work: Work, job: FineTuning) -> float:
    """Floating-point operations of one token's training, what is recomputed included."""
    trains = job.method == "full"
    share = job.trainable_layers / work.depth if job.method == "frozen" else 1.0
    linear = 2 * work.parameters
    attention = 2 * job.max_length * work.attention_width
    forward = linear + attention
    backward = linear + 2 * attention + (linear if trains or job.method == "frozen" else 0)
    recomputed = {"none": 0.0, "selective": 0.35, "full": 1.0}[job.checkpointing] * forward
    return forward + share * (backward + recomputed)


def throughput(
    work: Work, job: FineTuning, gpu: Gpu, *, network: Network | None = None, fp8: bool = False
) -> Throughput:
    """Tokens per second of each GPU of a job."""
    tokens = job.tokens
    rate = gpu.bf16_tflops * 1e12 * EFFICIENCY.get(gpu.name, EFFICIENCY_UNKNOWN)
    if job.compute_dtype == "fp32":
        rate /= 8
    if fp8:
        rate *= FP8_SPEED_UP
    if job.method not in ("full", "frozen"):
        rate *= ADAPTER_EFFICIENCY
    computing = tokens * flops_per_token(work, job) / rate / job.tensor_parallel
    passes = 3 if job.checkpointing == "full" else 2
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
