"""Access to objects must name a bucket and a prefix."""

import re
from collections.abc import Iterator

from tunestack.rules.finding import Problem
from tunestack.template.resources import Resource, Resources
from tunestack.template.statement import IDENTITY_KINDS, identity_statements

KINDS = IDENTITY_KINDS
_WRITES = re.compile(r"(?i)s3:(Put|Delete|Restore|Bypass|Abort)")
_WHOLE = re.compile(r"[}\]\"]/\*$|^arn:[^:]*:s3:::[^/]*(/\*)?$")


def check(resource: Resource, resources: Resources) -> Iterator[Problem]:
    for statement in identity_statements(resource):
        if statement.allows and "s3:ListBucket" in statement.actions and "s3:prefix" not in statement.conditions:
            yield f"{statement.where}.Condition", "shows every name in the bucket: ask for s3:prefix"
        if not statement.allows or not any(_WRITES.match(action) for action in statement.actions):
            continue
        for index, arn in enumerate(statement.resources):
            if _WHOLE.search(arn):
                yield f"{statement.where}.Resource[{index}]", "allows writing anywhere in a bucket: name the prefix"
