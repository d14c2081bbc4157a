"""What full fine-tuning over several GPUs takes of one of them: `python -m benchmarks.gpu_sharded --out FILE`.

One GPU is enough: the process group is PyTorch's fake one, whose collectives exchange nothing, so that this process is
the first rank of as many as a case says, and allocates what that rank would. What is measured is what no table of a
framework tells apart: PyTorch's second FSDP, selective checkpointing and torch.compile, each with and without another.
It runs in the training's environment, each case in a process of its own.
"""

import argparse
import csv
import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PRESETS = ROOT / "tunestack" / "catalogue" / "data" / "models.json"
GIB = 2**30
STEPS = 4
COLUMNS = (
    "name", "model", "ranks", "batch", "length", "checkpointing", "compiles", "compiles_loss", "units", "expandable",
    "gpu", "torch", "before_loss_gib", "after_loss_gib", "allocated_gib", "reserved_gib", "by_stream_gib", "failure",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Case:
    """One job: what shards, what is computed again, what is compiled."""

    name: str
    model: str = "meta-llama/Llama-3.1-8B"
    ranks: int = 8
    batch: int = 1
    length: int = 8192
    checkpointing: str = "selective"
    compiles: bool = True
    compiles_loss: bool = True
    units: bool = False
    """Embedding and head are units of their own."""
    expandable: bool = True


CASES = (
    Case(name="nothing compiled", compiles=False, compiles_loss=False),
    Case(name="layers compiled", compiles_loss=False),
    Case(name="layers and loss compiled"),
    Case(name="layers and loss compiled, own units", units=True),
    Case(name="layers and loss compiled, 128 ranks", ranks=128),
    Case(name="everything computed again", checkpointing="full", compiles=False, compiles_loss=False),
    Case(name="everything computed again, compiled", checkpointing="full"),
    Case(name="nothing computed again, compiled", checkpointing="none", length=2048),
    Case(name="nothing computed again", checkpointing="none", length=2048, compiles=False, compiles_loss=False),
    Case(name="layers and loss compiled, fixed segments", expandable=False),
)
# What these took was predicted before.
BLIND = (
    Case(name="Qwen 2.5 7B, 4 ranks", model="Qwen/Qwen2.5-7B", ranks=4, batch=2, length=2048, compiles_loss=False),
    Case(
        name="Mistral 7B, 16 ranks, everything computed again", model="mistralai/Mistral-7B-v0.1", ranks=16, batch=4,
        length=4096, checkpointing="full", compiles=False, compiles_loss=False,
    ),
    Case(
        name="Llama 3.2 3B, 2 ranks, nothing computed again", model="meta-llama/Llama-3.2-3B", ranks=2, length=4096,
        checkpointing="none",
    ),
    Case(name="Qwen 2.5 14B, 32 ranks, own units", model="Qwen/Qwen2.5-14B", ranks=32, length=4096, units=True),
)  # fmt: skip
SETS = {"first": CASES, "blind": BLIND}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="the CSV to write, a row as each case ends")
    parser.add_argument("--set", choices=SETS, default="first", help="which cases")
    parser.add_argument("--only", default="", help="cases whose name holds this text")
    parser.add_argument("--at-once", type=int, default=1, help="cases that run beside one another")
    parser.add_argument("--case", help="run this one here, and print its figures as JSON")
    given = parser.parse_args()
    if given.case:
        print(json.dumps(measure(Case(**json.loads(given.case)))))
        return
    cases = [case for case in SETS[given.set] if given.only in case.name]
    with given.out.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, COLUMNS)
        table.writeheader()
        with ThreadPoolExecutor(given.at_once) as pool:
            for row in pool.map(run, cases):
                table.writerow(row)
                file.flush()
                print(row, flush=True)


def run(case: Case) -> dict[str, Any]:
    """Measure a case in a process of its own."""
    given = json.dumps(asdict(case))
    setting = "expandable_segments:True" if case.expandable else "expandable_segments:False"
    command = [sys.executable, "-m", "benchmarks.gpu_sharded", "--out", "-", "--case", given]
    environment = {**os.environ, "PYTORCH_ALLOC_CONF": setting, "PYTORCH_CUDA_ALLOC_CONF": setting}
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env=environment)
    if done.returncode:
        return {**asdict(case), "failure": (done.stdout + done.stderr)[-1500:]}
    return {**asdict(case), **json.loads(done.stdout.strip().splitlines()[-1])}


