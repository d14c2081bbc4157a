"""What follows from an environment's settings is worked out once a synthesis, and passed down."""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import App
from tunestack_cdk import defined_pipeline as construct

import app as tunestack_app
from tests.conftest import ROOT
from tunestack.costs import workload
from tunestack.planning import blueprint
from tunestack.sizing.model import model_source

# Where each thing is made: module, and the name that it is called by there.
MADE = (
    (workload, "job_of_recipe"),
    (model_source, "from_config"),
    (blueprint, "run_cost"),
    (blueprint, "fine_tuning_pipeline"),
    (construct, "refused"),
)


def test_a_synthesis_works_out_each_thing_once(monkeypatch: pytest.MonkeyPatch) -> None:
    counted: Counter[str] = Counter()

    def counting(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            counted[name] += 1
            return function(*arguments, **options)

        return call

    for module, name in MADE:
        monkeypatch.setattr(module, name, counting(name, getattr(module, name)))
    context = {**json.loads((ROOT / "cdk.json").read_text())["context"], "env": "prod"}
    tunestack_app.build(App(context=context))
    assert counted == dict.fromkeys((name for _, name in MADE), 1)
