"""An image must come from a private registry, by a digest or by a tag that never moves."""

import re
from collections.abc import Iterator
from typing import Any

from tunestack.definition.containers import containers
from tunestack.definition.subject import MODEL, MODEL_PACKAGE, PROCESSING, TRAINING, Problems, Subject

KINDS = frozenset({PROCESSING, TRAINING, MODEL, MODEL_PACKAGE})
# An account's registry; CloudFormation may fill in account, region and domain.
_PRIVATE = re.compile(r"^(\d{12}|\$\{[^}]+\})\.dkr\.ecr\.|^\$\{")
_MOVING_TAGS = frozenset({"latest", "stable", "main", "master", "dev", "prod"})


def check(subject: Subject) -> Problems:
    for where, image in _images(subject):
        if not isinstance(image, str):
            continue
        if not _PRIVATE.match(image):
            yield where, f"must come from a private ECR registry, got {image!r}"
        name = image.rpartition("/")[2]
        if "@sha256:" in image or name.endswith("}"):
            continue
        _, colon, tag = name.partition(":")
        if not colon or tag in _MOVING_TAGS:
            yield where, f"must be named by a digest or a tag that never moves, got {tag or 'no tag'!r}"


def _images(subject: Subject) -> Iterator[tuple[str, Any]]:
    if subject.kind == PROCESSING:
        yield "AppSpecification.ImageUri", subject.part("AppSpecification").get("ImageUri")
    elif subject.kind == TRAINING:
        yield "AlgorithmSpecification.TrainingImage", subject.part("AlgorithmSpecification").get("TrainingImage")
    else:
        for where, container in containers(subject):
            yield f"{where}.Image", container.get("Image")
