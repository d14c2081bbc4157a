"""Tickets → JSON with the real small model: what passes the gate is right, and what is wrong doesn't, however low its loss."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from tunestack_training import contract, evaluate, prepare, train

ROOT = Path(__file__).parents[2]
RECIPE = ROOT / "config" / "recipes" / "smollm2-135m-tickets.yaml"
ROWS = 200


def options(**changed: object) -> dict[str, str]:
    """The recipe as a job gets it."""
    sections: dict[str, dict[str, Any]] = yaml.safe_load(RECIPE.read_text(encoding="utf-8"))
    dotted = {f"{section}.{key}": value for section, fields in sections.items() for key, value in fields.items()}
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in (dotted | changed).items()}


@pytest.fixture(scope="module")
def base_model() -> Path:
    sys.path.insert(0, str(ROOT))
    from demo.pretrained import pretrained_model

    return pretrained_model()


@pytest.fixture(scope="module")
def prepared(base_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from demo.make_tickets import tickets

    ml = tmp_path_factory.mktemp("tickets")
    data = ml / "processing" / "input" / "data"
    data.mkdir(parents=True)
    (data / "tickets.jsonl").write_text("".join(json.dumps(row) + "\n" for row in tickets(ROWS)))
    (ml / "processing" / "input" / "base-model").symlink_to(base_model)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TUNESTACK_ML_FOLDER", str(ml))
        prepare.run({key: value for key, value in options().items() if key.startswith(("model.", "data."))})
    return ml


def trained_and_judged(prepared: Path, ml: Path, **changed: object) -> dict[str, Any]:
    """What the evaluation says of a model that was trained by the recipe, with some of it changed."""
    made, inputs = prepared / "processing" / "output", ml / "processing" / "input"
    (ml / "input" / "config").mkdir(parents=True)
    (ml / "input" / "config" / "hyperparameters.json").write_text(json.dumps(options(**changed)))
    inputs.mkdir(parents=True)
    (ml / "input" / "data").mkdir()
    for name in ("train", "validation"):
        (ml / "input" / "data" / name).symlink_to(made / name)
    (ml / "input" / "data" / "base-model").symlink_to(prepared / "processing" / "input" / "base-model")
    train.run({})
    (inputs / "base-model").symlink_to(prepared / "processing" / "input" / "base-model")
    (inputs / "adapter").symlink_to(ml / "model")
    (inputs / "questions").mkdir()
    for name in ("test", "general"):
        (inputs / name).symlink_to(made / name)
    evaluate.run({})
    found: dict[str, Any] = json.loads((contract.processing_output("evaluation") / "evaluation.json").read_text())
    return found


def test_what_passes_is_right(prepared: Path, ml: Path) -> None:
    found = trained_and_judged(prepared, ml)
    heldout = found["heldout"]
    print(contract.ml_folder().joinpath("output", "message").read_text())
    assert found["gate"]["verdict"] == "passed", found["gate"]
    assert heldout["compared_by"] == "json" and heldout["base"]["right"] == 0
    assert heldout["tuned"]["right"] >= 0.75 * heldout["answered"] >= 15
    answers = [json.loads(line) for line in (contract.processing_output("evaluation") / "answers.jsonl").open()]
    exactly = sum(
        json.loads(item["wanted"]) == json.loads(item["tuned"]) for item in answers if item["tuned"].startswith("{")
    )
    assert exactly == heldout["tuned"]["right"]


def test_a_low_loss_without_right_answers_passes_nothing(prepared: Path, ml: Path) -> None:
    """After five steps the loss is a fraction of the base's, and hardly an answer is right."""
    found = trained_and_judged(prepared, ml, **{"training.max_steps": 5, "evaluation.generated_rows": 8})
    assert found["gate"]["limits"]["heldout.loss_ratio"]["verdict"] == "passed"
    assert found["heldout"]["loss_ratio"] < 0.7 and found["gate"]["verdict"] == "rejected"
    assert found["gate"]["limits"]["heldout.error_rate"]["verdict"] != "passed"
