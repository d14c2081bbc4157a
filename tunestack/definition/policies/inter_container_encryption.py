"""A job on several machines must encrypt the traffic between its containers."""

from tunestack.definition.subject import PROCESSING, TRAINING, Problems, Subject

KINDS = frozenset({PROCESSING, TRAINING})
_MEMBER = "EnableInterContainerTrafficEncryption"


def check(subject: Subject) -> Problems:
    asked = subject.part("NetworkConfig") if subject.kind == PROCESSING else subject.arguments
    if asked.get(_MEMBER) is not True:
        where = f"NetworkConfig.{_MEMBER}" if subject.kind == PROCESSING else _MEMBER
        yield where, "must be true: weights and data of a job on several machines would travel in clear"
