"""A version must be registered as PendingManualApproval: people approve it afterwards."""

from tunestack.definition.subject import MODEL_PACKAGE, Problems, Subject

KINDS = frozenset({MODEL_PACKAGE})
PENDING = "PendingManualApproval"


def check(subject: Subject) -> Problems:
    # Without a status a version is pending too.
    if (status := subject.arguments.get("ModelApprovalStatus", PENDING)) != PENDING:
        yield "ModelApprovalStatus", f"must be {PENDING}, got {status!r}: nobody would have looked at the version"
