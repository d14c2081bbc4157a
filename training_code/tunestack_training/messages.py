"""The messages of a conversation, from the forms that people have: roles, texts, and what of them is trained."""

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tunestack_training.failure import UnusableError
from tunestack_training.row_keys import NO, YES, is_there, meaning_of
from tunestack_training.tool_calls import ANSWERS_OF_TOOLS, CALLS, ROLES_OF_CALLS, calls_in_text, calls_of

ROLES = ("system", "user", "assistant")
MAX_MESSAGES = 1_000
Message = dict[str, Any]
# Other names of the roles: OpenAI's, ShareGPT's, Gemma's, Cohere's.
_ROLES = {
    **{role: role for role in ROLES}, "developer": "system", "human": "user", "prompter": "user", "gpt": "assistant",
    "bot": "assistant", "chatgpt": "assistant", "chatbot": "assistant", "model": "assistant", "ai": "assistant",
}  # fmt: skip
_REASONING = ("reasoning_content", "reasoning", "thinking")
# Whether an answer is trained, by OpenAI, axolotl and ms-swift; text, where a table holds it.
_TRAINED = ("weight", "train", "training", "loss", "loss_scale", "loss_weight", "loss_mask", "trainable")
# Parts of a message that hold text; Bedrock's say no type.
_TEXTS = ("text", "input_text", "output_text")
_OF_A_PART = {"type", "text", "cache_control", "annotations", "citations"}
_PLAIN = ("role", "content")
_KNOWN = {*_PLAIN, "from", "value", "parts", *_REASONING, *_TRAINED, *CALLS}
# What a tool's answer may say of the call that it answers.
_OF_AN_ANSWER = ("name", "tool_call_id")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]{0,49}")


def shown(name: Any) -> str:
    """A key for a message or a log: a word as it is, and nothing that could be a row's content."""
    return repr(name) if isinstance(name, str) and _WORD.fullmatch(name) else "(not a word)"


@dataclass(kw_only=True)
class Conversation:
    """Checked messages: which answers are trained, and the keys in them that nothing is done with."""

    messages: list[Message] = field(default_factory=list)
    trained: list[bool] = field(default_factory=list)
    ignored: Counter[str] = field(default_factory=Counter)


def conversation_of(given: Any, name: str = "messages") -> Conversation:
    """Messages in the one form: role and content, and an assistant's reasoning as `reasoning_content`.

    Raises:
        UnusableError: they are no conversation of texts.
    """
    if isinstance(given, str):
        given = _json_of(given, name)
    if not isinstance(given, list):
        raise UnusableError(f"{name!r} must be a list of messages, got {type(given).__name__}")
    if not given:
        raise UnusableError(f"{name!r} must be a list that isn't empty")
    if len(given) > MAX_MESSAGES:
        raise UnusableError(f"{name!r} has at most {MAX_MESSAGES:,} messages, got {len(given):,}")
    found = Conversation()
    for index, message in enumerate(given):
        where = f"{name}[{index}]"
        if not isinstance(message, dict):
            raise UnusableError(f"{where} needs 'role' and 'content', both text")
        # What stands beside role and content; in most messages nothing does, and rows are many.
        beside = {key: item for key, item in message.items() if key not in _PLAIN and is_there(item)}
        made = _message(message, beside, where)
        if made["role"] == "system" and not made["content"].strip():
            # As if it weren't there: most exports have one in every row.
            continue
        if not made["content"].strip() and "tool_calls" not in made and made["role"] != "tool":
            raise UnusableError(f"{where}: content is empty")
        found.messages.append(made)
        found.trained.append(made["role"] == "assistant" and _is_trained(beside, where))
        found.ignored.update(f"{name}.{key}" for key in beside.keys() - _KNOWN - made.keys())
    return found


def is_message(item: Any) -> bool:
    """Whether a value is a message of a conversation, and no other structure that has a role."""
    return isinstance(item, dict) and (
        ("role" in item and bool({"content", "parts", "tool_calls"} & {*item})) or {"from", "value"} <= {*item}
    )


def text_of(content: Any, where: str) -> str:
    """A text, or the texts of a message in parts, one after the other.

    Raises:
        UnusableError: it holds something else: a picture, a call.
    """
    if isinstance(content, dict) and "parts" in content:
        content = content["parts"]
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise UnusableError(f"{where} must be text, got {type(content).__name__}")
    texts = []
    for part in content:
        kind = _kind_of(part)
        if kind not in _TEXTS:
            raise UnusableError(f"{where} has a part that is no text ({kind}): this kit trains on text alone")
        if not isinstance(part.get("text"), str):
            raise UnusableError(f"{where} has a part without its 'text'")
        texts.append(part["text"])
    return "".join(texts)


