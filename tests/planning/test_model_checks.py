"""What transformers, PEFT and TRL would refuse in a paid job is refused at synth."""

from typing import Any

import pytest

from tests.changed_settings import changed, changed_blueprint
from tunestack.planning.blueprint import blueprint_of
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


def test_an_adapter_needs_a_linear_that_the_model_has() -> None:
    found = problems(lora={"target_modules": ["q_proj", "qkv", "lm_head"]})
    assert "has no linear 'qkv' that an adapter could sit on; it has down_proj, gate_proj, k_proj" in found
    assert "lm_head can't have an adapter" in found and "'q_proj'" not in found


def test_a_module_s_longer_name_is_taken_as_peft_takes_it() -> None:
    assert blueprint_of(changed(recipe={"lora": {"target_modules": ["self_attn.q_proj", "v_proj"]}}))
