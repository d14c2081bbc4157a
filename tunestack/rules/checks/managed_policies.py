"""A role must not have an AWS managed policy that grants more than a service's own minimum."""

from collections.abc import Iterator

from tunestack.rules.finding import Problem
from tunestack.template.resources import Resource, Resources
from tunestack.template.values import as_list, as_text

KINDS = frozenset({"AWS::IAM::Role", "AWS::IAM::User", "AWS::IAM::Group"})
_ACCEPTED = ("service-role/AWSLambdaBasicExecutionRole", "service-role/AWSLambdaVPCAccessExecutionRole")


def check(resource: Resource, resources: Resources) -> Iterator[Problem]:
    for index, policy in enumerate(as_list(resource.properties.get("ManagedPolicyArns"))):
        text = as_text(policy)
        if ":aws:policy/" in text and not text.endswith(_ACCEPTED):
            name = text.rpartition("policy/")[2]
            yield f"ManagedPolicyArns[{index}]", f"{name} of AWS grants more than is needed: name the actions"
