"""A model's chat template, looked at before the model is uploaded: does it keep a question and its answer?"""

import json
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn

from jinja2 import TemplateError, TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from tunestack_training.chat_template import at_most, check_length
from tunestack_training.failure import JobError

from tunestack.uploads.upload import UploadError

_MAX_SECONDS = 2
_QUESTION, _ANSWER = "what is asked here", "what is answered here"
_CONVERSATION = [{"role": "user", "content": _QUESTION}, {"role": "assistant", "content": _ANSWER}]


def check_chat_template(folder: Path) -> None:
    """See that the chat template of a model's folder, if it has one, renders a question and its answer.

    It is rendered as transformers does, with the same functions and no access to anything else. One that uses a tag
    that transformers alone knows is left to PrepareData.

    Raises:
        UploadError: it is none, refuses them, drops one of them, or doesn't end.
    """
    source = _template_of(folder)
    if source is None:
        return
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
    )
    environment.filters["tojson"] = lambda value, **options: json.dumps(value, ensure_ascii=False, **options)
    environment.globals |= {"raise_exception": _refuse, "strftime_now": datetime.now().astimezone().strftime}
    try:
        with at_most(_MAX_SECONDS):
            text = environment.from_string(source).render(
                messages=_CONVERSATION, add_generation_prompt=False, bos_token="<s>", eos_token="</s>", tools=None
            )
        check_length(text, _CONVERSATION)
    except TemplateSyntaxError as error:
        if "unknown tag" in (error.message or "") and "generation" in (error.message or ""):
            return
        raise UploadError(f"{folder}: its chat template is none: line {error.lineno}: {error.message}") from None
    except TemplateError as error:
        raise UploadError(f"{folder}: its chat template refuses a question with its answer: {error.message}") from None
    except (TypeError, ValueError, ArithmeticError, LookupError, RecursionError) as error:
        raise UploadError(f"{folder}: its chat template breaks on a question with its answer: {error}") from None
    except JobError as error:
        raise UploadError(f"{folder}: {error}") from None
    for what, wanted in (("question", _QUESTION), ("answer", _ANSWER)):
        if wanted not in text:
            raise UploadError(
                f"{folder}: its chat template drops the {what}: nothing could be trained on it. Put one that renders "
                "every message into chat_template.jinja there"
            )


def _template_of(folder: Path) -> str | None:
    """The template by its file, or by the tokenizer's configuration, which may have several by name."""
    file = folder / "chat_template.jinja"
    if file.is_file():
        try:
            return file.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            raise UploadError(f"{file} is not UTF-8: save it as UTF-8") from None
    try:
        given: Any = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8")).get("chat_template")
    except (ValueError, AttributeError) as error:
        raise UploadError(f"{folder}/tokenizer_config.json is no JSON object: {error}") from None
    if isinstance(given, list):
        named = {item.get("name"): item.get("template") for item in given if isinstance(item, dict)}
        given = named.get("default")
    return given if isinstance(given, str) else None


def _refuse(message: str) -> NoReturn:
    raise TemplateError(message)
