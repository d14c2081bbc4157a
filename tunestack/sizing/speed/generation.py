"""How long answers take to generate: for methods that learn from their own (GRPO, RLOO, PPO) most of the time.

Decoding a token reads every weight once, however many sequences are answered at a time: the memory's bandwidth is what
counts, until launching kernels takes longer (arXiv 2211.05102, section 2).
"""

from dataclasses import dataclass

from tunestack.catalogue.gpus import Gpu
from tunestack.sizing.job.fine_tuning import FineTuning
from tunestack.sizing.precision import bytes_per_weight
from tunestack.sizing.speed.throughput import SECONDS_PER_LAYER, Work

# Of the memory's bandwidth, in decoding: an engine with CUDA graphs gets most of it. A guess: no rows.
BANDWIDTH_EFFICIENCY = 0.6
# `generate` of transformers launches a layer's forward pass again for each token: a third of what a layer's forward and
# backward pass take to launch.
LAUNCHES_OF_A_TOKEN = SECONDS_PER_LAYER / 3
# Prompt and answer are each half of a row, where nobody says otherwise.
ANSWERED_SHARE = 0.5


@dataclass(frozen=True, kw_only=True)
class Generation:
    """Seconds for each token that is trained on: with an engine (vLLM), and with transformers' own `generate`."""

    engine_seconds_per_token: float
    generate_seconds_per_token: float


def generation(work: Work, job: FineTuning, gpu: Gpu, *, sequences: int) -> Generation:
    """The time of rollouts of `sequences` answers at once on one GPU, spread over the tokens of their rows."""
    each = bytes_per_weight(job.quantization, dtype=job.compute_dtype, double_quant=job.double_quant)
    reading = each * work.all_parameters / (gpu.bandwidth_gb_per_s * 1e9 * BANDWIDTH_EFFICIENCY)
    launching = LAUNCHES_OF_A_TOKEN * work.depth
    share = ANSWERED_SHARE / sequences
    return Generation(
        engine_seconds_per_token=reading * share, generate_seconds_per_token=max(reading, launching) * share
    )
