"""What the containers of a job tell each other is encrypted."""

from tunestack.definition.subject import PROCESSING, TRAINING, Problems, Subject

KINDS = frozenset({PROCESSING, TRAINING})
_MEMBER = "EnableInterContainerTrafficEncryption"


def check(subject: Subject) -> Problems:
    asked = subject.part("NetworkConfig") if subject.kind == PROCESSING else subject.arguments
    if asked.get(_MEMBER) is not True:
        where = f"NetworkConfig.{_MEMBER}" if subject.kind == PROCESSING else _MEMBER
        yield where, "must be true: weights and data of a job on several machines would travel in clear"
