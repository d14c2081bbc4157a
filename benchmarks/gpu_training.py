"""What this kit's own training takes of a GPU: `python -m benchmarks.gpu_training --out FILE`.

It runs in the training's environment, on a machine with a GPU. Each job is a process of its own, `python -m
tunestack_training train`, on a model of a preset's shape with random weights: neither memory nor speed asks what the
weights say. Rows are as long as `max_length`, so that each step has the same number of tokens.
`python -m benchmarks.gpu_accuracy` holds the memory model against what this wrote.
"""

import argparse
import csv
import json
import os
import random
import re
import shutil
import statistics
import string
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TextIO

from benchmarks.gpu_jobs import JOBS, Job

ROOT = Path(__file__).parents[1]
PRESETS = ROOT / "tunestack" / "catalogue" / "data" / "models.json"
STEP = re.compile(r"step (\d+)/\d+: (\{.*\})")
# The first ones compile and fill caches.
WARM_UP_STEPS = 3
MIB = 2**20
COLUMNS = (
    "name", "set", "model", "layers", "method", "rows", "options", "alone", "gpu", "torch", "transformers", "trl",
    "bitsandbytes", "loaded_gib", "allocated_gib", "reserved_gib", "device_gib", "tokens_per_second", "first_loss",
    "last_loss", "seconds", "failure",
)  # fmt: skip
SHOWN = ("name", "loaded_gib", "allocated_gib", "reserved_gib", "device_gib", "tokens_per_second", "seconds", "failure")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="the CSV to write, a row as each job ends")
    parser.add_argument("--set", choices=JOBS, default="first", help="which jobs")
    parser.add_argument("--only", default="", help="jobs whose name holds this, a regular expression")
    parser.add_argument("--at-once", type=int, default=3, help="jobs that run beside one another")
    given = parser.parse_args()
    jobs = [job for job in JOBS[given.set] if re.search(given.only, job.name)]
    with tempfile.TemporaryDirectory() as scratch, given.out.open("w", newline="", encoding="utf-8") as file:
        # Before the threads: transformers imports what it is asked for, and two that ask at once may get half of it.
        from transformers import CONFIG_MAPPING, AutoModelForCausalLM, PreTrainedTokenizerFast  # noqa: F401

        bench = Bench(Path(scratch), file, given.set)
        beside: defaultdict[tuple[str, int | None], list[Job]] = defaultdict(list)
        alone: defaultdict[tuple[str, int | None], list[Job]] = defaultdict(list)
        for job in jobs:
            (alone if job.alone else beside)[job.model, job.layers].append(job)
        with ThreadPoolExecutor(given.at_once) as pool:
            list(pool.map(bench.measure_all, beside.values()))
        for group in alone.values():
            bench.measure_all(group)


class Bench:
    """Runs jobs in a scratch folder, and writes a row for each."""

    def __init__(self, scratch: Path, file: TextIO, name: str) -> None:
        self._scratch, self._file, self._name, self._lock = scratch, file, name, threading.Lock()
        self._writer = csv.DictWriter(file, COLUMNS)
        self._writer.writeheader()
        self._machine = machine()

    def model_folder(self, model: str, layers: int | None) -> Path:
        return self._scratch / "models" / f"{model.replace('/', '--')}-{layers or 'all'}"

    def measure_all(self, jobs: list[Job]) -> None:
        """Run the jobs of one model, which is there no longer than they are: disks are small."""
        model = jobs[0].model, jobs[0].layers
        folder = self.model_folder(*model)
        make_model(folder, *model)
        for job in jobs:
            self.measure(job)
        shutil.rmtree(folder)

    def measure(self, job: Job) -> None:
        """Run a job and write its row."""
        ml = self._scratch / job.name.replace("/", "-")
        inputs(ml, self.model_folder(job.model, job.layers), job)
        began = time.monotonic()
        found = run(ml, job.method)
        row = {
            "name": job.name, "set": self._name, "model": job.model, "layers": job.layers or "", "method": job.method,
            "rows": job.rows, "options": json.dumps(job.recipe()), "alone": "yes" if job.alone else "no",
            **self._machine, **found, "seconds": round(time.monotonic() - began, 1),
        }  # fmt: skip
        shutil.rmtree(ml)
        with self._lock:
            self._writer.writerow(row)
            self._file.flush()
        print(*(f"{name}={row.get(name)}" for name in SHOWN), flush=True)


def machine() -> dict[str, str]:
    """The GPU, and the versions of what runs on it."""
    from importlib.metadata import version

    import torch

    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "none"
    installed = {name: version(name) for name in ("transformers", "trl", "bitsandbytes")}
    return {"gpu": gpu, "torch": torch.__version__, **installed}


def make_model(folder: Path, model: str, layers: int | None) -> None:
    """A model of a preset's shape with random weights in bfloat16, and a tokenizer of few words."""
    import torch
    from transformers import CONFIG_MAPPING, AutoModelForCausalLM

    shape = dict(json.loads(PRESETS.read_text(encoding="utf-8"))[model])
    if layers:
        shape["num_hidden_layers"] = layers
    config = CONFIG_MAPPING[shape.pop("model_type")](**shape, bos_token_id=0, eos_token_id=0, pad_token_id=1)
    config.max_position_embeddings = 16384
    config.dtype = torch.bfloat16
    with torch.device("cuda" if torch.cuda.is_available() else "cpu"):
        made = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    made.save_pretrained(folder)
    del made
    tokenizer().save_pretrained(folder)


