"""The messages of a conversation, from the forms that people have: roles, texts, and what of them is trained."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

ROLES = ("system", "user", "assistant")
MAX_MESSAGES = 1_000
Message = dict[str, Any]
# Other names of the roles: OpenAI's, ShareGPT's, Gemma's.
_ROLES = {
    **{role: role for role in ROLES}, "developer": "system", "human": "user", "prompter": "user", "gpt": "assistant",
    "bot": "assistant", "chatgpt": "assistant", "model": "assistant", "ai": "assistant",
}  # fmt: skip
# What calls tools, which nothing here is trained for: such a row would be trained as something else.
TOOLS = ("tools", "tool_calls", "functions", "function_call", "tool_call_id")
_TOOL_ROLES = ("tool", "function", "function_call", "observation", "ipython", "tool_call", "tool_response")
_REASONING = ("reasoning_content", "reasoning", "thinking")
# Whether an answer is trained, by OpenAI, axolotl and ms-swift; text, where a table holds it.
_TRAINED = ("weight", "train", "loss", "trainable")
_NO, _YES = ("0", "0.0", "false", "no"), ("1", "1.0", "true", "yes")
# Parts of a message that hold text; Bedrock's say no type.
_TEXTS = ("text", "input_text", "output_text")
_KNOWN = {"role", "content", "from", "value", *_REASONING, *_TRAINED}


class UnusableError(ValueError):
    """Messages, or a row, that can't be used as they are; the text says why."""


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
    if not isinstance(given, list) or not given:
        raise UnusableError(f"{name!r} must be a list that isn't empty")
    if len(given) > MAX_MESSAGES:
        raise UnusableError(f"{name!r} has at most {MAX_MESSAGES:,} messages, got {len(given):,}")
    found = Conversation()
    for index, message in enumerate(given):
        where = f"{name}[{index}]"
        if not isinstance(message, dict):
            raise UnusableError(f"{where} needs 'role' and 'content', both text")
        made = _message(message, where)
        if made["role"] == "system" and not made["content"].strip():
            # As if it weren't there: most exports have one in every row.
            continue
        if not made["content"].strip():
            raise UnusableError(f"{where}: content is empty")
        found.messages.append(made)
        found.trained.append(made["role"] == "assistant" and _is_trained(message, where))
        found.ignored.update(f"{name}.{key}" for key in message.keys() - _KNOWN if message[key] not in (None, "", []))
    return found


def text_of(content: Any, where: str) -> str:
    """A text, or the texts of a message in parts, one after the other.

    Raises:
        UnusableError: it holds something else: a picture, a call.
    """
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise UnusableError(f"{where} must be text, got {type(content).__name__}")
    texts = []
    for part in content:
        kind = part.get("type", "text") if isinstance(part, dict) else type(part).__name__
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


def _message(given: Mapping[str, Any], where: str) -> Message:
    if found := next((key for key in TOOLS if given.get(key)), None):
        raise UnusableError(f"{where}: {found!r}: calls of tools are not trained")
    role, content = given.get("role", given.get("from")), given.get("content", given.get("value"))
    if role in _TOOL_ROLES:
        raise UnusableError(f"{where}: role {role!r}: calls of tools are not trained")
    if not isinstance(role, str) or role.lower() not in _ROLES:
        raise UnusableError(f"{where}: role must be one of {', '.join(ROLES)}")
    if content is None:
        raise UnusableError(f"{where} needs 'role' and 'content', both text")
    made = {"role": _ROLES[role.lower()], "content": text_of(content, where)}
    reasoning = [given[key] for key in _REASONING if given.get(key)]
    if reasoning and made["role"] == "assistant":
        made["reasoning_content"] = text_of(reasoning[0], f"{where}: its reasoning")
    return made


def _is_trained(given: Mapping[str, Any], where: str) -> bool:
    """Whether an answer is to be trained, as the row says.

    Raises:
        UnusableError: it says how much; here it is all or nothing.
    """
    for key in _TRAINED:
        said = str(given.get(key, "1")).lower()
        if given.get(key) is not None and said not in (*_NO, *_YES):
            raise UnusableError(f"{where}: {key!r} must be 0 or 1: an answer is trained, or it isn't")
        if given.get(key) is not None and said in _NO:
            return False
    return True


def _json_of(text: str, name: str) -> Any:
    """Messages as a table's field has them."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise UnusableError(f"{name!r} must be a list of messages, got text that is no JSON") from None
