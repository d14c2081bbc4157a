"""What people have: rows and files rebuilt from public reports, each read as what it means, or refused with the way."""

import json
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from tunestack_training.questions import question_of
from tunestack_training.rows import read_row

ASKED, SAID = "How do I reset device 0?", "Hold the button for 0 seconds."
USER, ANSWER = {"role": "user", "content": ASKED}, {"role": "assistant", "content": SAID}
ROW = {"prompt": [USER], "completion": [ANSWER]}
TERSE = {"role": "system", "content": "Be terse."}
DEEP: Any = "x"
for _ in range(2_000):
    DEEP = [DEEP]
GOOD_ROWS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "Dolly": ({"instruction": ASKED, "context": "It has a button.", "response": SAID}, {"prompt": [{"role": "user", "content": f"{ASKED}\n\nIt has a button."}], "completion": [ANSWER]}),
    "Alpaca": ({"instruction": ASKED, "input": "", "output": SAID}, ROW),
    "Alpaca without an instruction": ({"instruction": "", "input": ASKED, "output": SAID}, ROW),
    "Alpaca with its history": ({"instruction": "And then?", "output": SAID, "history": [[ASKED, "Wait."]]}, {"prompt": [USER, {"role": "assistant", "content": "Wait."}, {"role": "user", "content": "And then?"}], "completion": [ANSWER]}),
    "GSM8K": ({"question": ASKED, "answer": SAID}, ROW),
    "Orca": ({"system_prompt": "Be terse.", "question": ASKED, "response": SAID}, {"prompt": [TERSE, USER], "completion": [ANSWER]}),
    "genqa": ({"system": "Be terse.", "query": ASKED, "response": SAID}, {"prompt": [TERSE, USER], "completion": [ANSWER]}),
    "FLAN": ({"inputs": ASKED, "targets": SAID}, ROW),
    "input and output": ({"input": ASKED, "output": SAID}, ROW),
    "columns in capitals": ({" Question": ASKED, "ANSWER ": SAID}, ROW),
    "an answer that is JSON": ({"instruction": ASKED, "output": {"b": [1, "é"]}}, {"prompt": [USER], "completion": [{"role": "assistant", "content": '{"b": [1, "é"]}'}]}),
    "an answer that is a number": ({"question": ASKED, "answer": 42}, {"prompt": [USER], "completion": [{"role": "assistant", "content": "42"}]}),
    "an empty system": ({"messages": [{"role": "system", "content": ""}, USER, ANSWER]}, ROW),
    "a system beside": ({"system": "Be terse.", "messages": [USER, ANSWER]}, {"prompt": [TERSE, USER], "completion": [ANSWER]}),
    "converse": ({"schemaVersion": "bedrock-conversation-2024", "system": [{"text": "Be terse."}], "messages": [{"role": "user", "content": [{"text": ASKED}]}, {"role": "assistant", "content": [{"text": SAID}]}]}, {"prompt": [TERSE, USER], "completion": [ANSWER]}),
    "ShareGPT": ({"conversations": [{"from": "human", "value": ASKED}, {"from": "gpt", "value": SAID}]}, ROW),
    "developer": ({"messages": [{"role": "developer", "content": "Be terse."}, USER, ANSWER]}, {"prompt": [TERSE, USER], "completion": [ANSWER]}),
    "TRL's messages": ({"prompt": [USER], "completion": [ANSWER]}, ROW),
    "messages as text of a table": ({"messages": json.dumps([USER, ANSWER])}, ROW),
    "a weight of 0 at the end": ({"messages": [USER, ANSWER, {"role": "user", "content": "And then?"}, {**ANSWER, "content": "No idea.", "weight": 0}]}, ROW),
    "a weight of 0 before": ({"messages": [USER, {**ANSWER, "weight": 0}, {"role": "user", "content": "And then?"}, ANSWER]}, {"prompt": [USER, ANSWER, {"role": "user", "content": "And then?"}], "completion": [ANSWER]}),
    "train: false": ({"messages": [USER, ANSWER, {"role": "user", "content": "And then?"}, {**ANSWER, "content": "No.", "train": False}]}, ROW),
    "a weight of 1": ({"messages": [USER, {**ANSWER, "weight": 1}]}, ROW),
    "reasoning": ({"messages": [USER, {**ANSWER, "reasoning_content": "A button."}]}, {"prompt": [USER], "completion": [{**ANSWER, "reasoning_content": "A button."}]}),
    "a label that is a class": ({"instruction": ASKED, "response": SAID, "label": "billing"}, ROW),
    "messages as text in two columns": ({"prompt": json.dumps([USER]), "completion": json.dumps([ANSWER])}, ROW),
    "one message as the answer": ({"prompt": [USER], "completion": ANSWER}, ROW),
    "a prompt said again": ({"prompt": ASKED, "prompt_id": "x1", "messages": [USER, ANSWER]}, ROW),
    "the whole row said again": ({"instruction": ASKED, "output": SAID, "text": f"### {ASKED}\n### {SAID}"}, ROW),
    "keys in camel case": ({"systemPrompt": "Be terse.", "Question": ASKED, "answer": SAID}, {"prompt": [TERSE, USER], "completion": [ANSWER]}),
    "meta_instruction": ({"meta_instruction": "Be terse.", "query": ASKED, "response": SAID}, {"prompt": [TERSE, USER], "completion": [ANSWER]}),
    "a system said twice": ({"system": "Be terse.", "system_prompt": "Be terse.", "query": ASKED, "response": SAID}, {"prompt": [TERSE, USER], "completion": [ANSWER]}),
    "a column of NaN": ({"instruction": ASKED, "input": float("nan"), "system": float("nan"), "chosen": float("nan"), "output": SAID}, ROW),
    "no input, by its name": ({"instruction": ASKED, "input": "<noinput>", "output": SAID}, ROW),
    "empty lists as text": ({"instruction": ASKED, "output": SAID, "images": "[]", "tools": "[]", "history": "[]", "rejected": "None"}, ROW),
    "a struct of nulls": ({"instruction": ASKED, "output": SAID, "reward_model": {"style": None, "ground_truth": None}, "images": [None]}, ROW),
    "an answer that is None": ({"instruction": ASKED, "output": "None"}, {"prompt": [USER], "completion": [{"role": "assistant", "content": "None"}]}),
    "an answer that is no list": ({"instruction": ASKED, "output": []}, {"prompt": [USER], "completion": [{"role": "assistant", "content": "[]"}]}),
    "history as text": ({"instruction": "And then?", "output": SAID, "history": json.dumps([[ASKED, "Wait."]])}, {"prompt": [USER, {"role": "assistant", "content": "Wait."}, {"role": "user", "content": "And then?"}], "completion": [ANSWER]}),
    "Cohere": ({"messages": [{"role": "User ", "content": ASKED}, {"role": "Chatbot", "content": SAID}]}, ROW),
    "parts of a table": ({"messages": [{"role": "user", "content": [{"type": None, "text": ASKED, "image_url": None}]}, ANSWER]}, ROW),
    "messages of a table": ({"messages": [{**USER, "from": None, "value": None, "tool_calls": None, "weight": None}, {**ANSWER, "tool_calls": []}]}, ROW),
    "a good row": ({"instruction": ASKED, "output": SAID, "is_correct": True, "status": "submitted", "train": 1}, ROW),
    "names and kinds": ({"instruction": ASKED, "output": SAID, "source": "wiki", "document": "doc_17.pdf", "table": "users", "reasoning": True, "api": "chat"}, ROW),
    "as deep as it gets": ({"instruction": ASKED, "response": SAID, "more": DEEP}, ROW),
    "keys that are empty": ({"instruction": ASKED, "response": SAID, "rejected": None, "images": [], "tools": "", "system": ""}, ROW),
}  # fmt: skip
# What is refused, and a part of the reason: what it is for, or what would be right.
BAD_ROWS: dict[str, tuple[Any, str]] = {
    "KTO": ({"prompt": ASKED, "completion": SAID, "label": False}, "for KTO"),
    "KTO's good row": ({"prompt": ASKED, "completion": SAID, "label": True}, "for KTO"),
    "KTO in a table": ({"prompt": ASKED, "completion": SAID, "label": "False"}, "for KTO"),
    "KTO by its tag": ({"messages": [USER, ANSWER], "kto_tag": True}, "for KTO"),
    "DPO": ({"prompt": ASKED, "chosen": SAID, "rejected": "No."}, "preference pair"),
    "DPO of Alpaca": ({"instruction": ASKED, "input": "", "chosen": SAID, "rejected": "No."}, "preference pair"),
    "UltraFeedback": ({"prompt": ASKED, "messages": [USER, ANSWER], "chosen": [USER, ANSWER], "rejected": [USER]}, "preference pair"),
    "verl": ({"data_source": "gsm8k", "prompt": [USER], "reward_model": {"ground_truth": "4"}}, "reinforcement learning"),
    "plain text": ({"text": f"{ASKED} {SAID}"}, "'text' is plain text"),
    "two answers": ({"instruction": ASKED, "output": "x", "response": "y"}, "may both be its answer"),
    "two questions": ({"instruction": "Be terse.", "question": ASKED, "answer": SAID}, "may both be its question"),
    "a key twice": ({"Prompt": "x", "PROMPT": ASKED, "completion": SAID}, "two keys are 'prompt'"),
    "weights of rows": ({"instruction": ASKED, "response": SAID, "weight": 0.3}, "rows are trained alike"),
    "a weight between": ({"messages": [USER, {**ANSWER, "weight": 0.5}]}, "must be 0 or 1"),
    "nothing to train": ({"messages": [USER, {**ANSWER, "weight": 0}]}, "no answer of 'messages' is to be trained"),
    "reasoning beside": ({"question": ASKED, "reasoning": "A button.", "answer": SAID}, "reasoning beside its answer"),
    "documents": ({"question": ASKED, "documents": ["It has a button."], "answer": SAID}, "name it 'context'"),
    "pictures": ({"instruction": ASKED, "response": SAID, "images": ["a.png"]}, "trains on text alone"),
    "a picture in parts": ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": "x"}]}, ANSWER]}, "no text (image_url)"),
    "tools": ({"messages": [USER, ANSWER], "tools": [{"name": "x"}]}, "calls of tools are not trained"),
    "a tool's answer": ({"messages": [USER, {"role": "tool", "content": "x"}, ANSWER]}, "calls of tools are not trained"),
    "two systems": ({"system": "Be terse.", "messages": [TERSE, USER, ANSWER]}, "two system messages"),
    "messages that are no JSON": ({"messages": "hello"}, "text that is no JSON"),
    "choices": ({"question": ASKED, "choices": ["a", "b"], "answer": 0}, "more to its question"),
    "choices in columns": ({"question": ASKED, "A": "one", "B": "two", "answer": "B"}, "more to its question"),
    "SQL with its schema": ({"question": ASKED, "schema": "CREATE TABLE users (id INT)", "answer": "SELECT 1"}, "more to its question"),
    "an article": ({"instruction": "Sum it up.", "article": "It rained all day.", "output": "Rain."}, "more to its question"),
    "a definition": ({"definition": "Say whether it rains.", "inputs": "It pours.", "targets": "yes"}, "more to its question"),
    "code around a gap": ({"prompt": "def f(x):", "suffix": "return y + 1", "completion": "y = x"}, "more to its question"),
    "text beside": ({"instruction": "Sum it up.", "text": "It rained all day.", "output": "Rain."}, "'text' stands beside its messages"),
    "context beside a chat": ({"context": "It has a button.", "messages": [USER, ANSWER]}, "'context' stands beside"),
    "a second conversation": ({"messages": [USER, ANSWER], "conversations": [USER, {**ANSWER, "content": "No."}]}, "may both be its conversation"),
    "another question beside": ({"question": "What is it?", "messages": [USER, ANSWER]}, "'question' stands beside"),
    "judged by a number": ({"prompt": ASKED, "completion": SAID, "label": 1.0}, "for KTO"),
    "judged by -1": ({"prompt": ASKED, "completion": SAID, "label": -1}, "for KTO"),
    "marked as wrong": ({"question": ASKED, "answer": SAID, "is_correct": False}, "marked as not good"),
    "discarded": ({"question": ASKED, "answer": SAID, "status": "discarded"}, "marked as not good"),
    "to be skipped": ({"question": ASKED, "answer": SAID, "skip": "true"}, "marked as not good"),
    "rejected messages": ({"messages": [USER, ANSWER], "rejected_messages": [USER, ANSWER]}, "preference pair"),
    "a winner": ({"messages": [USER, ANSWER], "winner": "model_a"}, "preference pair"),
    "not to be trained": ({"messages": [USER, ANSWER], "training": False}, "rows are trained alike"),
    "masked": ({"messages": [USER, {**ANSWER, "mask": 0}]}, "rows are trained alike"),
    "a scale of 0": ({"messages": [USER, {**ANSWER, "loss_scale": 0}]}, "no answer of 'messages' is to be trained"),
    "harmony's channels": ({"messages": [USER, {**ANSWER, "channel": "analysis"}]}, "has channels"),
    "a thought in columns": ({"Question": ASKED, "Complex_CoT": "It has a button.", "Response": SAID}, "reasoning beside its answer"),
    "trajectories": ({"question": ASKED, "thinking_trajectories": ["It has a button."], "answer": SAID}, "reasoning beside its answer"),
    "a thought in a message": ({"messages": [USER, {**ANSWER, "thought": "It has a button."}]}, "reasoning beside its answer"),
    "a user's reasoning": ({"messages": [{**USER, "reasoning": "I wonder."}, ANSWER]}, "reasoning is an assistant's"),
    "two systems beside": ({"system": "Be terse.", "system_prompt": "Be long.", "query": ASKED, "response": SAID}, "may both be its system's message"),
    "answers of several": ({"question": ASKED, "answer": [SAID, "No."]}, "is a list of texts"),
    "answers of Argilla": ({"question": ASKED, "response": [{"value": SAID, "status": "submitted", "user_id": "1"}]}, "is a list of texts"),
    "an answer that is NaN": ({"question": ASKED, "answer": float("nan")}, "'answer' is empty"),
    "an answer that is nan": ({"question": ASKED, "answer": "nan"}, "'answer' is empty"),
    "an endless answer": ({"question": ASKED, "answer": float("inf")}, "number that is none"),
    "a date in an answer": ({"question": ASKED, "answer": {"at": [datetime(2026, 1, 1)]}}, "got a datetime"),
    "bytes": ({"question": ASKED, "answer": b"x"}, "got a bytes"),
    "a decimal": ({"question": ASKED, "answer": Decimal("1.5")}, "got a Decimal"),
    "a question of bytes": ({"question": b"x", "answer": SAID}, "'question' must be text, got bytes"),
    "a picture in a part without a type": ({"messages": [{"role": "user", "content": [{"text": ASKED, "image": {"format": "png"}}]}, ANSWER]}, "no text ('image')"),
    "two contents": ({"messages": [{**USER, "value": "What?"}, ANSWER]}, "has both 'content' and 'value'"),
    "as deep as it gets": ({"question": ASKED, "answer": DEEP}, "nested too deeply"),
    "a history of something else": ({"instruction": ASKED, "output": SAID, "history": "x"}, "pairs of texts"),
}  # fmt: skip


