"""Train, for real, on a tiny model: what a training leaves, and goes on from, and refuses."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import TRAINING, conversations, training_inputs
from safetensors.torch import load_file
from transformers import TrainerCallback, TrainerState
from tunestack_training import checkpoints, train
from tunestack_training.__main__ import main
from tunestack_training.base_model import check_model_folder, load_base_model
from tunestack_training.callbacks import EndOnBrokenLoss
from tunestack_training.encoding import Encoder
from tunestack_training.failure import JobError
from tunestack_training.options import read_recipe, recipe_from_options
from tunestack_training.tokenizer import load_tokenizer

CODE = Path(__file__).parents[2] / "training_code"


def test_training_lowers_the_loss_and_leaves_adapter_tokenizer_recipe_and_metrics(adapter: Path) -> None:
    history = json.loads((adapter / "metrics.json").read_text())
    losses = [item["loss"] for item in history if "loss" in item]
    assert losses[-1] < losses[0] - 0.1
    assert read_recipe(adapter)["quantization"]["load_in_4bit"] is True
    config = json.loads((adapter / "adapter_config.json").read_text())
    assert (config["base_model_name_or_path"], config["revision"]) == ("tiny/model", "main")


def test_a_stopped_training_keeps_a_checkpoint_and_resumes_to_the_same_weights(
    adapter: Path, tiny_model: Path, ml: Path
) -> None:
    # GIVEN a training that is told to stop after its first step
    training_inputs(ml, tiny_model, TRAINING)
    command = [sys.executable, "-m", "tunestack_training", "train"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(CODE), *sys.path]), "PYTHONUNBUFFERED": "1"}
    job = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert job.stdout is not None
    for line in job.stdout:
        if "step 1/6" in line:
            job.send_signal(signal.SIGTERM)
    # THEN it says so, and it isn't taken for done
    assert job.wait() == 143
    assert "the training goes on from there" in (ml / "output" / "failure").read_text()
    assert not (ml / "model").exists()
    # WHEN it is started again, beside a checkpoint that was cut off
    folder = next((ml / "checkpoints").iterdir())
    done = checkpoints.newest_complete(folder)
    assert done is not None
    shutil.copytree(done, folder / "checkpoint-5")
    (folder / "checkpoint-5" / "trainer_state.json").write_text("{")
    (folder / "checkpoint-best").mkdir()
    train.run({})
    resumed, whole = (
        [
            (item["step"], item["num_tokens"])
            for item in json.loads((place / "metrics.json").read_text())
            if "loss" in item
        ]
        for place in (ml / "model", adapter)
    )
    assert resumed == whole and [step for step, _ in whole] == [1, 2, 3, 4, 5, 6]
    # THEN it has gone on from the complete one, to the very weights of the uninterrupted training
    first, second = (load_file(place / "adapter_model.safetensors") for place in (adapter, ml / "model"))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_a_finished_training_is_not_trained_on_but_loaded_with_its_metrics(
    tiny_model: Path, ml: Path, caplog: pytest.LogCaptureFixture
) -> None:
    # GIVEN a training that has ended
    constant = {**TRAINING, "training.lr_scheduler_type": "constant"}
    training_inputs(ml, tiny_model, constant)
    train.run({})
    first = {name: (ml / "model" / name).read_bytes() for name in ("adapter_model.safetensors", "metrics.json")}
    (kept,) = (ml / "checkpoints").glob("*/finished")
    # WHEN it is started again, with another evaluation, and again where only its checkpoints were kept
    for said in (
        "this training has ended before: its result is used",
        "checkpoint-6 is of the last step: it is loaded",
    ):
        shutil.rmtree(ml / "model")
        with caplog.at_level("INFO"):
            train.run({"evaluation.max_rows": "7"})
        # THEN it gives the very same model, under its own recipe, says so, and has trained nothing
        for name, content in first.items():
            assert (ml / "model" / name).read_bytes() == content or (name == "metrics.json" and "loaded" in said)
        assert read_recipe(ml / "model")["evaluation"]["max_rows"] == 7
        assert not (ml / "model" / "manifest.json").exists()
        assert said in caplog.text and "step 6/6: {" in caplog.text
        shutil.rmtree(kept)
    steps = [item["step"] for item in json.loads((ml / "model" / "metrics.json").read_text()) if "loss" in item]
    assert steps == [item["step"] for item in json.loads(first["metrics.json"]) if "loss" in item] == [1, 2, 3, 4, 5, 6]
    assert sorted(path.name for path in (ml / "checkpoints").glob("*/checkpoint-*")) == [
        "checkpoint-4",
        "checkpoint-6",
    ]


def test_only_what_shapes_the_training_makes_it_another() -> None:
    def identity(read: str = "1", **changed: str) -> str:
        recipe = recipe_from_options({**TRAINING, **changed})
        return checkpoints.training_identity(recipe, {"base_model": read, "train": "0"})

    same = {
        "evaluation.max_rows": "7",
        "inference.temperature": "1",
        "training.logging_steps": "3",
        "data.name": "other",
    }
    assert all(identity(**{name: value}) == identity() for name, value in same.items())
    other = {"training.seed": "1", "lora.r": "4", "quantization.load_in_4bit": "false", "model.revision": "v2"}
    # Another content of the base model or of the data, too, whatever it is called.
    different = {identity(**{name: value}) for name, value in other.items()} | {identity(), identity(read="2")}
    assert len(different) == 6


def test_gradients_are_the_same_before_and_after_an_evaluation(tiny_model: Path) -> None:
    recipe = recipe_from_options(TRAINING)
    model = load_base_model(tiny_model, recipe)
    tokens = torch.arange(2, 34, device=model.device).reshape(1, 32)
    embeddings = model.get_input_embeddings()(tokens).detach().requires_grad_()

    def gradient() -> torch.Tensor:
        embeddings.grad = None
        model.train()(inputs_embeds=embeddings, labels=tokens).loss.backward()
        return embeddings.grad.clone()

    before = gradient()
    with torch.no_grad():
        model.eval()(tokens)
    assert torch.equal(before, gradient())


def test_an_answer_begins_where_trl_has_it_begin(tiny_model: Path) -> None:
    from trl.data_utils import common_prefix_length

    tokenizer = load_tokenizer(tiny_model)
    # A template that opens an empty think block for the answer, and shows none in a whole conversation.
    tokenizer.chat_template = (
        "{% for m in messages %}{{ m['role'] + ': ' + m['content'] + '\n' }}{% endfor %}"
        "{% if add_generation_prompt %}{{ 'assistant: <think> </think> ' }}{% endif %}"
    )
    (row,) = conversations(1)
    tokens, start, _ = Encoder(tokenizer).one(row["prompt"], row["completion"])
    asked = tokenizer(
        tokenizer.apply_chat_template(row["prompt"], tokenize=False, add_generation_prompt=True),
        add_special_tokens=False,
    )["input_ids"]
    assert start == common_prefix_length(asked, tokens)
    assert row["completion"][0]["content"].split()[0] in tokenizer.decode(tokens[start:])


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        pytest.param(
            *("quantization.bnb_4bit_compute_dtype", "float16", "float16 needs a GPU"),
            marks=pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has one"),
        ),
        ("model.attn_implementation", "flash_attention_2", "choose sdpa"),
    ],
)
def test_what_this_machine_can_t_compute_is_refused(option: str, value: str, message: str, tiny_model: Path) -> None:
    with pytest.raises(JobError, match=message):
        load_base_model(tiny_model, recipe_from_options({**TRAINING, option: value}))


@pytest.mark.parametrize(("option", "value"), [("training.max_steps", "0"), ("training.save_total_limit", "1")])
def test_odd_settings_are_refused(option: str, value: str) -> None:
    with pytest.raises(JobError, match=option):
        recipe_from_options({**TRAINING, option: value})


def test_a_failure_is_in_the_failure_file_and_the_exit_code(ml: Path) -> None:
    assert main(["prepare", "--set", "model.name_or_path", "a/b", "--set", "trainin.seed", "1"]) == 1
    reason = (ml / "output" / "failure").read_text()
    assert "data: Field required" in reason and "trainin" in reason


def test_a_model_folder_without_weights_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(JobError, match="no weights"):
        check_model_folder(tmp_path)


def test_values_of_the_wrong_type_are_all_named() -> None:
    with pytest.raises(JobError) as error:
        recipe_from_options({**TRAINING, "lora.r": "zero", "training.seed": "-1"})
    assert "lora.r" in str(error.value) and "training.seed" in str(error.value)


@pytest.mark.parametrize(("breaks_after", "kept"), [(0, []), (3, ["checkpoint-2"])])
def test_a_loss_that_is_no_number_ends_the_training_before_it_costs_weights_or_checkpoints(
    breaks_after: int, kept: list[str], tiny_model: Path, ml: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    training_inputs(ml, tiny_model, TRAINING)

    class Breaks(TrainerCallback):  # type: ignore[misc]
        def on_step_begin(self, args: object, state: TrainerState, control: object, **given: Any) -> None:
            if state.global_step == breaks_after:
                next(iter(given["model"].parameters())).data.fill_(float("nan"))

    build = train.build_trainer

    def built(*given: Any) -> Any:
        trainer, callbacks = build(*given)
        trainer.add_callback(Breaks())
        return trainer, callbacks

    monkeypatch.setattr(train, "build_trainer", built)
    assert main(["train"]) == 1
    reason = (ml / "output" / "failure").read_text()
    assert f"the loss of step {breaks_after + 1} of 6 is nan" in reason and "training.learning_rate" in reason
    # Which rows, by their numbers, and nothing of what they say.
    assert re.search(r"comes of the rows \d+, \d+ of the training split", reason) and "function" not in reason
    (folder,) = (ml / "checkpoints").glob("*") if kept else (ml,)
    assert [item.name for item in sorted(folder.glob("checkpoint-*"))] == kept
    assert not (ml / "model").exists()


@pytest.mark.parametrize(("loss", "is_broken"), [(5.0, False), (17.0, False), (19.0, True), (float("inf"), True)])
def test_a_loss_far_worse_than_guessing_ends_the_training(loss: float, is_broken: bool) -> None:
    ends = EndOnBrokenLoss()
    ends.watch({"input_ids": [[1, 2, 3], [4, 5]]}, vocabulary=400)
    for share in (0.5, 0.5):
        ends.see(torch.tensor(loss * share), torch.tensor([[4, 5, 0]]))
    with pytest.raises(JobError, match="comes of the rows 2 of the") if is_broken else nullcontext():
        ends.on_pre_optimizer_step(None, TrainerState(global_step=1, max_steps=5), None)


@pytest.mark.parametrize("loss", [float("nan"), float("inf")])
def test_a_trained_model_without_a_loss_is_not_kept(loss: float) -> None:
    train.check_evaluation({"eval_loss": 1.0})
    with pytest.raises(JobError, match="loss on the validation rows is nan"):
        train.check_evaluation({})
    with pytest.raises(JobError, match=f"loss on the validation rows is {loss}"):
        train.check_evaluation({"eval_loss": loss})
