"""A Fail step says why, and nothing else."""

from tunestack.definition.subject import Problems, Subject
from tunestack.errors import nearest

KINDS = frozenset({"Fail"})


def check(subject: Subject) -> Problems:
    if subject.arguments.get("ErrorMessage") in (None, ""):
        yield "ErrorMessage", "missing"
    for member in subject.arguments.keys() - {"ErrorMessage"}:
        yield member, f"unknown member; {nearest(member, ('ErrorMessage',))}"
