"""A step whose outcome is cached has a duration, and is of a kind that the SageMaker SDK gives a `CacheConfig`."""

import re

from tunestack.definition.subject import Problems, Subject

KINDS: frozenset[str] | None = None
NEVER_CACHED = frozenset({"Condition", "Fail", "Model", "RegisterModel"})
_DURATION = re.compile(r"(?i)P?(?=.)(\d+Y)?(\d+M)?(\d+W)?(\d+D)?(T(\d+H)?(\d+M)?(\d+S)?)?|\d+[smhdw]")


def check(subject: Subject) -> Problems:
    cache = subject.entry.get("CacheConfig")
    if cache is None:
        return
    if subject.kind in NEVER_CACHED:
        yield "CacheConfig", f"a {subject.kind} step is never cached"
    expiry = cache.get("ExpireAfter")
    if cache.get("Enabled") and expiry is not None and not _DURATION.fullmatch(str(expiry)):
        yield "CacheConfig.ExpireAfter", f"must be a duration such as P30D, got {expiry!r}"