def system_message(text: Any, key: str) -> list[Message]:
    """A system's message of a row that has it beside its question, or none.

    Raises:
        UnusableError: it is no text.
    """
    content = "" if text is None else text_of(text, repr(key))
    return [{"role": "system", "content": content}] if content.strip() else []


def _kind_of(part: Any) -> str:
    """What a part of a message is; tables have a field for every kind, all but one of them empty."""
    if not isinstance(part, dict):
        return type(part).__name__
    others = [key for key in part if key not in _OF_A_PART and is_there(part[key])]
    if others and part.get("type") in (None, *_TEXTS):
        return shown(others[0])
    return str(part.get("type") or "text")


def _message(given: Mapping[str, Any], beside: Mapping[str, Any], where: str) -> Message:
    role, content = _one_of(given, ("role", "from"), where), _one_of(given, ("content", "value", "parts"), where)
    name = role.strip().lower() if isinstance(role, str) else ""
    if name in ROLES_OF_CALLS:
        return {"role": "assistant", "content": "", "tool_calls": calls_in_text(content, where)}
    if name not in _ROLES and name not in ANSWERS_OF_TOOLS:
        raise UnusableError(f"{where}: role must be one of {', '.join(ROLES)} or tool")
    made_role = _ROLES.get(name, "tool")
    calls = calls_of(beside, where)
    if content is None and (made_role == "system" or calls):
        content = ""
    if content is None:
        raise UnusableError(f"{where} needs 'role' and 'content', both text")
    for key, item in beside.items():
        if key not in _KNOWN and (meaning := meaning_of(key, item)):
            raise UnusableError(f"{where}: with {shown(key)} {meaning.reason}")
    made: Message = {
        "role": made_role,
        "content": _tool_text(content) if made_role == "tool" else text_of(content, where),
    }
    if calls:
        if made_role != "assistant":
            raise UnusableError(f"{where}: calls of tools are an assistant's")
        made["tool_calls"] = calls
    if made_role == "tool":
        made |= {key: beside[key] for key in _OF_AN_ANSWER if isinstance(beside.get(key), str)}
    if reasoning := [beside[key] for key in _REASONING if not isinstance(beside.get(key), bool | None)]:
        if made_role != "assistant" or any(other != reasoning[0] for other in reasoning[1:]):
            raise UnusableError(f"{where}: reasoning is an assistant's, and stands there once")
        made["reasoning_content"] = text_of(reasoning[0], f"{where}: its reasoning")
    return made


def _tool_text(content: Any) -> str:
    """What a tool answered: a text, or JSON."""
    in_parts = isinstance(content, list) and all(_kind_of(part) in _TEXTS for part in content)
    if isinstance(content, str) or in_parts:
        return text_of(content, "a tool's answer")
    return json.dumps(content, ensure_ascii=False, default=str)


def _one_of(given: Mapping[str, Any], names: tuple[str, ...], where: str) -> Any:
    """What a message has under one of several names.

    Raises:
        UnusableError: under two of them, and not the same.
    """
    found = [given[key] for key in names if key in given and given[key] is not None]
    if len(found) < 2:
        return found[0] if found else None
    said = [item for item in found if is_there(item)]
    if any(item != said[0] for item in said[1:]):
        raise UnusableError(
            f"{where} has both {' and '.join(repr(key) for key in names if key in given)}: leave one out"
        )
    return next(iter(said or found), None)


def _is_trained(beside: Mapping[str, Any], where: str) -> bool:
    """Whether an answer is to be trained, as the row says.

    Raises:
        UnusableError: it says how much; here it is all or nothing.
    """
    for key in (key for key in _TRAINED if key in beside):
        said = str(beside[key]).strip().lower()
        if said not in (*NO, *YES):
            raise UnusableError(f"{where}: {key!r} must be 0 or 1: an answer is trained, or it isn't")
        if said in NO:
            return False
    return True


def _json_of(text: str, name: str) -> Any:
    """Messages as a table's field has them."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        way = ", but as Python shows it: write it with to_json" if text.lstrip().startswith(("[{'", "{'")) else ""
        raise UnusableError(f"{name!r} must be a list of messages, got text that is no JSON{way}") from None
