"""What transformers, PEFT and TRL would refuse in a paid job is refused at synth."""

from typing import Any

import pytest
from click.testing import CliRunner

from tests.changed_settings import changed, changed_blueprint
from tunestack.cli import settings as settings_command
from tunestack.cli.main import tunestack
from tunestack.planning.blueprint import blueprint_of
from tunestack.settings import recipe as recipes
from tunestack.settings.problems import SettingsError

GEMMA_2 = {"name_or_path": "google/gemma-2-2b", "revision": "main"}


def problems(**recipe: Any) -> str:
    with pytest.raises(SettingsError) as refused:
        blueprint_of(changed(recipe=recipe))
    return str(refused.value)


@pytest.mark.parametrize("name", ["google/gemma-2-2b", "openai/gpt-oss-20b"])
def test_a_model_without_sdpa_is_refused_with_the_kernel_that_it_has(name: str) -> None:
    found = problems(model={**GEMMA_2, "name_or_path": name})
    assert f"model.attn_implementation: {name} has no sdpa kernel in transformers; choose eager" in found


def test_with_eager_it_is_planned() -> None:
    assert changed_blueprint(recipe={"model": {**GEMMA_2, "attn_implementation": "eager"}}).run.expected_usd


def test_four_bits_that_bitsandbytes_would_never_get_are_refused() -> None:
    falcon = {"name_or_path": "tiiuae/falcon-7b", "revision": "main"}
    found = problems(model=falcon)
    assert "quantization.load_in_4bit: bitsandbytes gets none of tiiuae/falcon-7b's linears" in found
    assert changed_blueprint(recipe={"model": falcon, "quantization": {"load_in_4bit": False}}).run.expected_usd


def test_an_adapter_needs_a_linear_that_the_model_has() -> None:
    found = problems(lora={"target_modules": ["q_proj", "qkv", "lm_head"]})
    assert "has no linear 'qkv' that an adapter could sit on; it has down_proj, gate_proj, k_proj" in found
    assert "lm_head can't have an adapter" in found and "'q_proj'" not in found


def test_experts_are_named_as_they_were_and_joined_ones_together() -> None:
    experts = {"name_or_path": "Qwen/Qwen3-30B-A3B", "revision": "main"}
    found = problems(model=experts, lora={"target_modules": ["q_proj", "gate_proj"]})
    assert "PEFT refuses gate_proj without up_proj: transformers joins the experts' gate_proj and up_proj" in found
    mixtral = problems(
        model={**experts, "name_or_path": "mistralai/Mixtral-8x7B-v0.1"}, lora={"target_modules": ["gate_proj"]}
    )
    assert "has no linear 'gate_proj' that an adapter could sit on; it has gate, k_proj, o_proj" in mixtral


def test_adapters_on_joined_experts_have_no_dropout() -> None:
    experts = {"name_or_path": "Qwen/Qwen3-30B-A3B", "revision": "main"}
    assert "lora.lora_dropout: must be 0: PEFT has no dropout" in problems(model=experts, lora={"lora_dropout": 0.05})
    attention = {"target_modules": ["q_proj", "v_proj"], "lora_dropout": 0.05}
    assert blueprint_of(changed(recipe={"model": experts, "lora": attention}))


def test_a_module_s_longer_name_is_taken_as_peft_takes_it() -> None:
    assert blueprint_of(changed(recipe={"lora": {"target_modules": ["self_attn.q_proj", "v_proj"]}}))


def test_settings_check_and_plan_refuse_what_a_synthesis_would(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = changed(recipe={"model": GEMMA_2})
    monkeypatch.setattr(settings_command, "load_settings", lambda _: wrong)
    monkeypatch.setattr(recipes, "find_recipe", lambda _: wrong.recipe)
    for command in (["settings", "check", "--env", "prod"], ["plan", "mine"]):
        done = CliRunner().invoke(tunestack, command)
        assert isinstance(done.exception, SettingsError) and "choose eager" in str(done.exception)


def test_settings_check_says_what_would_cost_too_much_and_lets_it_be_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    dear = changed(budget={"run_usd": 1.0})
    monkeypatch.setattr(settings_command, "load_settings", lambda _: dear)
    refused = CliRunner().invoke(tunestack, ["settings", "check", "--env", "prod"])
    assert "budget.run_usd: a run is expected to cost" in str(refused.exception)
    allowed = CliRunner().invoke(tunestack, ["settings", "check", "--env", "prod", "--allow", "budget"])
    assert allowed.exit_code == 0 and "waived by --allow budget: config/" in allowed.output
