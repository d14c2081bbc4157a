"""What a training does besides training: logs metrics, seals checkpoints, and ends well when told to stop."""

import json
import logging
import math
import signal
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from tunestack_training.checkpoints import HISTORY, seal
from tunestack_training.failure import JobError
from tunestack_training.peak_memory import peak_memory
from tunestack_training.progress import Progress

TOKENS = "num_tokens"
# A model that knows nothing has a loss of the logarithm of its vocabulary.
TIMES_WORSE_THAN_GUESSING = 3
log = logging.getLogger(__name__)


class LogMetrics(TrainerCallback):
    """A line per logging step, `step 10/90: {'loss': 3.2, …}`: SageMaker reads its metrics off it."""

    def __init__(self) -> None:
        self.history: list[dict[str, float]] = []
        self._tokens_before = 0.0

    def go_on_from(self, checkpoint: Path) -> None:
        """Begin with what was measured up to a checkpoint."""
        file = checkpoint / HISTORY
        self.history = json.loads(file.read_text(encoding="utf-8")) if file.exists() else []
        # TRL counts from nothing again.
        self._tokens_before = max((item.get(TOKENS, 0.0) for item in self.history), default=0.0)

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        figures = {name: round(float(value), 6) for name, value in (logs or {}).items() if _is_number(value)}
        if TOKENS in figures:
            figures[TOKENS] += self._tokens_before
        figures |= peak_memory()
        self.history.append({"step": state.global_step, **figures})
        log.info("step %d/%d: %s", state.global_step, state.max_steps, figures)


class SayProgress(TrainerCallback):
    """Says how many steps are done, between two lines of metrics too."""

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._progress = Progress(state.max_steps, "steps")

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._progress.reach(state.global_step)


class SealCheckpoints(TrainerCallback):
    """Writes the metrics so far into each checkpoint, and its manifest once the checkpoint is whole."""

    def __init__(self, metrics: LogMetrics) -> None:
        self._metrics = metrics

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        checkpoint = Path(args.output_dir) / f"checkpoint-{state.global_step}"
        write_history(checkpoint / HISTORY, self._metrics.history)
        seal(checkpoint)
        log.info("checkpoint of step %d saved", state.global_step)


class EndOnBrokenLoss(TrainerCallback):
    """Ends the training before the step that a broken loss would go into: the weights would be lost by it.

    Broken is nan, inf, and what is far worse than guessing. The Trainer itself would say 0.0 of a loss that is nan,
    train to the end, and replace the good checkpoints.
    """

    def __init__(self) -> None:
        self._seen: list[tuple[Any, Any]] = []
        self._most = math.inf
        self._rows: Any = None

    def watch(self, rows: Any, vocabulary: int) -> None:
        """What is trained on, and how many tokens there are to choose from."""
        self._rows, self._most = rows, TIMES_WORSE_THAN_GUESSING * math.log(vocabulary)

    def see(self, loss: Any, token_ids: Any) -> None:
        """A batch with its loss; they are looked at once a step, so that the GPU isn't waited for at each."""
        self._seen.append((loss.detach(), token_ids))

    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        seen = [(float(loss), token_ids) for loss, token_ids in self._seen]
        self._seen.clear()
        # A batch's loss is its share of the step's.
        bad = [(value, ids) for value, ids in seen if not value * len(seen) <= self._most]
        if bad:
            numbers = sorted({number for _, ids in bad for number in self._numbers_of(ids)})
            rows = f"It comes of the rows {', '.join(map(str, numbers))} of the training split. " if numbers else ""
            raise JobError(
                f"the loss of step {state.global_step + 1} of {state.max_steps} is {bad[0][0]}: nothing can be learned "
                f"from it any more. {rows}Lower training.learning_rate, or look for rows without an answer. "
                "Checkpoints of earlier steps are as they were; with another learning rate the training begins anew"
            )

    def _numbers_of(self, token_ids: Any) -> list[int]:
        """The numbers, from 1, of the rows in a batch, by their tokens; of packed ones, those of the sequences."""
        if self._rows is None:
            return []
        wanted = [tuple(ids) for ids in token_ids.tolist()]
        return [
            number
            for number, ids in enumerate(self._rows["input_ids"], start=1)
            if any(tuple(ids) == batch[: len(ids)] for batch in wanted)
        ]


class StopOnSigterm(TrainerCallback):
    """SIGTERM (a stop, a time limit, a spot interruption) → a checkpoint after the current step, then the end.

    transformers would return as if the training were done: `stopped` says that it isn't.
    """

    def __init__(self) -> None:
        self.stopped = False
        signal.signal(signal.SIGTERM, self._remember)

    def _remember(self, *_: Any) -> None:
        self.stopped = True

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if self.stopped:
            control.should_save = True
            control.should_training_stop = True


def write_history(file: Path, history: list[dict[str, float]]) -> None:
    """Keep the metrics beside the model."""
    file.write_text(json.dumps(history, indent=1), encoding="utf-8")


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True
