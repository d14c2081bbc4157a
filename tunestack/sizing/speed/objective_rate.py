"""What a training is for → how much longer it takes than the same rows by themselves."""

from tunestack.catalogue.gpus import Gpu
from tunestack.sizing.job.fine_tuning import FineTuning
from tunestack.sizing.kinds import Objective
from tunestack.sizing.speed.generation import generation
from tunestack.sizing.speed.throughput import Throughput, Work, flops_per_token

PAIRS: tuple[Objective, ...] = ("dpo", "simpo", "reward")
# Answers of one prompt (TRL's `num_generations`).
GENERATIONS = 8
# Forward passes beside the trained one: the reference's; of PPO reward's and value's, too.
SCORED_BY: dict[Objective, int] = {"sft": 0, "dpo": 1, "simpo": 0, "reward": 0, "ppo": 3, "grpo": 0}


def objective_rate(rate: Throughput, work: Work, job: FineTuning, gpu: Gpu, objective: Objective) -> Throughput:
    """The rate of a training for an objective: with what is scored and generated beside it.

    Where answers are generated, the range goes from an engine's speed to that of transformers' own `generate`; the
    expected rate is the latter's, which this kit runs.
    """
    forward = (2 * work.parameters + 2 * job.max_length * work.attention_width) / flops_per_token(work, job)
    scoring = SCORED_BY[objective] * forward / rate.tokens_per_second
    if objective not in ("ppo", "grpo"):
        return rate.with_extra(likely=scoring, least=scoring, most=scoring) if scoring else rate
    sequences = max(GENERATIONS if objective == "grpo" else 1, job.per_device_train_batch_size)
    found = generation(work, job, gpu, sequences=sequences)
    return rate.with_extra(
        likely=scoring + found.generate_seconds_per_token,
        least=scoring + found.engine_seconds_per_token,
        most=scoring + 2 * found.generate_seconds_per_token,
    )
