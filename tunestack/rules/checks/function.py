"""A Lambda function requires a time limit, and must not hold a secret in its environment."""

from collections.abc import Iterator

from tunestack.definition.credentials import names_a_secret
from tunestack.rules.finding import Problem
from tunestack.template.resources import Resource, Resources

KINDS = frozenset({"AWS::Lambda::Function"})


def check(resource: Resource, resources: Resources) -> Iterator[Problem]:
    for name in resource.part("Environment", "Variables"):
        if names_a_secret(str(name)):
            yield f"Environment.Variables.{name}", "looks like a secret in clear"
    if "Timeout" not in resource.properties:
        yield "Timeout", "missing"
