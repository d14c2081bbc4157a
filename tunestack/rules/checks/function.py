"""A Lambda function requires a time limit, pinned code, and variables that hold no secret and load no other code."""

import re
from collections.abc import Iterator

from tunestack.rules.finding import Problem
from tunestack.rules.variables import variable_problems
from tunestack.template.resources import Resource, Resources
from tunestack.template.values import as_text

KINDS = frozenset({"AWS::Lambda::Function"})
# By its content, as CDK names an asset.
_PINNED = re.compile(r"[0-9a-f]{64}\.(zip|jar)")


def check(resource: Resource, resources: Resources) -> Iterator[Problem]:
    for name, value in resource.part("Environment", "Variables").items():
        for problem in variable_problems(str(name), value):
            yield f"Environment.Variables.{name}", problem
    if "Timeout" not in resource.properties:
        yield "Timeout", "missing"
    code = resource.part("Code")
    if "S3Key" in code and "S3ObjectVersion" not in code and not _PINNED.search(as_text(code["S3Key"])):
        yield "Code.S3Key", "isn't pinned by its content, nor by S3ObjectVersion: other code could take its place"
