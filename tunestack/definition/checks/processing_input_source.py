"""A processing input comes from S3 or from a data set definition, never from both."""

from tunestack.definition.subject import PROCESSING, Problems, Subject

KINDS = frozenset({PROCESSING})


def check(subject: Subject) -> Problems:
    for index, item in enumerate(subject.arguments.get("ProcessingInputs", [])):
        if ("S3Input" in item) == ("DatasetDefinition" in item):
            yield f"ProcessingInputs[{index}]", "needs exactly one of S3Input and DatasetDefinition"