def measure(case: Case) -> dict[str, Any]:
    """Some steps of a case, on the GPU where there is one."""
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = sharded_model(case, device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-6, fused=True)
    loss_of = torch.compile(cross_entropy) if case.compiles_loss else cross_entropy
    tokens = torch.randint(0, 100, (case.batch, case.length), device=device)
    seen: dict[str, float] = {}
    for _ in range(STEPS):
        step(model, optimizer, loss_of, tokens, seen)
    if device == "cpu":
        return {"gpu": "none", "torch": torch.__version__}
    streams: dict[str, float] = defaultdict(float)
    for segment in torch.cuda.memory_snapshot():
        streams[str(segment["stream"])] += segment["total_size"] / GIB
    return {
        "gpu": torch.cuda.get_device_name(), "torch": torch.__version__, **seen,
        "allocated_gib": round(torch.cuda.max_memory_allocated() / GIB, 3),
        "reserved_gib": round(torch.cuda.max_memory_reserved() / GIB, 3),
        "by_stream_gib": " + ".join(f"{size:.2f}" for size in sorted(streams.values(), reverse=True)),
    }  # fmt: skip


def step(model: Any, optimizer: Any, loss_of: Callable[..., Any], tokens: Any, seen: dict[str, float]) -> None:
    """One training step; `seen` gets what is allocated before and after the loss."""
    import torch

    optimizer.zero_grad()
    logits = model(input_ids=tokens, use_cache=False).logits
    _note(seen, "before_loss_gib")
    loss = loss_of(logits, tokens)
    del logits
    _note(seen, "after_loss_gib")
    loss.backward()
    torch.nn.utils.get_total_norm([parameter.grad.to_local() for parameter in model.parameters()], foreach=True)
    optimizer.step()


def _note(seen: dict[str, float], name: str) -> None:
    import torch

    if torch.cuda.is_available():
        seen[name] = round(torch.cuda.memory_allocated() / GIB, 3)


def cross_entropy(logits: Any, labels: Any) -> Any:
    import torch

    return torch.nn.functional.cross_entropy(logits.flatten(0, 1).float(), labels.flatten(0, 1))


def sharded_model(case: Case, device: str) -> Any:
    """The model as the first of so many ranks holds it, fp32 in whole and bf16 where it computes."""
    import torch
    from torch.distributed import device_mesh, fsdp, init_process_group
    from torch.testing._internal.distributed.fake_pg import FakeStore

    init_process_group("fake", rank=0, world_size=case.ranks, store=FakeStore())
    mesh = device_mesh.init_device_mesh(device, (case.ranks,))
    model = empty_model(case.model)
    layers = model.model.layers
    for number, layer in enumerate(layers):
        layers[number] = prepared(layer, case)
    mixed = fsdp.MixedPrecisionPolicy(param_dtype=torch.bfloat16, reduce_dtype=torch.float32)
    common = {"mesh": mesh, "mp_policy": mixed}
    for number, layer in enumerate(layers):
        fsdp.fully_shard(layer, reshard_after_forward=number < len(layers) - 1, **common)
    if case.units:
        fsdp.fully_shard(model.model.embed_tokens, reshard_after_forward=True, **common)
        fsdp.fully_shard([model.model.norm, model.lm_head], reshard_after_forward=False, **common)
    fsdp.fully_shard(model, **common)
    model.to_empty(device=device)
    return model


def prepared(layer: Any, case: Case) -> Any:
    """A layer that is computed again as the case says, and compiled."""
    import torch
    from torch.distributed.algorithms._checkpoint.checkpoint_wrapper import checkpoint_wrapper

    if case.checkpointing == "selective":
        layer = checkpoint_wrapper(layer, context_fn=every_second_product, preserve_rng_state=False)
    elif case.checkpointing == "full":
        layer = checkpoint_wrapper(layer, preserve_rng_state=False)
    return torch.compile(layer, fullgraph=True) if case.compiles else layer


def every_second_product() -> Any:
    """torchtitan's rule: attention's results are kept, and every second matrix product of a layer."""
    import torch
    from torch.utils.checkpoint import CheckpointPolicy, create_selective_checkpoint_contexts

    aten = torch.ops.aten
    kept = {
        aten.mm.default, aten._scaled_dot_product_efficient_attention.default,
        aten._scaled_dot_product_flash_attention.default, aten._scaled_dot_product_cudnn_attention.default,
    }  # fmt: skip
    counts: dict[bool, int] = defaultdict(int)

    def policy(context: Any, operator: Any, *_: Any, **__: Any) -> Any:
        if operator == aten.mm.default:
            counts[context.is_recompute] += 1
            if counts[context.is_recompute] % 2 == 0:
                return CheckpointPolicy.PREFER_RECOMPUTE
        return CheckpointPolicy.MUST_SAVE if operator in kept else CheckpointPolicy.PREFER_RECOMPUTE

    return create_selective_checkpoint_contexts(policy)


def empty_model(name: str) -> Any:
    import torch
    from transformers import CONFIG_MAPPING, AutoModelForCausalLM

    shape = dict(json.loads(PRESETS.read_text(encoding="utf-8"))[name])
    config = CONFIG_MAPPING[shape.pop("model_type")](**shape)
    with torch.device("meta"):
        return AutoModelForCausalLM.from_config(config, dtype=torch.float32, attn_implementation="sdpa")


if __name__ == "__main__":
    main()
