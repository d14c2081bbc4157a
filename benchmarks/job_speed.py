"""What the kit's own jobs take beside what they are made of: `python -m benchmarks.job_speed`.

It runs in the training's environment, with a small random model on this machine's CPU: what is compared is the code
around torch, not the hardware. It prints one JSON object: for each case the seconds of ours and of the other, taken in
turn, after one round that isn't counted.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.gpu_training import tokenizer

ROOT = Path(__file__).parents[1]
ROUNDS = 3
STEPS, BATCH, LENGTH, RANK = 40, 8, 256, 8
QUESTIONS, PREPARED_ROWS = 36, 15_000
# Of data to prepare: each megabyte is a thousand rows.
SMALL_MB, LARGE_MB = 10, 200
SHAPE = {
    "hidden_size": 256, "intermediate_size": 768, "num_hidden_layers": 6, "num_attention_heads": 4,
    "num_key_value_heads": 2, "vocab_size": 384, "max_position_embeddings": 1024, "eos_token_id": 0, "pad_token_id": 1,
}  # fmt: skip
RECIPE = {
    "model.name_or_path": "small/model", "model.revision": "main", "data.name": "rows", "lora.r": str(RANK),
    "lora.lora_alpha": "16", "quantization.load_in_4bit": "false", "training.max_steps": str(STEPS),
    "training.per_device_train_batch_size": str(BATCH), "training.gradient_accumulation_steps": "1",
    "training.max_length": str(LENGTH), "training.gradient_checkpointing": "false", "training.save_steps": "1000",
    "training.logging_steps": "10", "inference.max_new_tokens": "24", "inference.batch_size": "16",
}  # fmt: skip


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        model = make_model(scratch / "model")
        found = {
            "training": in_turn(*training(scratch / "training", model)),
            "preparation": in_turn(*preparation(scratch / "preparation", model)),
            "memory": preparation_memory(scratch / "memory", model),
            "answers": in_turn(*answers(scratch / "answers", model)),
            "packing": in_turn(*packing(scratch / "packing")),
        }
    json.dump(found, sys.stdout)


def in_turn(ours: Callable[[], object], other: Callable[[], object]) -> dict[str, float]:
    """The medians of both, in seconds, and of their ratio."""
    times: list[tuple[float, float]] = []
    for counted in [False, *[True] * ROUNDS]:
        pair = (_seconds(ours), _seconds(other))
        times += [pair] if counted else []
    return {
        "ours": statistics.median(mine for mine, _ in times),
        "other": statistics.median(theirs for _, theirs in times),
        "ratio": statistics.median(mine / theirs for mine, theirs in times),
    }


def make_model(folder: Path) -> Path:
    """A random Llama of six layers, and a tokenizer with a chat template."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM
    from tunestack_training.tokenizer import PLAIN_CHAT_TEMPLATE

    torch.manual_seed(0)
    LlamaForCausalLM(LlamaConfig(**SHAPE)).save_pretrained(folder)
    made = tokenizer()
    made.chat_template = PLAIN_CHAT_TEMPLATE
    made.save_pretrained(folder)
    return folder


def rows(count: int, *, longer: int = 1) -> list[dict[str, Any]]:
    """Rows of many lengths, as PrepareData writes them."""
    return [
        {
            "prompt": [{"role": "user", "content": f"what does function {number} do"}],
            "completion": [
                {"role": "assistant", "content": f"return a list of {number} names " * longer * (1 + number % 6)}
            ],
        }
        for number in range(count)
    ]


def write_rows(file: Path, items: list[dict[str, Any]]) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(json.dumps(item) + "\n" for item in items), encoding="utf-8")
    return file


def training(folder: Path, model: Path) -> tuple[Callable[[], object], Callable[[], object]]:
    """The training job, and `trl sft` with the same settings: each a whole process."""
    count = STEPS * BATCH
    ml = folder / "ml"
    data = write_rows(ml / "input" / "data" / "train" / "rows.jsonl", rows(count)).parent
    write_rows(ml / "input" / "data" / "validation" / "rows.jsonl", rows(8))
    (ml / "input" / "data" / "base-model").symlink_to(model)
    config = ml / "input" / "config" / "hyperparameters.json"
    config.parent.mkdir(parents=True)
    config.write_text(json.dumps(RECIPE), encoding="utf-8")
    environment = {
        **os.environ, "TUNESTACK_ML_FOLDER": str(ml), "HF_HUB_OFFLINE": "1", "TQDM_DISABLE": "1",
        "PYTHONPATH": str(ROOT / "training_code"),
        # accelerate's launcher, which `trl sft` is, takes one thread where nobody says how many.
        "OMP_NUM_THREADS": str(os.cpu_count()),
    }  # fmt: skip
    theirs = [
        "sft", "--model_name_or_path", model, "--dataset_name", data, "--output_dir", folder / "trl", "--use_peft",
        "--lora_r", RANK, "--lora_alpha", 16, "--lora_target_modules", "all-linear", "--max_steps", STEPS,
        "--per_device_train_batch_size", BATCH, "--gradient_accumulation_steps", 1, "--max_length", LENGTH,
        "--learning_rate", "2e-4", "--gradient_checkpointing", "false", "--bf16", "false", "--use_cpu",
        "--report_to", "none", "--logging_steps", 10, "--dtype", "float32",
    ]  # fmt: skip

    def ours() -> None:
        for name in ("model", "checkpoints"):
            shutil.rmtree(ml / name, ignore_errors=True)
        _run([sys.executable, "-m", "tunestack_training", "train"], environment)

    def other() -> None:
        shutil.rmtree(folder / "trl", ignore_errors=True)
        _run([str(Path(sys.executable).with_name("trl")), *map(str, theirs)], environment)

    return ours, other


