"""The options about a job that `plan` and `memory` have, each once: what it sets, and when it means something.

A command names those that it has; its decorator, its checks and the fields of the job follow.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeVar, get_args

import click

from tunestack.cli.options import trainer_option
from tunestack.errors import UserError
from tunestack.sizing.job.fine_tuning import SAVED_MODULES
from tunestack.sizing.job.named_methods import NamedMethod
from tunestack.sizing.kinds import AttentionKernel, Checkpointing, LossKernel, Objective, Sharding
from tunestack.sizing.optimizers import Optimizer
from tunestack.sizing.precision import Quantization

INFERENCE = "inference"
ADAPTED: tuple[NamedMethod, ...] = ("qlora", "lora", "dora")
WHOLE: tuple[NamedMethod, ...] = ("full", "frozen")
SERVED = ("fp32", "bf16", "fp16", "fp8")
SHARDINGS_OF_INFERENCE = ("none", "tensor", "layers")
MOST_ADAPTERS = 100_000
# A reward model's own kernel comes with its objective.
LOSSES = tuple(kernel for kernel in get_args(LossKernel) if kernel != "score")
Chosen = Mapping[str, Any]
Command = TypeVar("Command", bound=Callable[..., Any] | click.Command)


@dataclass(frozen=True, kw_only=True)
class Needs:
    """Beside what an option means something: `holds` of the chosen ones; `words` end "--x goes with …"."""

    words: str
    holds: Callable[[Chosen], bool]


@dataclass(frozen=True, kw_only=True)
class JobOption:
    """One option: its flags, and what it is `called` where not as the first.

    `of` is the kind of job that it is of, and `field` what it sets of a `FineTuning`.
    """

    flags: tuple[str, ...]
    called: str | None = None
    of: Literal["training", "inference", "both"] = "training"
    type: Any = None
    default: Any = None
    help: str | None = None
    is_flag: bool = False
    multiple: bool = False
    field: str | None = None
    needs: Needs | None = None

    @property
    def name(self) -> str:
        """Of its parameter."""
        return (self.called or self.flags[0][2:]).replace("-", "_")

    @property
    def flag(self) -> str:
        """As messages name it."""
        return f"--{self.name.replace('_', '-')}"

    def added_to(self, command: Command) -> Command:
        """A command with the option."""
        if self.name == "trainer":
            return trainer_option(self.type, default=self.default, help=self.help or "")(command)
        given: dict[str, Any] = {"help": self.help, "default": self.default, "type": self.type}
        if self.is_flag:
            given = {"help": self.help, "is_flag": True}
        elif self.multiple:
            given = {"help": self.help, "multiple": True, "type": self.type}
        elif self.default is not None:
            given["show_default"] = True
        return click.option(*self.flags, self.name, **given)(command)


def _methods(words: str, *methods: NamedMethod) -> Needs:
    return Needs(words=f"--method {words}", holds=lambda chosen: (chosen["method"] or "qlora") in methods)


def _choice(kind: Any) -> click.Choice[str]:
    return click.Choice(get_args(kind))


_GRPO = Needs(words="--objective grpo", holds=lambda chosen: chosen["objective"] == "grpo")
_FSDP = Needs(words="--sharding fsdp", holds=lambda chosen: chosen["sharding"] == "fsdp")
_FROZEN = _methods("frozen", "frozen")
_ADAPTED = _methods("qlora, lora or dora", *ADAPTED)
_OPTIONS = (
    JobOption(flags=("--objective",), type=_choice(Objective), default="sft", of="both"),
    JobOption(flags=("--method",), type=_choice(NamedMethod), default="qlora"),
    JobOption(
        flags=("--per-device-train-batch-size", "--micro-batch"), type=int, default=1, of="both",
        help="Rows (or pairs) a GPU sees at a time.", field="per_device_train_batch_size",
    ),
    JobOption(
        flags=("--max-length", "--sequence-length"), type=int, default=1024, of="both", help="Tokens of a row.",
        field="max_length",
    ),
    JobOption(
        flags=("--gradient-accumulation-steps", "--gradient-accumulation"), type=int, default=1,
        field="gradient_accumulation_steps",
    ),
    JobOption(
        flags=("--r", "--rank"), called="rank", type=int, default=16, of="both", help="LoRA's rank.", field="r",
        needs=_ADAPTED,
    ),
    JobOption(
        flags=("--target-modules",), multiple=True, help="LoRA's, each by its name.  [default: all-linear]",
        field="target_modules", needs=_ADAPTED,
    ),
    JobOption(
        flags=("--trainable-layers",), type=int, help="With --method frozen: how many of the last layers.",
        field="trainable_layers", needs=_FROZEN,
    ),
    JobOption(flags=("--trainer",)),
    JobOption(flags=("--optimizer",), type=_choice(Optimizer), help="[default: the trainer's]", field="optimizer"),
    JobOption(
        flags=("--optimizer-in-backward",), is_flag=True, field="optimizer_in_backward",
        help="A parameter is updated as soon as its gradient is there.", needs=_methods("full or frozen", *WHOLE),
    ),
    JobOption(
        flags=("--checkpointing",), type=_choice(Checkpointing), help="[default: the trainer's]", field="checkpointing"
    ),
    JobOption(
        flags=("--attention",), type=_choice(AttentionKernel), of="both", help="[default: the trainer's, or sdpa]",
        field="attention",
    ),
    JobOption(
        flags=("--loss",), type=click.Choice(LOSSES), help="[default: the trainer's; this kit's is tiled, as TRL's]",
        field="loss",
    ),
    JobOption(
        flags=("--fuse-layers",), is_flag=True, field="fuses_layers",
        help="Norms and activations are fused: torch.compile, or Liger's kernels.",
    ),
    JobOption(
        flags=("--modules-to-save",), type=click.Choice(SAVED_MODULES), multiple=True, field="modules_to_save",
        help="Trained whole beside the adapters.",
    ),
    JobOption(flags=("--gpus",), type=int, default=1, of="both", field="gpus"),
    JobOption(flags=("--sharding",), type=_choice(Sharding), default="none", of="both", field="sharding"),
    JobOption(
        flags=("--replicas",), type=int, default=1, help="With fsdp: all shards, so many times (hybrid).",
        field="replicas", needs=replace(_FSDP, words="--sharding fsdp: hybrid sharding"),
    ),
    JobOption(
        flags=("--sync-each-batch",), is_flag=True, help="With fsdp: gradients are reduced at every micro-step.",
        field="sync_each_batch", needs=_FSDP,
    ),
    JobOption(
        flags=("--cpu-offload",), is_flag=True, field="cpu_offload",
        help="With fsdp or ZeRO: what it shards lies on the host, or NVMe.",
    ),
    JobOption(
        flags=("--num-generations",), type=int, default=8, help="With grpo: answers to a prompt.", needs=_GRPO
    ),
    JobOption(
        flags=("--vllm-gpu-memory-utilization",), type=float, needs=_GRPO,
        help="With grpo: vLLM on the same GPUs, and its share of each; TRL's is 0.3.  "
        "[default: transformers' generate]",
    ),
    JobOption(
        flags=("--vllm-enable-sleep-mode",), is_flag=True, needs=_GRPO,
        help="With grpo: vLLM gives its share back while it trains.",
    ),
    JobOption(
        flags=("--dtype",), type=click.Choice(SERVED), default="bf16", of="inference", help="With inference: weights."
    ),
    JobOption(
        flags=("--cache-dtype",), type=click.Choice(SERVED), of="inference",
        help="With inference: of the KV cache.  [default: --dtype, or bf16]",
    ),
    JobOption(
        flags=("--quantization",), type=_choice(Quantization), of="inference", help="With inference.",
        field="quantization",
    ),
    JobOption(
        flags=("--gpu-memory-utilization",), type=float, of="inference",
        help="With inference: an engine's share of a GPU; vLLM's is 0.9.",
    ),
    JobOption(
        flags=("--adapters",), type=click.IntRange(1, MOST_ADAPTERS), of="inference",
        help="With inference: so many side by side on one base.",
    ),
    JobOption(
        flags=("--no-packing",), is_flag=True, field="varying_lengths",
        help="With --model: batches are padded to their longest row.",
    ),
)  # fmt: skip
OPTIONS: Mapping[str, JobOption] = {option.name: option for option in _OPTIONS}


def job_options(*names: str, **otherwise: Mapping[str, Any]) -> Callable[[Command], Command]:
    """A command's decorator: it has these options, in this order; `otherwise` says what is different of one here."""

    def add(command: Command) -> Command:
        for name in reversed(names):
            command = replace(OPTIONS[name], **otherwise.get(name, {})).added_to(command)
        return command

    return add


def fields_of(chosen: Chosen) -> dict[str, Any]:
    """The fields of a `FineTuning` that are chosen: what has no value is the trainer's, or its own default."""
    set_here = {OPTIONS[name].field: value for name, value in chosen.items() if name in OPTIONS}
    # 0 is a value, which the job refuses.
    return {name: value for name, value in set_here.items() if name and not (value in (None, ()) or value is False)}


def check_needs(chosen: Chosen, given: Iterable[str]) -> None:
    """See that each option that was given means something beside the others.

    Raises:
        UserError: one doesn't.
    """
    for name in sorted(given):
        option = OPTIONS.get(name)
        if option and option.needs and not option.needs.holds(chosen):
            raise UserError(f"{option.flag} goes with {option.needs.words}")


def check_kind(objective: str, given: Iterable[str]) -> None:
    """See that each option that was given is of the kind of job: a training, or a model that answers.

    Raises:
        UserError: one is of the other kind.
    """
    other, means = ("training", "means nothing with") if objective == INFERENCE else ("inference", "goes with")
    for name in sorted(given):
        if name in OPTIONS and OPTIONS[name].of == other:
            raise UserError(f"{OPTIONS[name].flag} {means} --objective {INFERENCE}")
