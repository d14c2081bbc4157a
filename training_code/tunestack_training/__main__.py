"""The container's entry point: `python -m tunestack_training COMMAND [--set KEY VALUE]…`.

It is the container's first process, so that SIGTERM reaches it and its exit code is the job's.
"""

import argparse
import logging
import os
import sys
import traceback
import warnings
from importlib import import_module

from tunestack_training import contract
from tunestack_training.failure import JobError, Stopped

COMMANDS = ("prepare", "train", "evaluate", "package", "serve")
STOPPED_BY_SIGTERM = 143


def main(arguments: list[str]) -> int:
    """Run one command; the exit code. A failure is told in the log and in the failure file."""
    parser = argparse.ArgumentParser(prog="tunestack_training")
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("--set", nargs=2, action="append", default=[], metavar=("KEY", "VALUE"))
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stdout, force=True)
    _stay_offline()
    _keep_the_log_readable()
    try:
        import_module(f"tunestack_training.{options.command}").run(dict(options.set))
    except JobError as error:
        return _fail(str(error), 1)
    except Stopped as stopped:
        return _fail(str(stopped), STOPPED_BY_SIGTERM)
    except Exception as error:  # The container's last stop: the reason must reach the job's description.
        traceback.print_exc(file=sys.stdout)
        return _fail(f"{type(error).__name__}: {error}{_advice(error)}", 1)
    return 0


def _stay_offline() -> None:
    """Nothing is fetched when a job runs; weights come from S3."""
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_DATASETS_OFFLINE"):
        os.environ[name] = "1"
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")


def _keep_the_log_readable() -> None:
    """No progress bars, and no warnings about the names of our libraries' own arguments."""
    for name in ("HF_HUB_DISABLE_PROGRESS_BARS", "HF_DATASETS_DISABLE_PROGRESS_BARS"):
        os.environ[name] = "1"
    os.environ["TQDM_DISABLE"] = "1"
    warnings.filterwarnings("ignore", message=".*gradient_checkpointing.*", category=FutureWarning)


def _fail(reason: str, code: int) -> int:
    logging.getLogger(__name__).error(reason)
    contract.write_failure(reason)
    return code


def _advice(error: Exception) -> str:
    if type(error).__name__ == "OutOfMemoryError":
        return (
            " — lower PerDeviceTrainBatchSize or MaxLength, keep gradient_checkpointing on, or choose a larger "
            "TrainInstanceType"
        )
    if isinstance(error, OSError) and error.errno == 28:
        return " — the disk is full: raise volume_size_gb, or choose an instance type with a larger disk"
    return ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
