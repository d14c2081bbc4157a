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
GOOD_ROWS: dict[str, tuple[Any, dict[str, Any]]] = {
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
    "input that is JSON": ({"instruction": "Is it empty?", "input": "{}", "output": "Yes."}, {"prompt": [{"role": "user", "content": "Is it empty?\n\n{}"}], "completion": [{"role": "assistant", "content": "Yes."}]}),
    "a twin that is empty": ({"instruction": ASKED, "input": "", "Input": "It has one.", "output": SAID}, {"prompt": [{"role": "user", "content": f"{ASKED}\n\nIt has one."}], "completion": [ANSWER]}),
    "a class that is the answer": ({"question": ASKED, "answer": "no", "label": "no", "status": "no"}, {"prompt": [USER], "completion": [{"role": "assistant", "content": "no"}]}),
    "choices said in the question": ({"question": f"{ASKED}\nA. one way\nB. two ways", "choices": ["one way", "two ways"], "answer": "A"}, {"prompt": [{"role": "user", "content": f"{ASKED}\nA. one way\nB. two ways"}], "completion": [{"role": "assistant", "content": "A"}]}),
    "documents said in the question": ({"prompt": f"Doc: It has one.\n{ASKED}", "documents": ["It has one."], "completion": SAID}, {"prompt": [{"role": "user", "content": f"Doc: It has one.\n{ASKED}"}], "completion": [ANSWER]}),
    "a thought said in the answer": ({"question": ASKED, "response": f"<think>It has one.</think>{SAID}", "reasoning": "It has one."}, {"prompt": [USER], "completion": [{"role": "assistant", "content": f"<think>It has one.</think>{SAID}"}]}),
    "context said in the question": ({"prompt": f"It has one. {ASKED}", "context": "It has one.", "completion": SAID}, {"prompt": [{"role": "user", "content": f"It has one. {ASKED}"}], "completion": [ANSWER]}),
    "the same system twice": ({"system": "Be terse.", "messages": [TERSE, USER, ANSWER]}, {"prompt": [TERSE, USER], "completion": [ANSWER]}),
    "a prompt of messages said again": ({"prompt": [USER], "messages": [USER, ANSWER]}, ROW),
    "a system that is null": ({"messages": [{"role": "system", "content": None}, USER, ANSWER]}, ROW),
    "an answer with a role": ({"instruction": ASKED, "output": '[{"role": "chef", "name": "Bo"}]'}, {"prompt": [USER], "completion": [{"role": "assistant", "content": '[{"role": "chef", "name": "Bo"}]'}]}),
    "a text and messages": ({"prompt": ASKED, "completion": [ANSWER]}, ROW),
    "a count of messages": ({"messages": 3, "question": ASKED, "answer": SAID}, ROW),
    "messages alone": ([USER, ANSWER], ROW),
    "Gemini": ({"systemInstruction": {"role": "system", "parts": [{"text": "Be terse."}]}, "contents": [{"role": "user", "parts": [{"text": ASKED}]}, {"role": "model", "parts": [{"text": SAID}]}]}, {"prompt": [TERSE, USER], "completion": [ANSWER]}),
    "instructions and input": ({"instructions": "Be terse.", "input": ASKED, "output": SAID}, {"prompt": [TERSE, USER], "completion": [ANSWER]}),
    "input and target": ({"input": ASKED, "target": SAID}, ROW),
    "a summary beside": ({"instruction": ASKED, "output": SAID, "summary": "A button, in short words for a list."}, ROW),
    "what hubs say of rows": ({
        "instruction": ASKED, "output": SAID, "is_reasoning_complete": [True, False], "reward_model": "sfairXC/FsfairX", "reward": 12.5,
        "knowledge": "Arithmetic operations", "ground_truth": SAID, "loss": 1.42, "masked": False, "rejected": 0, "chosen_model": "a model of ours",
        "customer_feedback": "negative", "payment_status": "declined", "status": 0, "helpful": 0, "document": "Annual Report 2023",
        "source_documents": ["manual.pdf"], "reasoning_type": "multi hop", "images": 0, "video": False, "tools": "search, code", "is_train": False,
        "language_preference": "en", "cot_type": "few shot", "tables": ["users"], "examples": [1, 2], "is_correct": True, "a": 1, "train": "2021-05-01",
    }, ROW),
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
    "two systems": ({"system": "Be long.", "messages": [TERSE, USER, ANSWER]}, "two system messages"),
    "messages that are no JSON": ({"messages": "hello"}, "text that is no JSON"),
    "choices": ({"question": ASKED, "choices": ["a", "b"], "answer": 0}, "has choices"),
    "choices in columns": ({"question": ASKED, "A": "one", "B": "two", "answer": "B"}, "has choices"),
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
    "a document in Chinese": ({"question": "天气如何？", "document": "昨天整天都在下雨，今天晴天。", "answer": "晴天"}, "more to its question"),
    "a thought in Chinese": ({"question": "天气如何？", "reasoning": "昨天整天都在下雨，今天应该是晴天。", "answer": "晴天"}, "reasoning beside its answer"),
    "options as text": ({"question": ASKED, "options": "red,green,blue", "answer": "red"}, "has choices"),
    "options of MedMCQA": ({"question": ASKED, "opa": "one", "opb": "two", "answer": "one"}, "has choices"),
    "two answers of which one is None": ({"question": ASKED, "answer": "none", "solution": SAID}, "may both be its answer"),
    "twins": ({"question": ASKED, "output": SAID, "Output": "No."}, "two keys are 'output'"),
    "retrieved": ({"question": ASKED, "retrieved_contexts": ["It has a button."], "answer": SAID}, "more to its question"),
    "turns before": ({"question": ASKED, "chat_history": [["a", "b"]], "answer": SAID}, "name them 'history'"),
    "context in a message": ({"messages": [{**USER, "context": "It has a button."}, ANSWER]}, "more to its question"),
    "several responses": ({"question": ASKED, "response": SAID, "responses": [SAID, "No."]}, "several answers"),
    "wrong answers": ({"question": ASKED, "answer": SAID, "wrong_answer": "No."}, "several answers"),
    "TriviaQA": ({"question": ASKED, "answer": {"value": SAID, "aliases": ["a"]}}, "may be several answers"),
    "a cut answer": ({"question": ASKED, "answer": SAID, "finish_reason": "length"}, "was cut off"),
    **{f"marked by {key}": ({"question": ASKED, "answer": SAID, key: value}, "marked as not good") for key, value in [
        ("is_safe", False), ("toxic", True), ("passed", False), ("correctness_math_verify", [False]), ("solution_is_valid", "No"),
        ("problem_is_valid", "Incomplete"), ("approved", "N"), ("keep", "n"), ("chosen", False), ("answer_correct", False),
        ("correctness", "incorrect"), ("rating", "thumbs_down"), ("feedback", "👎"), ("status", "failed"), ("quality", "very poor"),
        ("do_not_train", True), ("removed", "yes"),
    ]},
    "a weight with a comma": ({"question": ASKED, "answer": SAID, "weight": "0,5"}, "rows are trained alike"),
    "OpenAI's preferences": ({"input": ASKED, "preferred_output": SAID, "non_preferred_output": "No."}, "preference pair"),
    "a text and its class": ({"text": "I like it.", "label": 1}, "plain text and 'label' its class"),
    "system, user and assistant": ({"system": "Be terse.", "user": ASKED, "assistant": SAID}, "got the keys"),
    "columns": ({"instruction": [ASKED, "b"], "response": [SAID, "c"]}, "is a column"),
    "messages as Python shows them": ({"messages": "[{'role': 'user', 'content': 'x'}]"}, "write it with to_json"),
    "a dialogue": ({"dialogue": [USER, ANSWER], "question": ASKED, "answer": "x"}, "name it 'messages'"),
    "tools of something else": ({"messages": [USER, ANSWER], "tools": [{"x": 1}]}, "must be a function with a name"),
    "a call without a name": ({"messages": [USER, {**ANSWER, "tool_calls": [1]}]}, "must be a call of a function by its name"),
    "arguments that are a list": ({"messages": [USER, {**ANSWER, "tool_calls": [{"function": {"name": "x", "arguments": "[1]"}}]}]}, "must be an object"),
    "a user's call": ({"messages": [{**USER, "tool_calls": [{"name": "x"}]}, ANSWER]}, "calls of tools are an assistant's"),
    "tools by another name": ({"messages": [USER, ANSWER], "available_tools": [{"name": "x"}]}, "name them 'tools'"),
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
    for asked in (
        {"input": ASKED}, {"input": [USER]}, {"custom_id": "a", "params": {"messages": [USER], "max_tokens": 9}},
        {"request": {"contents": [{"role": "user", "parts": [{"text": ASKED}]}]}}, {"messages": [USER], "seed": 42, "top_p": 0.9, "temperature": 0},
        {"messages": [USER], "generationConfig": {"topP": 1.0, "candidateCount": 1}}, {"instruction": ASKED, "seed": "def f(): pass"},
        {"messages": [USER], "thinking": {"type": "disabled"}, "reasoning_effort": "none"}, {"instruction": ASKED, "format": "markdown"},
        {"model": "m", "prompt": ASKED, "options": {"num_predict": -1, "num_gpu": 1}},
    ):  # fmt: skip
        assert question_of(asked).messages == [USER], asked
    assert question_of({"instruction": ASKED, "max_tokens": 5.0, "stop": ["\n"]}).stop == ("\n",)
    assert question_of({"input": ASKED, "instructions": "Be terse."}).messages == [TERSE, USER]
    assert question_of({"instruction": ASKED, "_id": "x7"}).name == "x7"
    for refused in (
        {"instruction": ASKED, "topP": 0.1}, {"messages": [USER], "stream": True}, {"instruction": ASKED, "n": 3},
        {"prompt": ASKED, "format": "json"}, {"messages": [USER], "thinking": {"type": "enabled"}}, {"prompt": ASKED, "seed": 1},
        {"prompt": ASKED, "chat_history": [["a", "b"]]}, {"prompt": ASKED, "temperature": 0.5, "parameters": {"temperature": 0.7}},
    ):  # fmt: skip
        with pytest.raises(ValueError, match="leave it out|leave one out|history"):
            question_of(refused)
    # A row of the training's form may be asked, too.
    assert question_of({"instruction": ASKED, "response": SAID, "label": False, "cot": "It has one."}).messages == [
        USER
    ]
