"""Train: QLoRA (or LoRA) supervised fine-tuning with TRL, resumed from the newest checkpoint if there is one."""

import json
import logging
import math
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tunestack_training import checkpoints, contract, digests
from tunestack_training.base_model import compute_dtype, load_base_model
from tunestack_training.failure import JobError, Stopped
from tunestack_training.options import RECIPE_FILE, recipe_from_options
from tunestack_training.peak_memory import peak_memory
from tunestack_training.prepare import ROWS_FILE
from tunestack_training.recipe import Recipe
from tunestack_training.tokenizer import load_tokenizer
from tunestack_training.tokens_file import write_tokens

log = logging.getLogger(__name__)


def run(options: Mapping[str, str]) -> None:
    """Run a training job: its recipe is its hyperparameters."""
    recipe = recipe_from_options({**contract.hyperparameters(), **options})
    train_rows, validation_rows = (contract.channel(name) / ROWS_FILE for name in ("train", "validation"))
    for file in (train_rows, validation_rows):
        if not file.exists():
            raise JobError(f"no {file.name} in channel {file.parent.name!r}: it must be an output of PrepareData")
    read = {
        "base_model": digests.folder_sha256(contract.channel("base-model")),
        "train": digests.file_sha256(train_rows),
    }
    output = contract.checkpoint_folder() / checkpoints.training_identity(recipe, read)
    if finished := checkpoints.finished_model(output):
        log.info("this training has ended before: its result is used and nothing is trained; --fresh trains again")
        take_finished(recipe, finished)
        return
    trainer, callbacks = build_trainer(recipe, train_rows, validation_rows, output)
    explain(recipe, trainer)
    log.info("loaded and ready to train: %s", peak_memory())
    resume_from = checkpoints.newest_complete(output)
    if resume_from:
        callbacks["metrics"].go_on_from(resume_from)
    if resume_from and checkpoints.is_finished(resume_from):
        log.info("%s is of the last step: it is loaded, and nothing is trained; --fresh trains again", resume_from.name)
        load_finished(trainer, resume_from)
    else:
        train(trainer, resume_from, callbacks["stop"])
    check_evaluation(trainer.evaluate())
    save(recipe, trainer, callbacks["metrics"].history, read)
    checkpoints.keep_finished(contract.model_folder(), output)


def check_evaluation(figures: Mapping[str, float]) -> None:
    """See that the trained model has a loss on the validation rows.

    Raises:
        JobError: it is nan or inf.
    """
    loss = figures.get("eval_loss", math.nan)
    if not math.isfinite(loss):
        raise JobError(
            f"the trained model's loss on the validation rows is {loss}: it is of no use, and isn't kept. Lower "
            "training.learning_rate, or look for validation rows without an answer"
        )


def train(trainer: Any, resume_from: Path | None, stop: Any) -> None:
    """Train to the end, from a checkpoint if there is one.

    Raises:
        Stopped: SIGTERM came before.
    """
    if resume_from:
        log.info("resuming from %s", resume_from.name)
    trainer.train(resume_from_checkpoint=str(resume_from) if resume_from else None)
    if stop.stopped:
        raise Stopped(
            f"stopped at step {trainer.state.global_step} of {trainer.state.max_steps} by SIGTERM; the checkpoint is "
            "kept: started again, the training goes on from there"
        )


def take_finished(recipe: Recipe, finished: Path) -> None:
    """Leave what the same training left before, under this job's recipe; its metrics are said again."""
    folder = contract.model_folder()
    shutil.copytree(finished, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns(checkpoints.MANIFEST))
    contract.write_json(folder / RECIPE_FILE, recipe.model_dump())
    history = json.loads((folder / checkpoints.HISTORY).read_text(encoding="utf-8"))
    steps = max((item["step"] for item in history), default=0)
    for item in history:
        log.info("step %d/%d: %s", item["step"], steps, {name: value for name, value in item.items() if name != "step"})


def load_finished(trainer: Any, checkpoint: Path) -> None:
    """Bring the trainer to where a finished training's checkpoint has it."""
    from peft import set_peft_model_state_dict
    from safetensors.torch import load_file
    from transformers import TrainerState

    set_peft_model_state_dict(trainer.model, load_file(checkpoint / "adapter_model.safetensors"))
    trainer.state = TrainerState.load_from_json(str(checkpoint / checkpoints.TRAINER_STATE))


