"""The tokens of a row, and where its answer begins: those of TRL, whatever the template, the tokenizer and the text."""

import random
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from tunestack_training import encoding
from tunestack_training.encoding import Encoder
from tunestack_training.labels import unlabelled
from tunestack_training.rows import Row
from tunestack_training.tokenizer import PLAIN_CHAT_TEMPLATE, load_tokenizer, stop_ids

TEMPLATES = files("trl").joinpath("chat_templates")
# The chat templates of families, as TRL keeps them, and the marks that they are written for.
FAMILIES = {
    "cohere2": ("<|START_OF_TURN_TOKEN|>", "<|END_OF_TURN_TOKEN|>", "<|START_RESPONSE|>", "<|END_RESPONSE|>"),
    "deepseek_r1_distill": ("<｜User｜>", "<｜Assistant｜>", "<｜end▁of▁sentence｜>"),
    "gemma": ("<start_of_turn>", "<end_of_turn>"),
    "glm4moe": ("<|user|>", "<|assistant|>", "<|system|>", "[gMASK]", "<sop>"),
    "gptoss": ("<|start|>", "<|end|>", "<|message|>", "<|channel|>", "<|return|>"),
    "lfm2": ("<|im_start|>", "<|im_end|>"),
    "llama3": ("<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"),
    "phi3": ("<|user|>", "<|assistant|>", "<|end|>"),
    "qwen2_5": ("<|im_start|>", "<|im_end|>"),
    "qwen3": ("<|im_start|>", "<|im_end|>", "<think>", "</think>"),
    "qwen3_5_think": ("<|im_start|>", "<|im_end|>", "<think>", "</think>"),
    "mistral": ("[INST]", "[/INST]"),
    "plain": (),
}
OWN = {
    "mistral": "{{ bos_token }}{% for m in messages %}{% if m['role'] == 'user' %}[INST] {{ m['content'] }}[/INST]"
    "{% else %} {{ m['content'] }}{{ eos_token }}{% endif %}{% endfor %}",
    "plain": PLAIN_CHAT_TEMPLATE,
}
# An answer of it ends where the user's next turn begins: of the last one, training would teach no end.
ENDLESS = {"glm4moe"}
TEXTS = (
    "one", " begins with a blank", "\nbegins with a line", "ends with one\n", "多い言葉", "e\u0301 combining", "!?", "a\n\n\nb",
    "def f():\n\treturn {}", "123,456.7", "<file", "🙂🙂",
)  # fmt: skip


