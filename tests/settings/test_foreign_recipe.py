"""Another trainer's recipe: each value at its place, none lost in silence, and no other method taken for SFT."""

from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from tunestack_training.recipe import Recipe

from tunestack.cli.import_recipe import import_command
from tunestack.errors import UserError
from tunestack.settings.foreign_keys import NO_PLACE, PLACES
from tunestack.settings.foreign_recipe import import_recipe
from tunestack.settings.recipe import load_recipe

AXOLOTL = """
base_model: meta-llama/Llama-3.1-8B
load_in_4bit: true
adapter: qlora
datasets:
  - {path: my/data.jsonl, type: alpaca}
val_set_size: 0.05
sequence_len: 2048
sample_packing: true
lora_r: 32
lora_target_linear: true
micro_batch_size: 2
optimizer: paged_adamw_32bit
learning_rate: 2e-4
bf16: auto
train_on_inputs: false
something_new: 1
"""
LLAMA_FACTORY = """
model_name_or_path: meta-llama/Meta-Llama-3-8B-Instruct
stage: sft
finetuning_type: lora
lora_rank: 8
lora_target: q_proj,v_proj
dataset: identity,alpaca_en_demo
template: llama3
cutoff_len: 2048
warmup_ratio: 0.1
num_train_epochs: 3.0
"""
TRL = """
model: {name_or_path: a/b, revision: main}
data: {name: x}
lora: {r: 16, use_dora: false, target_modules: "q_proj,k_proj"}
training: {max_seq_length: 512, lr_scheduler_type: cosine_with_min_lr, assistant_only_loss: true, save_strategy: epoch}
"""


def made_of(text: str, folder: Path) -> tuple[Recipe, str]:
    (folder / "theirs.yaml").write_text(text)
    imported = import_recipe(folder / "theirs.yaml")
    (folder / "ours.yaml").write_text(imported.text)
    return load_recipe(folder / "ours.yaml", name="ours.yaml"), "\n".join(imported.notes)


def test_axolotl(tmp_path: Path) -> None:
    recipe, notes = made_of(AXOLOTL, tmp_path)
    assert (recipe.model.name_or_path, recipe.model.revision, recipe.data.name) == (
        "meta-llama/Llama-3.1-8B",
        "main",
        "data",
    )
    assert recipe.quantization.load_in_4bit and recipe.lora.r == 32 and recipe.lora.target_modules == "all-linear"
    training = recipe.training
    assert (training.max_length, training.packing, training.per_device_train_batch_size) == (2048, True, 2)
    assert (training.optim, training.learning_rate, training.completion_only_loss) == ("adamw_torch", 2e-4, True)
    # What became of each key that isn't there as it was.
    named = [line.partition(":")[0] for line in notes.splitlines()]
    assert set(yaml.safe_load(AXOLOTL)) <= {*named}
    assert "something_new: left out; nothing here is called so: look whether it matters" in notes


def test_llama_factory_leaves_the_base_as_it_is(tmp_path: Path) -> None:
    recipe, notes = made_of(LLAMA_FACTORY, tmp_path)
    assert not recipe.quantization.load_in_4bit and recipe.lora.target_modules == ["q_proj", "v_proj"]
    assert (
        recipe.data.name == "identity" and recipe.training.warmup_steps == 0.1 and recipe.training.num_train_epochs == 3
    )
    assert "template: left out; the model's own chat template" in notes


def test_fields_that_trl_calls_otherwise(tmp_path: Path) -> None:
    recipe, notes = made_of(TRL, tmp_path)
    assert recipe.lora.target_modules == ["q_proj", "k_proj"] and recipe.training.max_length == 512
    assert recipe.data.assistant_turns == "all" and "training.save_strategy: left out" in notes


@pytest.mark.parametrize("line", ["stage: dpo", "finetuning_type: full", "adapter: ia3", "rl: kto"])
def test_another_method_is_refused(line: str, tmp_path: Path) -> None:
    (tmp_path / "theirs.yaml").write_text(f"model_name_or_path: a/b\n{line}\n")
    with pytest.raises(UserError, match=f"{line} isn't trained by this kit"):
        import_recipe(tmp_path / "theirs.yaml")


def test_what_comes_of_it_is_refused_by_its_key(tmp_path: Path) -> None:
    (tmp_path / "theirs.yaml").write_text("base_model: a/b\nlora_r: -3\noptimizer: lion_8bit\n")
    with pytest.raises(UserError, match=r"(?s)lora\.r.*training\.optim.*must be one of"):
        import_recipe(tmp_path / "theirs.yaml")


def test_a_foreign_key_in_a_recipe_says_its_place(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(
        "model: {name_or_path: a/b, revision: main}\ndata: {name: x}\nlora_r: 8\nbf16: true\n"
    )
    with pytest.raises(UserError, match=r"(?s)its place is lora\.r; `tunestack import FILE`.*the GPU's own best type"):
        load_recipe(tmp_path / "a.yaml", name="a.yaml")


def test_every_place_is_a_field_and_nothing_has_two_fates() -> None:
    fields = {f"{name}.{key}" for name, info in Recipe.model_fields.items() for key in info.annotation.model_fields}  # type: ignore[union-attr]
    assert {*PLACES.values()} <= fields
    assert {*PLACES} & {*NO_PLACE} <= {"adapter"}


def test_the_command_writes_nothing_over_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "theirs.yaml").write_text(LLAMA_FACTORY)
    out = tmp_path / "mine.yaml"
    done = CliRunner().invoke(import_command, [str(tmp_path / "theirs.yaml"), "--out", str(out)])
    assert done.exit_code == 0 and load_recipe(out, name="mine").lora.r == 8
    again = CliRunner().invoke(import_command, [str(tmp_path / "theirs.yaml"), "--out", str(out)])
    assert again.exit_code != 0 and "is there already" in again.output
