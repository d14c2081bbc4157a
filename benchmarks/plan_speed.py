"""`tunestack plan` beside `accelerate estimate-memory` of the same config.json, and of a recipe; whole processes."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

from tunestack.catalogue.models import model_configs

ROOT = Path(__file__).parents[1]
MODEL, RECIPE = "meta-llama/Llama-3.1-8B", "llama-3.1-8b-qlora"
# accelerate asks the hub first, which can't be reached from everywhere: it is answered here, at no cost of time.
ESTIMATE = """
import sys, types
from accelerate.commands import estimate
estimate.verify_on_hub = lambda *_: types.SimpleNamespace(config={}, library_name="transformers")
arguments = [sys.argv[1], "--library_name", "transformers"]
estimate.estimate_command(estimate.estimate_command_parser().parse_args(arguments))
"""


def cases(folder: Path) -> dict[str, Callable[[], None]]:
    """The processes; `plan` and `accelerate` over a model folder that holds only its config.json."""
    config = {**model_configs()[MODEL], "architectures": ["LlamaForCausalLM"]}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    training = ROOT / ".venv-training" / "bin" / "python"
    return {
        "plan": lambda: _run([str(ROOT / ".venv" / "bin" / "tunestack"), "plan", "--model", str(folder)]),
        "recipe": lambda: _run([str(ROOT / ".venv" / "bin" / "tunestack"), "plan", RECIPE]),
        "accelerate": lambda: _run([str(training), "-c", ESTIMATE, str(folder)]),
    }


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(done.stderr[-1000:])
