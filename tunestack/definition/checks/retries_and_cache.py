"""A step's retry policies and cache configuration."""

import re
from collections.abc import Iterator
from typing import Any

from tunestack.errors import nearest

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
CACHED = frozenset({"Processing", "Training", "Tuning", "Transform", "AutoML", "QualityCheck", "ClarifyCheck", "EMR"})
_DURATION = re.compile(r"(?i)P?(?=.)(\d+Y)?(\d+M)?(\d+W)?(\d+D)?(T(\d+H)?(\d+M)?(\d+S)?)?|\d+[smhdw]")


def check_retries_and_cache(entry: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Problems as (key, message)."""
    kind = entry.get("Type")
    policies = entry.get("RetryPolicies", [])
    if policies and kind in NEVER_RETRIED:
        yield "RetryPolicies", f"a {kind} step is never retried"
    for index, policy in enumerate(policies):
        where = f"RetryPolicies[{index}]"
        for name in policy.get("ExceptionType", []):
            if name not in EXCEPTION_TYPES:
                yield where, f"unknown ExceptionType {name!r}; {nearest(name, EXCEPTION_TYPES)}"
        if ("MaxAttempts" in policy) == ("ExpireAfterMin" in policy):
            yield where, "needs exactly one of MaxAttempts and ExpireAfterMin"
    cache = entry.get("CacheConfig")
    if cache is None:
        return
    if kind not in CACHED:
        yield "CacheConfig", f"a {kind} step is never cached"
    expiry = cache.get("ExpireAfter")
    if cache.get("Enabled") and expiry is not None and not _DURATION.fullmatch(str(expiry)):
        yield "CacheConfig.ExpireAfter", f"must be a duration such as P30D, got {expiry!r}"