def build_trainer(recipe: Recipe, train_rows: Path, validation_rows: Path, output: Path) -> tuple[Any, dict[str, Any]]:
    """The trainer, and its callbacks by name."""
    import torch
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import PrinterCallback, ProgressCallback
    from trl import SFTTrainer

    from tunestack_training.callbacks import EndOnBrokenLoss, LogMetrics, SayProgress, SealCheckpoints, StopOnSigterm

    # It warns with the end of a row's question.
    logging.getLogger("trl.trainer.sft_trainer").setLevel(logging.ERROR)
    torch.manual_seed(recipe.training.seed)
    metrics = LogMetrics()
    callbacks = {
        "metrics": metrics,
        "progress": SayProgress(),
        "seal": SealCheckpoints(metrics),
        "stop": StopOnSigterm(),
    }
    broken = EndOnBrokenLoss()

    class Trainer(SFTTrainer):  # type: ignore[misc]
        """TRL's, which shows each batch's loss."""

        def training_step(self, model: Any, inputs: Any, *arguments: Any, **options: Any) -> Any:
            loss = super().training_step(model, inputs, *arguments, **options)
            broken.see(loss, inputs["input_ids"])
            return loss

    folder = contract.channel("base-model")
    tokenizer = load_tokenizer(folder)
    tokens = tempfile.TemporaryDirectory()
    trainer = Trainer(
        model=load_base_model(folder, recipe),
        args=sft_config(recipe, output),
        train_dataset=Dataset.from_file(str(write_tokens(train_rows, tokenizer, Path(tokens.name) / "train.arrow"))),
        eval_dataset=Dataset.from_file(
            str(write_tokens(validation_rows, tokenizer, Path(tokens.name) / "validation.arrow"))
        ),
        processing_class=tokenizer,
        peft_config=LoraConfig(**recipe.lora.model_dump(), bias="none", task_type="CAUSAL_LM"),
        callbacks=[*callbacks.values(), broken],
    )
    # They are read from the disk, and taken away with the trainer.
    trainer.tokens_folder = tokens
    broken.watch(trainer.train_dataset, trainer.model.config.get_text_config().vocab_size)
    for replaced in (PrinterCallback, ProgressCallback):
        trainer.remove_callback(replaced)
    # TRL trains a QLoRA adapter in bfloat16 and resuming loads float32: in float32 all along, a resumed
    # training gives the very weights that an uninterrupted one gives.
    for parameter in trainer.model.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()
    return trainer, callbacks


def sft_config(recipe: Recipe, output: Path) -> Any:
    """TRL's configuration; the recipe's training section has its names."""
    import torch
    from trl import SFTConfig

    settings = recipe.training.model_dump()
    undecided = [key for key, value in settings.items() if value == "auto"]
    if undecided:
        raise JobError(f"training.{', training.'.join(undecided)}: auto is decided at synth; a container needs numbers")
    on_gpu = torch.cuda.is_available()
    return SFTConfig(
        **settings,
        output_dir=str(output),
        per_device_eval_batch_size=recipe.training.per_device_train_batch_size,
        gradient_checkpointing_kwargs={"use_reentrant": False} if recipe.training.gradient_checkpointing else None,
        bf16=on_gpu and compute_dtype(recipe) == torch.bfloat16,
        # With a scaler: small gradients would vanish otherwise.
        fp16=on_gpu and compute_dtype(recipe) == torch.float16,
        use_cpu=not on_gpu,
        save_strategy="steps",
        eval_strategy="no",
        report_to="none",
        disable_tqdm=True,
        # It would say 0.0 of a loss that is nan.
        logging_nan_inf_filter=False,
        logging_first_step=True,
        data_seed=recipe.training.seed,
    )


def explain(recipe: Recipe, trainer: Any) -> None:
    """Log every derived number with the reason for it."""
    training = recipe.training
    trainable = sum(parameter.numel() for parameter in trainer.model.parameters() if parameter.requires_grad)
    chosen = trainer.args
    batch = chosen.per_device_train_batch_size * chosen.gradient_accumulation_steps * chosen.world_size
    row_count = len(trainer.train_dataset)
    log.info("trainable parameters: %s (rank %d on %s)", f"{trainable:,}", recipe.lora.r, recipe.lora.target_modules)
    log.info(
        "rows a step: %d = %d rows × %d accumulated × %d processes",
        batch,
        training.per_device_train_batch_size,
        training.gradient_accumulation_steps,
        trainer.args.world_size,
    )
    if training.max_steps > 0:
        epochs = training.max_steps * batch / row_count
        log.info("steps: %d, as max_steps says (%.2f epochs)", training.max_steps, epochs)
    else:
        steps = -(-row_count // batch) * training.num_train_epochs
        log.info("steps: about %d = %d rows / %d × %g epochs", steps, row_count, batch, training.num_train_epochs)


def save(recipe: Recipe, trainer: Any, history: list[dict[str, float]], read: Mapping[str, str]) -> None:
    """Leave the adapter as the job's model, with its tokenizer, recipe and metrics, and what it was made from."""
    from tunestack_training.callbacks import write_history

    folder = contract.model_folder()
    folder.mkdir(parents=True, exist_ok=True)
    trainer.model.save_pretrained(folder)
    trainer.processing_class.save_pretrained(folder)
    contract.write_json(folder / RECIPE_FILE, recipe.model_dump())
    contract.write_json(folder / digests.MADE_FROM_FILE, dict(read))
    write_history(folder / checkpoints.HISTORY, history)
    _name_base_model(folder / "adapter_config.json", recipe)
    shutil.rmtree(folder / "runs", ignore_errors=True)
    log.info("adapter saved after %d steps", trainer.state.global_step)


def _name_base_model(file: Path, recipe: Recipe) -> None:
    """Name the base by its id, not by the container's path."""
    config = json.loads(file.read_text(encoding="utf-8"))
    config["base_model_name_or_path"] = recipe.model.name_or_path
    config["revision"] = recipe.model.revision
    contract.write_json(file, config)
