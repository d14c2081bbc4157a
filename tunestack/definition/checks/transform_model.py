"""A transform takes a model that is one archive: it refuses every other source."""

from collections.abc import Mapping

from tunestack.definition.subject import TRANSFORM, Problems, Subject

KINDS = frozenset({TRANSFORM})


def check(subject: Subject) -> Problems:
    model = subject.model or {}
    for container in [model.get("PrimaryContainer") or {}, *(model.get("Containers") or [])]:
        for member in ("ModelDataSource", "AdditionalModelDataSources"):
            if isinstance(container, Mapping) and member in container:
                message = f"a model with {member} is refused by a batch transform: give ModelDataUrl, one model.tar.gz"
                yield "ModelName", message
