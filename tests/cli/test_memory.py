"""`tunestack memory`: what one job needs, its JSON, and what it says to mistakes."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tunestack.catalogue.models import model_configs
from tunestack.cli.main import tunestack
from tunestack.errors import UserError

LLAMA = "meta-llama/Llama-3.1-8B"


def memory(*arguments: str) -> Result:
    return CliRunner().invoke(tunestack, ["memory", "--model", LLAMA, *arguments])


def sized(*arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(memory(*arguments, "--json").output)
    return found


def test_it_shows_phases_components_gpus_merging_and_the_rules_of_thumb() -> None:
    shown = memory("--micro-batch", "2", "--sequence-length", "2048").output
    for text in (
        "8,030,261,248 parameters", "backward of the last layer  the peak", "0.39 GiB  gradients of activations (one layer's MLP)",
        "allocated", "fits: ", "A10G 24 GB", "fusing the adapter afterwards takes 35 GiB", "32 GB for fp32 inference",
        "193 GB for full",
    ):  # fmt: skip
        assert text in shown


def test_objectives_need_what_stands_beside_the_trained_model() -> None:
    sft, dpo, ppo = (sized("--objective", name)["allocated_bytes"] for name in ("sft", "dpo", "ppo"))
    assert sft < dpo < ppo
    assert "value model" in json.dumps(sized("--objective", "ppo"))
    assert (
        sized("--objective", "simpo", "--method", "full")["allocated_bytes"]
        < (sized("--objective", "dpo", "--method", "full")["allocated_bytes"])
    )


def test_json_has_the_three_totals_in_order_and_an_answer_for_each_gpu() -> None:
    found = sized("--objective", "inference", "--quantization", "nf4")
    assert found["allocated_bytes"] <= found["reserved_bytes"] <= found["device_bytes"]
    assert json.loads(memory("--json").output)["fits"]["T4 16 GB"] == "yes"


def test_tensor_parallelism_divides_the_linears() -> None:
    alone, spread = sized("--method", "full"), sized("--method", "full", "--gpus", "8", "--sharding", "tensor")
    assert spread["allocated_bytes"] < alone["allocated_bytes"] / 4


def test_it_ends_in_a_verdict_by_instance_type() -> None:
    asked = ["memory", "--model", "meta-llama/Llama-3.1-70B", "--objective", "inference", "--dtype"]
    shown = CliRunner().invoke(tunestack, [*asked, "fp32"]).output
    assert "282 GB of fp32 weights: fits ml." in shown and "ml.p4d.24xlarge: 8 × 40 GB, 37 GB on each" in shown
    half = CliRunner().invoke(tunestack, [*asked, "bf16"]).output
    assert "141 GB of bf16 weights: fits ml." in half
    assert "the job: fits ml." in memory().output
    assert (
        "no instance type for training has room for the job"
        in memory("--method", "full", "--max-length", "9999999").output
    )


def test_a_trainer_brings_its_own_loss_optimizer_and_checkpointing() -> None:
    ours, tune = memory().output, memory("--trainer", "torchtune").output
    assert "logits and loss (2.5 B ×" in memory("--trainer", "torchtune", "--micro-batch", "8").output
    assert "adamw_fused of" in ours and tune != ours
    assert "adamw_8bit" in memory("--trainer", "unsloth").output
    assert "logits and loss (12 B ×" in memory("--trainer", "torchtune", "--loss", "plain", "--micro-batch", "8").output
    least, most = sized("--trainer", "any")["device_bytes_range"]
    own = sized()["device_bytes_range"]
    assert least < own[0] and most > 2 * own[1]


def test_a_trainer_by_the_option_s_old_name_is_the_same_and_said_to_be_old() -> None:
    found = CliRunner().invoke(tunestack, ["memory", "--model", "meta-llama/Llama-3.1-8B", "--stack", "torchtune"])
    assert found.stdout == memory("--trainer", "torchtune").stdout
    assert found.stderr == "--stack is called --trainer now; a stack is CloudFormation's\n"
    refused = CliRunner().invoke(tunestack, ["plan", "llama-3.1-8b-qlora", "--stack", "trl"])
    assert "--trainer goes with --model" in str(refused.exception)
    assert "--stack" not in CliRunner().invoke(tunestack, ["memory", "--help"]).output


def test_an_engine_s_cache_fills_what_weights_leave() -> None:
    shown = memory("--objective", "inference", "--gpu-memory-utilization", "0.9").output
    tokens = {line.split(":")[0].strip(): line.split(":")[1].strip() for line in shown.splitlines() if " GB: " in line}
    assert tokens["T4 16 GB"] == "the weights leave no room"
    # 128 KiB a token of Llama 3.1 8B: vLLM's own log of an A100 80 GB says about 55 GiB of cache.
    assert 400_000 < int(tokens["A100 80 GB"].replace(",", "")) < 470_000
    assert "must be in (0, 1]" in str(memory("--objective", "inference", "--gpu-memory-utilization", "2").exception)


def test_experts_that_stay_in_16_bit_are_named_with_the_reason_and_what_would_change_it() -> None:
    shown = CliRunner().invoke(tunestack, ["memory", "--model", "Qwen/Qwen3-30B-A3B"]).output
    assert "54.00 GiB  weights: experts (2 B each: one parameter of a layer's, which bitsandbytes doesn't" in shown
    assert (
        "54 GiB are experts that bitsandbytes leaves as they are" in shown
        and "(MXFP4, GPTQ, AWQ) would hold them in about 14 GiB" in shown
    )
    assert "weights: experts" not in memory().output


def test_adapters_side_by_side_are_set_against_merged_copies() -> None:
    shown = memory("--objective", "inference", "--adapters", "20").output
    assert "adapters (4 B each)" in shown and "20 merged models in their place would take" in shown


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--method", "full", "--optimizer-in-backward", "--gradient-accumulation-steps", "2"],
            "--gradient-accumulation-steps 1",
        ),
        (["--method", "full", "--modules-to-save", "lm_head"], "modules_to_save goes with adapters"),
        (["--trainer", "torchtone"], "'torchtone' is not one of 'hf_trainer_2023'"),
        (["--adapters", "3"], "--adapters goes with --objective inference"),
        (["--objective", "inference", "--method", "full"], "--method means nothing with --objective inference"),
        (["--objective", "inference", "--gpus", "2", "--sharding", "fsdp"], "is spread by --sharding tensor or layers"),
        (["--objective", "inference", "--adapters", "3", "--rank", "9999999"], "r 9999999 is above the width"),
        (["--objective", "inference", "--micro-batch", "9" * 30], "batch must be from 1 to 100,000,000"),
        (["--method", "full", "--rank", "8"], "--rank goes with --method qlora, lora or dora"),
        (["--trainable-layers", "3"], "--trainable-layers goes with --method frozen"),
        (["--method", "prefix_tuning", "--checkpointing", "full"], "PEFT refuses prefix tuning with checkpointing"),
        (["--objective", "reward", "--loss", "plain"], "--loss means nothing with --objective reward"),
        (["--optimizer", "galore"], "--optimizer galore goes with --method full or frozen"),
        (["--objective", "inference", "--adapters", "9" * 400], "is not in the range 1<=x<=100000"),
        (["--gpus", "8"], "--gpus 8 needs a --sharding"),
        (["--sharding", "fsdp"], "--sharding fsdp needs --gpus above 1"),
        (["--gpus", "3", "--sharding", "tensor"], "over 3 GPUs can't share the 32 heads"),
        (["--gpus", "33", "--sharding", "layers"], "33 GPUs can't share the 32 layers"),
        (["--rank", "100000"], "r 100000 is above the width"),
        (["--gpus", "0"], "gpus must be from 1"),
        (["--cpu-offload"], "cpu_offload needs sharding zero1, zero2, zero3, fsdp"),
        (["--gpus", "6", "--sharding", "nothing"], "Invalid value for '--sharding'"),
    ],
)
def test_a_mistake_is_one_message(arguments: list[str], message: str) -> None:
    done = memory(*arguments)
    assert isinstance(done.exception, UserError | SystemExit) and message in (str(done.exception) + done.output)


def test_a_model_divided_by_name_fits_types_of_so_many_gpus_alone() -> None:
    shown = memory("--objective", "inference", "--gpus", "8", "--sharding", "tensor").output
    verdict = shown[shown.index("GB of bf16 weights") :].splitlines()
    assert verdict and all("8 × " in line for line in verdict if line)
    assert "no instance type for training has 16 GPUs" in memory("--gpus", "16", "--sharding", "fsdp").output


def test_the_verdict_counts_weights_as_they_are_held() -> None:
    shown = memory("--objective", "inference", "--quantization", "nf4").output
    assert "\n6 GB of nf4 weights: fits" in shown


def test_an_engine_without_room_for_its_weights_fits_nowhere_there() -> None:
    arguments = ("--objective", "inference", "--gpu-memory-utilization", "0.3")
    shown = memory(*arguments).output
    assert "A10G 24 GB: the weights leave no room" in shown
    assert "A10G 24 GB" in next(line for line in shown.splitlines() if line.startswith("does not fit"))
    found = json.loads(memory(*arguments, "--json").output)
    assert found["cache_tokens"]["A10G 24 GB"] == 0 and found["fits"]["A10G 24 GB"] == "no"
    assert found["cache_tokens"]["H100 80 GB"] > 10_000
    one = [item["name"] for item in found["instance_types"] if item["gpus"] == 1]
    assert one and not [name for name in one if name.startswith(("ml.g5.", "ml.g6."))]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--optimizer-in-backward",), "--optimizer-in-backward goes with --method full or frozen"),
        (("--region", "mars-1"), "no prices of region 'mars-1'"),
    ],
)
def test_what_would_be_ignored_is_refused(arguments: tuple[str, ...], message: str) -> None:
    found = memory(*arguments).exception
    assert isinstance(found, UserError) and message in str(found)


@pytest.mark.parametrize("objective", ["sft", "inference"])
def test_learned_positions_end(objective: str) -> None:
    arguments = ["memory", "--model", "openai-community/gpt2", "--objective", objective, "--max-length"]
    assert CliRunner().invoke(tunestack, [*arguments, "1024"]).exit_code == 0
    found = CliRunner().invoke(tunestack, [*arguments, "1025"]).exception
    assert isinstance(found, UserError) and "max_length 1,025 is above the 1,024 positions" in str(found)


def test_no_gpu_generates_with_more_than_its_part_of_a_divided_model() -> None:
    one = sized("--objective", "grpo", "--method", "lora")["allocated_bytes"]
    four = sized("--objective", "grpo", "--method", "lora", "--gpus", "4", "--sharding", "tensor")["allocated_bytes"]
    assert four < 0.5 * one


def test_an_engine_beside_grpo_is_sized_on_each_gpu_by_its_own_share() -> None:
    arguments = ("--objective", "grpo", "--method", "lora", "--vllm-gpu-memory-utilization", "0.3")
    found = sized(*arguments)
    # 30 % of 40 GB has no room for 8B weights; of 80 GB it has.
    assert found["fits"]["A100 40 GB"] == "no" and found["fits"]["H100 80 GB"] == "yes"
    assert found["components"]["vLLM engine"] > 20e9 and found["gpu"] == "A100 80 GB"
    # An engine beside a model of 4 bits loads it so.
    assert sized(*arguments[:3], "qlora", *arguments[4:])["fits"]["A100 40 GB"] == "yes"
    sleeping = sized(*arguments, "--vllm-enable-sleep-mode")
    assert "vLLM engine" not in sleeping["phases"]["backward of the last layer"]
    assert "vLLM engine" in sleeping["phases"]["rollout"]
    text = CliRunner().invoke(tunestack, ["memory", "--model", "meta-llama/Llama-3.1-8B", *arguments]).output
    assert "parameters, grpo, on one A100 80 GB" in text


@pytest.mark.parametrize("option", ["--num-generations=4", "--vllm-gpu-memory-utilization=0.3"])
def test_options_of_rollouts_go_with_grpo(option: str) -> None:
    found = CliRunner().invoke(tunestack, ["memory", "--model", "meta-llama/Llama-3.1-8B", option]).exception
    assert isinstance(found, UserError) and "goes with --objective grpo" in str(found)


def test_adapters_on_experts_are_named_and_can_be_left_out() -> None:
    arguments = ["memory", "--model", "Qwen/Qwen3-30B-A3B"]
    every = CliRunner().invoke(tunestack, arguments).output
    assert "adapters are on the experts, too" in every
    attention = [f"--target-modules={name}" for name in ("q_proj", "k_proj", "v_proj", "o_proj")]
    assert "adapters are on the experts" not in CliRunner().invoke(tunestack, [*arguments, *attention]).output
    refused = CliRunner().invoke(tunestack, [*arguments, "--method", "full", *attention]).exception
    assert isinstance(refused, UserError) and "--target-modules goes with" in str(refused)


@pytest.mark.parametrize(
    ("says", "found"),
    [
        ({"quant_method": "gptq", "bits": 4}, "gptq-int4"),
        ({"quant_method": "gptq", "bits": 8}, "gptq-int8"),
        ({"quant_method": "awq", "bits": 4}, "awq-int4"),
        ({"quant_method": "bitsandbytes", "load_in_4bit": True}, "nf4"),
        ({"quant_method": "bitsandbytes", "load_in_8bit": True}, "int8"),
        ({"quant_method": "fp8"}, "fp8"),
        ({"quant_method": "mxfp4"}, "mxfp4"),
        (
            {
                "quant_method": "compressed-tensors",
                "config_groups": {"g": {"weights": {"type": "float", "num_bits": 8}}},
            },
            "fp8",
        ),
        (
            {"quant_method": "compressed-tensors", "config_groups": {"g": {"weights": {"type": "int", "num_bits": 4}}}},
            "int4",
        ),
        ({"quant_method": "gptq", "bits": "4"}, "gptq-int4"),
        ({"quant_method": "hqq", "quant_config": {"weight_quant_params": {"nbits": 4}}}, "int4"),
        ({"quant_method": "awq", "bits": 8}, None),
        ({"quant_method": "something new", "bits": "four"}, None),
    ],
)
def test_a_checkpoint_that_is_quantised_already_answers_so(says: object, found: str | None, tmp_path: Path) -> None:
    config = {**model_configs()["meta-llama/Llama-3.1-8B"], "quantization_config": says}
    (tmp_path / "config.json").write_text(json.dumps(config))
    arguments = ["memory", "--model", str(tmp_path), "--objective", "inference"]
    text = CliRunner().invoke(tunestack, arguments).output
    said = (
        f"its checkpoint is {found} by its config.json: sized so"
        if found
        else "of a format that isn't known: sized as 16"
    )
    assert said in text
    assert f"GB of {found or 'bf16'} weights" in text


@pytest.mark.parametrize(
    ("model", "targets", "message"),
    [
        ("Qwen/Qwen3-30B-A3B", ("q_proj", "gate_proj"), "PEFT refuses gate_proj without up_proj"),
        ("deepseek-ai/DeepSeek-V3", ("q_proj",), "has no linear 'q_proj' that an adapter could sit on"),
        (LLAMA, ("q_proj", "nonsense"), "has no linear 'nonsense'"),
    ],
)
def test_targets_that_peft_would_refuse_are_refused(model: str, targets: tuple[str, ...], message: str) -> None:
    arguments = ["memory", "--model", model, *(f"--target-modules={name}" for name in targets)]
    found = CliRunner().invoke(tunestack, arguments).exception
    assert isinstance(found, UserError) and message in str(found)


def test_dora_on_joined_experts_is_refused_as_peft_does() -> None:
    arguments = ["memory", "--model", "mistralai/Mixtral-8x7B-v0.1", "--method", "dora"]
    found = CliRunner().invoke(tunestack, arguments).exception
    assert isinstance(found, UserError) and "PEFT has no DoRA for the joined experts" in str(found)