@pytest.mark.parametrize("name", GOOD_ROWS)
def test_a_row_is_read_as_what_it_means(name: str) -> None:
    given, wanted = GOOD_ROWS[name]
    reading = read_row(given)
    assert (reading.row, reading.problem) == (wanted, None)


@pytest.mark.parametrize("name", BAD_ROWS)
def test_a_row_that_means_something_else_is_refused_with_what_it_is_for(name: str) -> None:
    given, message = BAD_ROWS[name]
    reading = read_row(given)
    assert reading.row is None and message in str(reading.problem), reading


def test_what_nothing_is_done_with_is_named_and_counted() -> None:
    reading = read_row({"messages": [{**USER, "name": "Ann"}, {**ANSWER, "id": 1}], "category": "qa", "note": None})
    assert dict(reading.ignored) == {"category": 1, "messages.name": 1, "messages.id": 1}
    untrained = read_row({"messages": [USER, ANSWER, USER, {**ANSWER, "weight": 0}]})
    assert untrained.untrained_answers == 1


def test_a_question_is_read_with_its_name_and_how_it_is_to_be_answered() -> None:
    batch = {"custom_id": "request-0", "method": "POST", "url": "/v1/chat/completions"}
    body = {"model": "m", "messages": [USER], "max_tokens": 5, "top_p": 1, "stream": False}
    found = question_of({**batch, "body": body})
    assert (found.name, found.messages, found.max_new_tokens) == ("request-0", [USER], 5)
    tgi = question_of({"inputs": ASKED, "parameters": {"max_new_tokens": 7, "stop": ["."], "temperature": 0.5}})
    assert (tgi.messages, tgi.max_new_tokens, tgi.stop, tgi.temperature) == ([USER], 7, (".",), 0.5)
    assert tgi.cut("One. Two.") == "One"
    parts = question_of(
        {"id": 3, "system": "Be terse.", "messages": [{"role": "user", "content": [{"type": "text", "text": ASKED}]}]}
    )
    assert (parts.name, parts.messages) == (3, [TERSE, USER])
    bedrock = {"anthropic_version": "x", "messages": [USER], "maxTokens": 9, "stopSequences": ["."], "topP": 1.0}
    found = question_of({"recordId": "r1", "modelInput": bedrock})
    assert (found.name, found.max_new_tokens, found.stop) == ("r1", 9, (".",))
    converse = {
        "messages": [{"role": "user", "content": [{"text": ASKED}]}],
        "inferenceConfig": {"maxTokens": 9, "temperature": 0},
    }
    assert (question_of(converse).max_new_tokens, question_of(converse).temperature) == (9, 0)
    ollama = question_of({"model": "m", "prompt": ASKED, "stream": False, "options": {"num_predict": 4, "seed": None}})
    assert (ollama.messages, ollama.max_new_tokens) == ([USER], 4)
    openai = {
        "messages": [USER],
        "response_format": {"type": "text"},
        "logit_bias": {},
        "top_k": -1,
        "n": 1,
        "stop": None,
    }
    assert question_of({"id": 3.0, **openai}).name == 3.0
    assert question_of({"inputs": ASKED, "parameters": {"do_sample": False, "temperature": 0.7}}).temperature == 0
    # A row of the training's form may be asked, too.
    assert question_of({"instruction": ASKED, "response": SAID, "label": False, "cot": "It has one."}).messages == [
        USER
    ]
