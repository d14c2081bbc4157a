"""A chat template that nothing could be trained with is refused before the model is uploaded."""

import json
from pathlib import Path
from typing import Any

import pytest

from tunestack.uploads.template import check_chat_template
from tunestack.uploads.upload import UploadError

GOOD = "{% for m in messages %}<|{{ m['role'] }}|>{{ m['content'] | trim }}{{ eos_token }}{% endfor %}"
QUESTIONS_ALONE = "{% for m in messages if m['role'] == 'user' %}{{ m['content'] }}{% endfor %}"


def folder_with(folder: Path, template: Any, *, file: str | None = None) -> Path:
    (folder / "tokenizer_config.json").write_text(json.dumps({"chat_template": template} if template else {}))
    if file is not None:
        (folder / "chat_template.jinja").write_text(file)
    return folder


@pytest.mark.parametrize(
    "template",
    [
        None,
        GOOD,
        [{"name": "tool_use", "template": "{{ nothing() }}"}, {"name": "default", "template": GOOD}],
        "{{ strftime_now('%Y') }}{{ messages | tojson(indent=2) }}",
        "{% for m in messages %}{% if loop.index > 9 %}{% break %}{% endif %}{{ m.content }}{% endfor %}",
        # A tag of transformers' own: PrepareData looks.
        "{% generation %}{{ messages[1].content }}{% endgeneration %}",
    ],
)
def test_what_can_be_used_or_cannot_be_known_passes(template: Any, tmp_path: Path) -> None:
    check_chat_template(folder_with(tmp_path, template))


@pytest.mark.parametrize(
    ("template", "message"),
    [
        (QUESTIONS_ALONE, "drops the answer"),
        ("{{ messages[-1].content }}", "drops the question"),
        ("{{ messages[1].content[:4] }} {{ messages[0].content }}", "drops the answer"),
        ("{% for m in messages %}{{ m.content }}", "is none: line 1"),
        ("{{ raise_exception('a system message is needed') }}", "refuses .*: a system message is needed"),
        ("{{ messages[0].content.nothing.more }}", "refuses a question"),
        ("{{ messages[0].__class__.__mro__ }}", "refuses a question"),
        ("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}", "more than 2 seconds"),
        ("{{ 'x' * 999999 }}", "makes 999,999 characters"),
    ],
)
def test_what_nothing_could_be_trained_with_is_refused_with_the_reason(
    template: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(UploadError, match=message):
        check_chat_template(folder_with(tmp_path, GOOD, file=template))
