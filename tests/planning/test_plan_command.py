"""`tunestack plan`: what it prints, its JSON, and what it says to mistakes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

LLAMA = ["--model", "meta-llama/Llama-3.1-8B"]


def plan(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "tunestack.cli.main", "plan", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def test_it_shows_plans_components_quota_and_assumptions() -> None:
    shown = plan(*LLAMA, "--tokens", "10000000", "--instance-type", "ml.g6.xlarge").stdout
    for text in ("8,030,261,248 parameters", "ml.g6.xlarge", "weights: linears", "L-", "assumed:", "spot: 60% saved"):
        assert text in shown


def test_json_has_bytes_hours_dollars_and_reasons() -> None:
    found = json.loads(plan("llama-3.1-8b-qlora", "--json").stdout)
    best = found["plans"][0]
    assert best["memory"]["allocated_bytes"] <= best["memory"]["reserved_bytes"] <= best["memory"]["device_bytes"]
    assert best["hours_range"][0] < best["hours"] < best["hours_range"][1]
    assert best["quota"]["code"].startswith("L-")


def test_it_imports_neither_cdk_nor_boto3_nor_pydantic() -> None:
    code = "import sys, tunestack.cli.plan as _; print([m for m in ('aws_cdk','torch','boto3','pydantic') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def test_a_config_json_by_path_is_planned(tmp_path: Path) -> None:
    config = {"model_type": "llama", "hidden_size": 2048, "intermediate_size": 5632, "num_hidden_layers": 22,
              "num_attention_heads": 32, "num_key_value_heads": 4, "vocab_size": 32000}  # fmt: skip
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert "1,100,048,384 parameters" in plan("--model", str(tmp_path / "config.json")).stdout
    assert "1,100,048,384 parameters" in plan("--model", str(tmp_path)).stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give either a RECIPE or --model"),
        (["no-such-recipe"], "no recipe 'no-such-recipe'; known: llama-3.1-8b-qlora"),
        (["--model", "meta-llama/Llama-3.1-9B"], "did you mean 'meta-llama/Llama-3.1-8B'?"),
        ([*LLAMA, "--method", "full", "--rank", "8"], "--rank goes with --method qlora, lora or dora"),
        ([*LLAMA, "--region", "mars"], "no prices of region 'mars'; known: "),
        ([*LLAMA, "--tokens", "0"], "tokens must be from 1 to 1,000,000,000,000,000, got 0"),
        ([*LLAMA, "--tokens", "9" * 400], "tokens must be from 1 to"),
        ([*LLAMA, "--sequence-length", "0"], "max_length must be from 1 to 100,000,000, got 0"),
        ([*LLAMA, "--effective-batch", "-3"], "effective_batch must be from 1 to 100,000,000, got -3"),
        ([*LLAMA, "--deadline-hours", "nan"], "deadline_hours must be greater than 0, got nan"),
        ([*LLAMA, "--instance-type", "ml.m5.large"], "ml.m5.large has no GPU that can train"),
        (["llama-3.1-8b-qlora", "--method", "full"], "--method goes with --model; a RECIPE says it itself"),
        (["llama-3.1-8b-qlora", "--rank", "8", "--trainer", "trl"], "--rank, --trainer goes with --model"),
        ([*LLAMA, "--quantization", "int8"], "--quantization goes with --method lora or dora"),
        (["--model", ""], "no preset, no config.json, and nothing in the Hugging Face cache: ''"),
        ([*LLAMA, "--rank", "9999"], "r 9999 is above the width"),
        ([*LLAMA, "--method", "full", "--instance-type", "ml.g5.xlarge"], "no instance type fits"),
    ],
)
def test_a_mistake_is_one_message(arguments: list[str], message: str) -> None:
    done = plan(*arguments)
    assert done.returncode == 1 and message in done.stderr and "Traceback" not in done.stderr


def test_a_broken_config_json_is_one_message(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{half")
    done = plan("--model", str(tmp_path / "config.json"))
    assert done.returncode == 1 and "config.json: not JSON" in done.stderr


@pytest.mark.parametrize(
    "content",
    ["[" * 100_000, '{"model_type": "llama", "hidden_size": 1' + "0" * 400 + "}", "{}"],
    ids=["deep", "huge", "empty"],
)
def test_an_odd_config_json_is_one_message(content: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(content)
    done = plan("--model", str(tmp_path / "config.json"))
    assert done.returncode == 1 and "config.json" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--objective", "reward", "--loss", "fused"), "--loss means nothing with --objective reward"),
        (("--optimizer", "galore"), "--optimizer galore goes with --method full or frozen"),
    ],
)
def test_what_means_nothing_together_is_refused(arguments: tuple[str, ...], message: str) -> None:
    done = plan(*LLAMA, *arguments)
    assert done.returncode == 1 and message in done.stderr


def test_what_this_kit_cannot_run_at_all_is_said_at_the_top() -> None:
    shown = plan(*LLAMA, "--method", "full").stdout.splitlines()
    assert shown[1] == "not by this kit: this kit trains lora adapters; these are plans for another trainer"
    shown = plan(*LLAMA, "--trainer", "torchtune").stdout.splitlines()
    assert shown[1].startswith("not by this kit: it is for torchtune")


def test_types_whose_price_is_not_known_are_folded_to_one_line_after_the_others() -> None:
    shown = plan(*LLAMA, "--no-packing").stdout
    (line,) = [line for line in shown.splitlines() if line.startswith("and, at prices that aren't known here: ")]
    assert "ml.p6-b200.48xlarge" in line and shown.count("ml.p6-b200.48xlarge") == 1


def test_a_plan_that_this_kit_can_t_run_is_marked_with_the_reason() -> None:
    shown = plan(*LLAMA, "--tokens", "10000000", "--instance-type", "ml.g5.12xlarge").stdout
    assert "ml.g5.12xlarge *" in shown and "* this kit trains on one GPU: a plan for another trainer" in shown
