"""An accepted cdk-nag finding, beside the resource that has it, with its reason."""

import json

import jsii
from aws_cdk import Acknowledgment, Stack, Validations
from constructs import IConstruct, IValidation


def acknowledge(scope: IConstruct, finding: str, *, reason: str) -> None:
    """Accept one finding (`AwsSolutions-S1`, `AwsSolutions-IAM5[Action::s3:List*]`) of what is under a scope."""
    Validations.of(scope).acknowledge(Acknowledgment(id=finding, reason=reason))


def acknowledge_wildcard(scope: IConstruct, arn: str, *, reason: str) -> None:
    """Accept that a policy under a scope allows a resource with a wildcard in its ARN.

    A finding is named after the ARN as the template has it, and a reference to another stack takes that
    form at synthesis only: so it is accepted then.
    """
    scope.node.add_validation(_WildcardAcknowledgment(scope, arn, reason))


@jsii.implements(IValidation)
class _WildcardAcknowledgment:
    def __init__(self, scope: IConstruct, arn: str, reason: str) -> None:
        self._scope, self._arn, self._reason = scope, arn, reason

    def validate(self) -> list[str]:
        arn = _nag_form(Stack.of(self._scope).resolve(self._arn))
        acknowledge(self._scope, f"AwsSolutions-IAM5[Resource::{arn}]", reason=self._reason)
        return []


def _nag_form(arn: object) -> str:
    """An ARN as cdk-nag writes it in a finding: references in angle brackets, other functions as JSON."""
    if isinstance(arn, dict):
        if "Fn::Join" in arn:
            separator, parts = arn["Fn::Join"]
            return str(separator).join(_nag_form(part) for part in parts)
        if "Ref" in arn:
            return f"<{arn['Ref']}>"
        if "Fn::GetAtt" in arn:
            return f"<{'.'.join(arn['Fn::GetAtt'])}>"
        return json.dumps(arn, separators=(",", ":"))
    return str(arn)
