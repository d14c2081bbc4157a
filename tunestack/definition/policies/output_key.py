"""A job must encrypt its outputs with a KMS key of yours."""

from tunestack.definition.subject import PROCESSING, TRAINING, TRANSFORM, Problems, Subject

KINDS = frozenset({PROCESSING, TRAINING, TRANSFORM})
_OUTPUTS = {PROCESSING: "ProcessingOutputConfig", TRAINING: "OutputDataConfig", TRANSFORM: "TransformOutput"}


def check(subject: Subject) -> Problems:
    where = _OUTPUTS[subject.kind]
    output = subject.part(where)
    written = output.get("Outputs") if subject.kind == PROCESSING else output
    if written and "KmsKeyId" not in output:
        yield f"{where}.KmsKeyId", "missing: outputs would not be encrypted with your key"
