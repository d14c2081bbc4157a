"""An accepted cdk-nag finding, beside the resource that has it, with its reason."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import jsii
from aws_cdk import Acknowledgment, CfnResource, Stack, Validations
from constructs import IConstruct, IValidation

from tunestack.template.text import text_of


def acknowledge(scope: IConstruct, finding: str, *, reason: str) -> None:
    """Accept one finding (`AwsSolutions-S1`, `AwsSolutions-IAM5[Action::s3:List*]`) of what is under a scope."""
    Validations.of(scope).acknowledge(Acknowledgment(id=finding, reason=reason))


# The packs beside AwsSolutions that the tests run, as their findings' names begin.
NIST, HIPAA, PCI = "NIST.800.53.R5", "HIPAA.Security", "PCI.DSS.321"


def acknowledge_in_packs(
    scope: IConstruct, rule: str, *, reason: str, packs: Sequence[str] = (NIST, HIPAA, PCI)
) -> None:
    """Accept a rule's finding (`LambdaInsideVPC`) of what is under a scope in each of the packs that have the rule."""
    Validations.of(scope).acknowledge(*(Acknowledgment(id=f"{pack}-{rule}", reason=reason) for pack in packs))


def acknowledge_checkov(resource: CfnResource, checks: Mapping[str, str]) -> None:
    """Accept checkov's findings of one resource: check (`CKV_AWS_117`) → reason, in its metadata."""
    skipped = [{"id": check, "comment": reason} for check, reason in checks.items()]
    resource.add_metadata("checkov", {"skip": skipped})


def acknowledge_wildcard(scope: IConstruct, arn: str, *, reason: str) -> None:
    """Accept that a policy under a scope allows a resource with a wildcard in its ARN.

    A finding is named after the ARN as the template has it, and a reference to another stack takes that
    form at synthesis only: so it is accepted then.
    """
    stack = Stack.of(scope)
    if stack not in _AT_SYNTHESIS:
        _AT_SYNTHESIS[stack] = _WildcardAcknowledgments(stack)
        stack.node.add_validation(_AT_SYNTHESIS[stack])
    _AT_SYNTHESIS[stack].add(scope, arn, reason)


@jsii.implements(IValidation)
class _WildcardAcknowledgments:
    """Those of one stack, resolved together: each call from Python into CDK and back has its price."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._accepted: list[tuple[IConstruct, str, str]] = []

    def add(self, scope: IConstruct, arn: str, reason: str) -> None:
        self._accepted.append((scope, arn, reason))

    def validate(self) -> list[str]:
        scopes, arns, reasons = zip(*self._accepted, strict=True)
        by_scope: defaultdict[IConstruct, list[Acknowledgment]] = defaultdict(list)
        for scope, arn, reason in zip(scopes, self._stack.resolve(list(arns)), reasons, strict=True):
            finding = f"AwsSolutions-IAM5[Resource::{_nag_form(arn)}]"
            by_scope[scope].append(Acknowledgment(id=finding, reason=reason))
        for scope, acknowledgments in by_scope.items():
            Validations.of(scope).acknowledge(*acknowledgments)
        return []


# CDK's bridge to Python keeps every stack until the process ends, and so does this.
_AT_SYNTHESIS: dict[Stack, _WildcardAcknowledgments] = {}


def _nag_form(arn: object) -> str:
    """An ARN as cdk-nag writes it in a finding: references in angle brackets, other functions as JSON."""
    return text_of(arn, _in_angle_brackets)


def _in_angle_brackets(name: str, argument: Any) -> str:
    if name == "Ref":
        return f"<{argument}>"
    if name == "Fn::GetAtt":
        return f"<{'.'.join(argument)}>"
    return json.dumps({name: argument}, separators=(",", ":"))
