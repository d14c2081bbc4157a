"""A job must not run code that comes with a model, and must load nothing from the hub."""

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from tunestack.definition.subject import PROCESSING, TRAINING, TRANSFORM, Problems, Subject

KINDS = frozenset({PROCESSING, TRAINING, TRANSFORM})
_OFFLINE = frozenset({"HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_DATASETS_OFFLINE"})
_OFF = re.compile(r"(?i)0|false|no|off|")
_ON = re.compile(r"(?i)1|true|yes|on")


def check(subject: Subject) -> Problems:
    for where, key, value in _settings(subject):
        if key.endswith("trust_remote_code") and _ON.fullmatch(str(value)):
            yield where, "must be false: the job would run code that came with the model"
        if key in _OFFLINE and _OFF.fullmatch(str(value)):
            yield where, "must stay on: the job would load from the hub what nobody has looked at"


def _settings(subject: Subject) -> Iterator[tuple[str, str, Any]]:
    for member in ("HyperParameters", "Environment"):
        values = subject.arguments.get(member)
        for key, value in values.items() if isinstance(values, Mapping) else ():
            yield f"{member}.{key}", key, value
    arguments = subject.part("AppSpecification").get("ContainerArguments") or []
    for index, (key, value) in enumerate(pairwise(arguments)):
        if isinstance(key, str):
            yield f"AppSpecification.ContainerArguments[{index + 1}]", key.lstrip("-"), value
