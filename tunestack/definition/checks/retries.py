"""A step is retried on exceptions that the service knows, a number of times or for a time; not every kind is."""

from tunestack.definition.subject import Problems, Subject
from tunestack.errors import nearest

KINDS: frozenset[str] | None = None
EXCEPTION_TYPES = frozenset(
    {
        "Step.SERVICE_FAULT",
        "Step.THROTTLING",
        "SageMaker.JOB_INTERNAL_ERROR",
        "SageMaker.CAPACITY_ERROR",
        "SageMaker.RESOURCE_LIMIT",
    }
)
NEVER_RETRIED = frozenset({"Condition", "Fail", "Lambda", "Callback"})


def check(subject: Subject) -> Problems:
    policies = subject.entry.get("RetryPolicies", [])
    if policies and subject.kind in NEVER_RETRIED:
        yield "RetryPolicies", f"a {subject.kind} step is never retried"
    for index, policy in enumerate(policies):
        where = f"RetryPolicies[{index}]"
        for name in policy.get("ExceptionType", []):
            if name not in EXCEPTION_TYPES:
                yield where, f"unknown ExceptionType {name!r}; {nearest(name, EXCEPTION_TYPES)}"
        if ("MaxAttempts" in policy) == ("ExpireAfterMin" in policy):
            yield where, "needs exactly one of MaxAttempts and ExpireAfterMin"
