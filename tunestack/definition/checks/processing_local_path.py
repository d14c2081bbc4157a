"""A processing job sees its inputs and outputs under /opt/ml/processing/."""

from tunestack.definition.subject import PROCESSING, Problems, Subject

KINDS = frozenset({PROCESSING})
_ROOT = "/opt/ml/processing/"


def check(subject: Subject) -> Problems:
    places = [
        *(
            (f"ProcessingInputs[{index}].S3Input", item.get("S3Input", {}))
            for index, item in enumerate(subject.arguments.get("ProcessingInputs", []))
        ),
        *(
            (f"ProcessingOutputConfig.Outputs[{index}].S3Output", item.get("S3Output", {}))
            for index, item in enumerate(subject.part("ProcessingOutputConfig").get("Outputs", []))
        ),
    ]
    for where, place in places:
        path = place.get("LocalPath")
        if isinstance(path, str) and not path.startswith(_ROOT):
            yield f"{where}.LocalPath", f"must be under {_ROOT}, got {path!r}"
