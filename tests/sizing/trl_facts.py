"""What the locked packages do, asked of them: run by the training environment's Python, prints JSON.

What shows in behaviour is run on a tiny model; what needs a GPU or several is read in the source that is installed.
"""

import inspect
import json
import tempfile

import accelerate
import bitsandbytes
import torch
import transformers
from datasets import Dataset
from peft import LoraConfig, get_peft_model
from peft.utils import transformers_weight_conversion as conversion
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, MixtralConfig, MixtralForCausalLM, PreTrainedTokenizerFast
from transformers.integrations import bitsandbytes as bitsandbytes_of_transformers
from transformers.integrations import sdpa_attention
from trl import SFTConfig, SFTTrainer
from trl.kernels import chunked_logprob
from trl.trainer import utils

SIZE = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2, "vocab_size": 64}


def tiny_model() -> LlamaForCausalLM:
    return LlamaForCausalLM(LlamaConfig(**SIZE)).to(torch.bfloat16)


def tokenizer() -> PreTrainedTokenizerFast:
    words = {"[PAD]": 0, "[UNK]": 1, **{f"w{number}": number for number in range(2, SIZE["vocab_size"])}}
    made = Tokenizer(models.WordLevel(words, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    return PreTrainedTokenizerFast(tokenizer_object=made, pad_token="[PAD]", eos_token="[PAD]", unk_token="[UNK]")


def calls_of_the_head(folder: str) -> int:
    """How often a training step of TRL's own calls the head as a module: never, where it makes no logits."""
    model = tiny_model().float()
    counted = []
    model.lm_head.register_forward_hook(lambda *_: counted.append(1))
    settings = SFTConfig(
        output_dir=folder, max_steps=1, per_device_train_batch_size=1, use_cpu=True, bf16=False, report_to="none",
        save_strategy="no", disable_tqdm=True,
    )  # fmt: skip
    rows = Dataset.from_list([{"text": "w2 w3 w4 w5"}] * 2)
    SFTTrainer(model=model, args=settings, train_dataset=rows, processing_class=tokenizer()).train()
    return len(counted)


def experts_are_modules() -> bool:
    """Whether an expert's matrices are linears of their own."""
    experts = {"num_local_experts": 2, "num_experts_per_tok": 1, "num_key_value_heads": 2}
    with torch.device("meta"):
        model = MixtralForCausalLM(MixtralConfig(**SIZE, **experts))
    return any("experts" in name and isinstance(part, torch.nn.Linear) for name, part in model.named_modules())


def facts() -> dict[str, object]:
    model = tiny_model()
    logits = model(torch.ones(1, 4, dtype=torch.long)).logits
    adapted = get_peft_model(model, LoraConfig(target_modules=["q_proj"]))
    trained = {parameter.dtype for parameter in adapted.parameters() if parameter.requires_grad}
    trainer = inspect.getsource(SFTTrainer)
    with tempfile.TemporaryDirectory() as folder:
        defaults = SFTConfig(output_dir=folder, bf16=False, use_cpu=True)
        return {
            "upcasts_logits": logits.dtype == torch.float32,
            "tiled": calls_of_the_head(folder) == 0,
            "tile": [chunked_logprob.TOKEN_CHUNK_SIZE, utils._CHUNKED_LOGPROB_CHUNK_SIZE],
            "optimizer": str(defaults.optim.value if hasattr(defaults.optim, "value") else defaults.optim),
            "checkpointing": bool(defaults.gradient_checkpointing),
            "pads_batches": not defaults.packing,
            "lora_dropout": LoraConfig().lora_dropout,
            "fp32_adapters": trained == {torch.float32},
            "fp32_adapters_on_quantized": "param.data = param.data.to(torch.bfloat16)" not in trainer,
            "upcasts_unquantized": "prepare_model_for_kbit_training" in trainer,
            "fp32_under_fsdp": "Upcasted low precision parameters" in inspect.getsource(accelerate.Accelerator),
            "wide_embedding_states": 'override(module, "weight", {"optim_bits": 32})'
            in inspect.getsource(transformers.Trainer),
            "experts_are_modules": experts_are_modules(),
            "adapts_parameters": {"gate_proj", "up_proj"} <= set(conversion._MOE_TARGET_MODULE_MAPPING["qwen2_moe"]),
            "passes_groups": sdpa_attention.use_gqa_in_sdpa(None, torch.ones(1, 1, 1, 64), torch.ones(1, 1, 1, 64)),
            "quantizes_derived": "type(module) is nn.Linear" not in inspect.getsource(bitsandbytes_of_transformers),
            "keeps_quantized_inputs": "(None, B)" not in inspect.getsource(bitsandbytes.autograd._functions.MatMul4Bit),
        }


if __name__ == "__main__":
    print(json.dumps(facts()))