def preparation(folder: Path, model: Path) -> tuple[Callable[[], object], Callable[[], object]]:
    """PrepareData, and the same rows read, tokenized in batches, split and written by `datasets` alone."""
    import datasets
    from transformers import AutoTokenizer
    from tunestack_training import prepare

    raw = [
        {"instruction": row["prompt"][0]["content"], "response": row["completion"][0]["content"]}
        # About 150 tokens, as instructions with answers have.
        for row in rows(PREPARED_ROWS, longer=5)
    ]
    data = write_rows(folder / "processing" / "input" / "data" / "rows.jsonl", raw)
    (folder / "processing" / "input" / "base-model").symlink_to(model)
    made = AutoTokenizer.from_pretrained(model)
    datasets.disable_caching()
    datasets.disable_progress_bars()

    def other() -> None:
        def tokens(batch: dict[str, Any]) -> dict[str, Any]:
            chats = [
                [{"role": "user", "content": question}, {"role": "assistant", "content": told}]
                for question, told in zip(batch["instruction"], batch["response"], strict=True)
            ]
            return {"input_ids": made.apply_chat_template(chats, return_dict=True)["input_ids"]}

        read = datasets.Dataset.from_json(str(data), cache_dir=str(folder / "cache"))
        for name, part in read.map(tokens, batched=True).train_test_split(0.1, seed=1).items():
            part.to_json(folder / f"{name}.jsonl")

    return lambda: _prepared(folder, prepare.run), other


def preparation_memory(folder: Path, model: Path) -> dict[str, float]:
    """The peak of PrepareData's memory on much and on little data, in MiB: each a process of its own."""
    peaks = {}
    for name, megabytes in (("ours", LARGE_MB), ("other", SMALL_MB)):
        ml = folder / name
        raw = [
            {"instruction": f"what does function {number} do", "response": f"return a list of {number} names " * 30}
            for number in range(1_000 * megabytes)
        ]
        write_rows(ml / "processing" / "input" / "data" / "rows.jsonl", raw)
        (ml / "processing" / "input" / "base-model").symlink_to(model)
        code = (
            "import os, re, json, sys; from pathlib import Path; from tunestack_training import prepare; "
            "prepare.run(json.loads(sys.argv[1])); "
            "print(re.search(r'VmHWM:\\s+(\\d+)', Path('/proc/self/status').read_text())[1])"
        )
        environment = {
            **os.environ, "TUNESTACK_ML_FOLDER": str(ml), "PYTHONPATH": str(ROOT / "training_code"),
            "TOKENIZERS_PARALLELISM": "false",
        }  # fmt: skip
        recipe = {key: value for key, value in RECIPE.items() if key.split(".")[0] in ("model", "data")}
        printed = _run([sys.executable, "-c", code, json.dumps(recipe)], environment)
        peaks[name] = int(printed.split()[-1]) / 1024
        shutil.rmtree(ml)
    return {**peaks, "ratio": peaks["ours"] / peaks["other"]}


def _prepared(folder: Path, run: Callable[[dict[str, str]], object]) -> None:
    with _ml_folder(folder):
        run(RECIPE)


def answers(folder: Path, model: Path) -> tuple[Callable[[], object], Callable[[], object]]:
    """The server with all questions at once, and with one after the other."""
    from tunestack_training.options import RECIPE_FILE, recipe_from_options
    from tunestack_training.serve import ModelServer

    shutil.copytree(model, folder / "model")
    shutil.copytree(model, folder / "adapter")
    (folder / RECIPE_FILE).write_text(recipe_from_options(RECIPE).model_dump_json(), encoding="utf-8")
    server = ModelServer(folder)
    lines = [json.dumps({"messages": row["prompt"]}).encode() for row in rows(QUESTIONS)]
    return lambda: server.answer_lines(lines), lambda: [server.answer_lines([line]) for line in lines]


def packing(folder: Path) -> tuple[Callable[[], object], Callable[[], object]]:
    """The archive of weights that don't compress, and a copy of the same bytes: what disks allow."""
    from tunestack_training.package import pack

    (folder / "packed").mkdir(parents=True)
    (folder / "packed" / "model.safetensors").write_bytes(os.urandom(512 * 2**20))

    def copied() -> None:
        shutil.rmtree(folder / "copy", ignore_errors=True)
        shutil.copytree(folder / "packed", folder / "copy", copy_function=_read_and_written)

    return lambda: pack(folder / "packed", folder / "model.tar.gz"), copied


def _read_and_written(source: str, target: str) -> None:
    """As programs copy: not by the file system's own copying."""
    with Path(source).open("rb") as reading, Path(target).open("wb") as writing:
        shutil.copyfileobj(reading, writing)


@contextmanager
def _ml_folder(folder: Path) -> Iterator[None]:
    os.environ["TUNESTACK_ML_FOLDER"] = str(folder)
    try:
        yield
    finally:
        del os.environ["TUNESTACK_ML_FOLDER"]


def _run(command: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[:4])} failed:\n{done.stdout[-2000:]}")
    return done.stdout


def _seconds(case: Callable[[], object]) -> float:
    began = time.perf_counter()
    case()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