@pytest.fixture(params=["bytes", "bytes with a blank before", "pieces, always", "pieces, at first"])
def tokenizer(request: pytest.FixtureRequest, tiny_model: Path) -> Any:
    """Tokenizers that treat the beginning of a text in different ways."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    splitting = {
        "bytes": lambda: pre_tokenizers.ByteLevel(add_prefix_space=False),
        "bytes with a blank before": lambda: pre_tokenizers.ByteLevel(add_prefix_space=True),
        "pieces, always": lambda: pre_tokenizers.Metaspace(prepend_scheme="always"),
        "pieces, at first": lambda: pre_tokenizers.Metaspace(prepend_scheme="first"),
    }[request.param]()
    made = Tokenizer(models.BPE(unk_token="<unk>"))
    made.pre_tokenizer = splitting
    words = [*TEXTS, "user assistant system model", *"abcdefghijklmnopqrstuvwxyz"] * 5
    trainer = trainers.BpeTrainer(
        vocab_size=500, special_tokens=["<unk>", "<s>", "</s>"], initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
    )
    made.train_from_iterator(words, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=made, bos_token="<s>", eos_token="</s>", unk_token="<unk>")


def chat_rows(seed: int, count: int = 40) -> list[Row]:
    chosen = random.Random(seed)
    rows = []
    for _ in range(count):
        turns = [
            {"role": role, "content": chosen.choice(TEXTS)}
            for _ in range(chosen.randint(1, 3))
            for role in ("user", "assistant")
        ]
        rows.append({"prompt": turns[:-1], "completion": turns[-1:]})
    return rows


def of_trl(tokenizer: Any, row: Row) -> tuple[list[int], int]:
    from trl.data_utils import _tokenize, common_prefix_length

    question = _tokenize(tokenizer, row["prompt"], add_generation_prompt=True)["input_ids"]
    tokens = _tokenize(tokenizer, row["prompt"] + row["completion"])["input_ids"]
    return tokens, common_prefix_length(question, tokens)


@pytest.mark.parametrize("family", FAMILIES)
def test_tokens_and_the_beginning_of_the_answer_are_those_of_trl(family: str, tokenizer: Any) -> None:
    tokenizer.add_special_tokens({"additional_special_tokens": list(FAMILIES[family])})
    tokenizer.chat_template = OWN.get(family) or TEMPLATES.joinpath(f"{family}.jinja").read_text(encoding="utf-8")
    rows = chat_rows(len(family))
    made = Encoder(tokenizer).all([(row["prompt"], row["completion"]) for row in rows])
    assert [item[:2] for item in made if not isinstance(item, ValueError)] == [of_trl(tokenizer, row) for row in rows]


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_s_template_trains_the_answer_and_nothing_of_the_question(family: str, tiny_model: Path) -> None:
    tokenizer = load_tokenizer(tiny_model)
    marks = [mark for mark in FAMILIES[family] if mark not in ("<think>", "</think>")]
    tokenizer.add_special_tokens({"bos_token": "<s>", "additional_special_tokens": marks})
    tokenizer.chat_template = OWN.get(family) or TEMPLATES.joinpath(f"{family}.jinja").read_text(encoding="utf-8")
    row = {
        "prompt": [{"role": "user", "content": "what is two"}],
        "completion": [{"role": "assistant", "content": "names of files"}],
    }
    made = Encoder(tokenizer).one(row["prompt"], row["completion"])
    problem = unlabelled(made, row, stop_ids(tokenizer))
    assert problem is None or (family in ENDLESS and "ends no answer with a token" in problem)
    trained = tokenizer.decode(made.tokens[made.answer :])
    assert "names of files" in trained and "what" not in trained
    tokens, own = Encoder(tokenizer).with_own_tokens(row["prompt"], row["completion"])
    assert tokenizer.decode([tokens[place] for place in own]).strip() == "names of files"


def test_reasoning_under_a_template_that_cuts_it_is_refused(tiny_model: Path) -> None:
    tokenizer = load_tokenizer(tiny_model)
    tokenizer.add_special_tokens({"additional_special_tokens": list(FAMILIES["deepseek_r1_distill"])})
    tokenizer.chat_template = TEMPLATES.joinpath("deepseek_r1_distill.jinja").read_text(encoding="utf-8")
    row = {
        "prompt": [{"role": "user", "content": "what is two"}],
        "completion": [{"role": "assistant", "content": "<think>\na list\n</think>\n\nnames"}],
    }
    made = Encoder(tokenizer).one(row["prompt"], row["completion"])
    assert "leaves out a part of the assistant's text" in str(unlabelled(made, row, stop_ids(tokenizer)))


def test_a_template_that_refuses_one_conversation_refuses_that_one(tiny_model: Path) -> None:
    tokenizer = load_tokenizer(tiny_model)
    tokenizer.chat_template = (
        "{% if messages[0]['content'] == '!?' %}{{ raise_exception('no') }}{% endif %}" + PLAIN_CHAT_TEMPLATE
    )
    rows = [([{"role": "user", "content": text}], [{"role": "assistant", "content": "a"}]) for text in TEXTS]
    found = Encoder(tokenizer).all(rows)
    assert [text for text, item in zip(TEXTS, found, strict=True) if isinstance(item, ValueError)] == ["!?"]


def test_a_mark_that_is_a_part_of_another_is_no_shortcut(tiny_model: Path) -> None:
    """Where `<|im_start|>assistant` is one token, `<|im_start|>` doesn't stand before an answer."""
    tokenizer = load_tokenizer(tiny_model)
    tokenizer.add_special_tokens({"additional_special_tokens": ["<|im_start|>", "<|im_start|>assistant", "<|im_end|>"]})
    tokenizer.chat_template = TEMPLATES.joinpath("qwen2_5.jinja").read_text(encoding="utf-8")
    for row in chat_rows(7):
        assert Encoder(tokenizer).one(row["prompt"], row["completion"])[:2] == of_trl(tokenizer, row)


def test_a_plain_template_begins_as_the_base_was_trained(tiny_model: Path, tmp_path: Path) -> None:
    from tokenizers.processors import TemplateProcessing

    tokenizer = load_tokenizer(tiny_model)
    assert "bos_token" not in tokenizer.chat_template
    tokenizer.add_special_tokens({"bos_token": "<s>"})
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single="<s> $A", special_tokens=[("<s>", tokenizer.bos_token_id)]
    )
    tokenizer.chat_template = None
    tokenizer.save_pretrained(tmp_path)
    loaded = load_tokenizer(tmp_path)
    made = Encoder(loaded).one([{"role": "user", "content": "a"}], [{"role": "assistant", "content": "b"}])
    assert made.tokens[0] == loaded.bos_token_id and made.tokens.count(loaded.bos_token_id) == 1


def test_only_what_is_behind_the_last_mark_is_tokenized_again(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokenizer = load_tokenizer(tiny_model)
    tokenizer.add_special_tokens({"additional_special_tokens": ["<|im_start|>", "<|im_end|>"]})
    tokenizer.chat_template = TEMPLATES.joinpath("qwen2_5.jinja").read_text(encoding="utf-8")
    encoder = Encoder(tokenizer)
    for row in chat_rows(3):
        encoder.one(row["prompt"], row["completion"])
    assert list(encoder._tails) == ["<|im_start|>assistant\n"]
    assert encoding.common_prefix([1, 2, 3], [1, 2]) == 2
