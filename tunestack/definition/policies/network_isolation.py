"""A job must run in network isolation: data comes and goes through SageMaker."""

from tunestack.definition.subject import MODEL, PROCESSING, TRAINING, Problems, Subject

KINDS = frozenset({PROCESSING, TRAINING, MODEL})


def check(subject: Subject) -> Problems:
    asked = subject.part("NetworkConfig") if subject.kind == PROCESSING else subject.arguments
    if asked.get("EnableNetworkIsolation") is not True:
        where = "NetworkConfig.EnableNetworkIsolation" if subject.kind == PROCESSING else "EnableNetworkIsolation"
        yield where, "must be true: the container could send data anywhere"
