"""Run in the training environment: what torch's memory tracker says of this kit's own trainers, without a GPU.

`{"configs": name → config, "jobs": […]}` as JSON on stdin → each job's peak bytes as JSON on stdout. A job is a recipe as
its container gets it (`benchmarks.gpu_jobs.Job`): this kit's training code, or TRL's trainer of a method, takes two
steps on a CPU. The tracker counts tensors: no CUDA context, workspaces or fragmentation.
"""

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

os.environ.update(HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false", TQDM_DISABLE="1")

import torch
from torch.distributed._tools.mem_tracker import MemTracker

from benchmarks.gpu_jobs import Job
from benchmarks.gpu_training import inputs, tokenizer


class Tracker(MemTracker):  # type: ignore[misc]
    """The tracker of tensors alone: it keeps no figures by module, which a model that is called twice a step confuses."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: set[torch.nn.Module] = set()

    def _pre_fw_hook(self, module: torch.nn.Module, inputs: Any) -> None:
        if module not in self._seen:
            self._seen.add(module)
            self._track_module_params_and_buffers(module, install_grad_hooks=True)

    def _post_fw_hook(self, module: torch.nn.Module, inputs: Any, outputs: Any) -> None:
        pass

    def _pre_bw_hook(self, module: torch.nn.Module, args: Any) -> None:
        pass

    _post_bw_hook = _pre_bw_hook


class _NoHook:
    def remove(self) -> None:
        pass


def main() -> None:
    request, found = json.load(sys.stdin), {}
    stdout, sys.stdout = sys.stdout, sys.stderr
    with tempfile.TemporaryDirectory() as folder:
        for name, config in request["configs"].items():
            _make_model(Path(folder) / name, config)
        for given in request["jobs"]:
            job = Job(**given)
            ml = Path(folder) / "ml" / job.name
            inputs(ml, Path(folder) / job.model, job)
            found[job.name] = _peak(_trainer(job, ml))
    json.dump(found, stdout)


def _make_model(folder: Path, config: dict[str, Any]) -> None:
    from transformers import CONFIG_MAPPING, AutoModelForCausalLM

    shape = dict(config)
    made = CONFIG_MAPPING[shape.pop("model_type")](**shape, bos_token_id=0, eos_token_id=0, pad_token_id=1)
    made.dtype = torch.bfloat16
    AutoModelForCausalLM.from_config(made, dtype=torch.bfloat16).save_pretrained(folder)
    tokenizer().save_pretrained(folder)


def _trainer(job: Job, ml: Path) -> Any:
    os.environ["TUNESTACK_ML_FOLDER"] = str(ml)
    from tunestack_training import contract, train
    from tunestack_training.options import recipe_from_options

    recipe = recipe_from_options(contract.hyperparameters())
    if job.method:
        from benchmarks.gpu_methods import METHODS

        return METHODS[job.method](recipe)
    rows, validation = (contract.channel(name) / "rows.jsonl" for name in ("train", "validation"))
    return train.build_trainer(recipe, rows, validation, contract.checkpoint_folder())[0]


def _peak(trainer: Any) -> int:
    trainer.create_optimizer()
    for parameter in trainer.model.parameters():
        if not parameter.requires_grad:
            # The tracker hooks every parameter, and PyTorch refuses that for a frozen one.
            parameter.register_hook = parameter.register_post_accumulate_grad_hook = lambda _: _NoHook()
    tracker = Tracker()
    tracker.track_external(trainer.model, trainer.optimizer)
    with tracker:
        trainer.train()
    return sum(kinds["Total"] for kinds in tracker.get_tracker_snapshot("peak").values())


if __name__ == "__main__":
    main()
