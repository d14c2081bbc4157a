"""A transform takes a model that is one archive: it refuses every other source."""

from tunestack.definition.subject import TRANSFORM, Problems, Subject

KINDS = frozenset({TRANSFORM})


def check(subject: Subject) -> Problems:
    model = subject.model or {}
    for container in [model.get("PrimaryContainer", {}), *model.get("Containers", [])]:
        for member in ("ModelDataSource", "AdditionalModelDataSources"):
            if member in container:
                message = f"a model with {member} is refused by a batch transform: give ModelDataUrl, one model.tar.gz"
                yield "ModelName", message