def tokenizer() -> Any:
    """A character, a token."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = ["<eos>", "<pad>", *sorted(pre_tokenizers.ByteLevel.alphabet())]
    made = Tokenizer(models.BPE(vocab={word: number for number, word in enumerate(words)}, merges=[]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=made, eos_token="<eos>", pad_token="<pad>")


def inputs(ml: Path, model: Path, job: Job) -> None:
    """What SageMaker puts in place before a training job."""
    data = ml / "input" / "data"
    data.mkdir(parents=True)
    (data / "base-model").symlink_to(model)
    recipe = job.recipe()
    for channel, count in (("train", 400), ("validation", 2)):
        file = data / channel / "rows.jsonl"
        file.parent.mkdir()
        lengths = row_lengths(job.rows, int(recipe["training.max_length"]), count)
        file.write_text("".join(json.dumps(row(length)) + "\n" for length in lengths), encoding="utf-8")
    config = ml / "input" / "config" / "hyperparameters.json"
    config.parent.mkdir(parents=True)
    config.write_text(json.dumps(recipe), encoding="utf-8")


def row_lengths(kind: str, longest: int, count: int) -> list[int]:
    """Characters, which are tokens, of each row's answer."""
    if kind == "mixed":
        draw = random.Random(0)  # noqa: S311
        return [max(16, round(longest * draw.random() ** 2)) for _ in range(count)]
    return [longest // 8 if kind == "short" else longest + 64] * count


def row(length: int) -> dict[str, Any]:
    text = (string.ascii_lowercase * length)[:length]
    return {
        "prompt": [{"role": "user", "content": "say the alphabet"}],
        "completion": [{"role": "assistant", "content": text}],
    }


def run(ml: Path, method: str) -> dict[str, Any]:
    """Run the training; what it said of itself, and what the driver said of its process."""
    environment = {
        **os.environ, "TUNESTACK_ML_FOLDER": str(ml), "PYTHONUNBUFFERED": "1", "HF_HUB_OFFLINE": "1",
        "PYTHONPATH": f"{ROOT}:{ROOT / 'training_code'}:{os.environ.get('PYTHONPATH', '')}",
    }  # fmt: skip
    what = ["benchmarks.gpu_methods", method] if method else ["tunestack_training", "train"]
    command = [sys.executable, "-m", *what]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    watch = DeviceMemory(process.pid)
    steps: list[tuple[float, dict[str, float]]] = []
    loaded: dict[str, float] = {}
    tail: list[str] = []
    assert process.stdout
    for line in process.stdout:
        tail = [*tail[-30:], line]
        if "loaded and ready to train: " in line:
            loaded = _figures(line.split("train: ", 1)[1])
        if (found := STEP.search(line)) and "'loss'" in line:
            steps.append((time.monotonic(), _figures(found.group(2))))
    code = process.wait()
    device = watch.end()
    if code or not steps:
        return {"failure": "".join(tail)[-2500:]}
    last = steps[-1][1]
    return {
        "loaded_gib": loaded.get("gpu_peak_gib"),
        "allocated_gib": last.get("gpu_peak_gib"),
        "reserved_gib": last.get("gpu_reserved_peak_gib"),
        "device_gib": device,
        "tokens_per_second": _speed(steps),
        "first_loss": steps[0][1]["loss"],
        "last_loss": last["loss"],
    }


def _figures(text: str) -> dict[str, float]:
    return {name: float(value) for name, value in re.findall(r"'(\w+)': ([-+.\deE]+)", text)}


def _speed(steps: list[tuple[float, dict[str, float]]]) -> float | None:
    """Tokens a second: the median of the steps after the warm-up, where the trainer counts them."""
    if "num_tokens" not in steps[-1][1]:
        return None
    rates = [
        (after["num_tokens"] - before["num_tokens"]) / (then - began)
        for (began, before), (then, after) in zip(steps[WARM_UP_STEPS - 1 :], steps[WARM_UP_STEPS:], strict=False)
    ]
    return round(statistics.median(rates), 1) if rates else None


class DeviceMemory:
    """The most that the driver says a process holds: tensors, what is reserved for them, and the CUDA context."""

    def __init__(self, pid: int) -> None:
        self._pid, self._most, self._ended = pid, 0, threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def end(self) -> float | None:
        self._ended.set()
        self._thread.join()
        return round(self._most / MIB / 1024, 3) or None

    def _watch(self) -> None:
        try:
            import pynvml
        except ImportError:
            print("the driver isn't asked: there is no pynvml here", flush=True)
            return
        try:
            pynvml.nvmlInit()
            gpu = pynvml.nvmlDeviceGetHandleByIndex(0)
            while not self._ended.wait(0.1):
                for process in pynvml.nvmlDeviceGetComputeRunningProcesses(gpu):
                    if process.pid == self._pid and process.usedGpuMemory:
                        self._most = max(self._most, process.usedGpuMemory)
        except pynvml.NVMLError as error:
            print(f"the driver isn't asked: {error}", flush=True)


if __name__ == "__main__":
    main()
