"""A job must allow no remote shell, and must not run privileged containers."""

from tunestack.definition.subject import PROCESSING, TRAINING, Problems, Subject

KINDS = frozenset({PROCESSING, TRAINING})


def check(subject: Subject) -> Problems:
    if subject.part("RemoteDebugConfig").get("EnableRemoteDebug"):
        yield (
            "RemoteDebugConfig.EnableRemoteDebug",
            "must be off: it opens a shell with the job's role",
        )
    if subject.part("SessionChainingConfig").get("EnableSessionTagChaining"):
        yield "SessionChainingConfig.EnableSessionTagChaining", "must be off: tags of one job would reach the next"
