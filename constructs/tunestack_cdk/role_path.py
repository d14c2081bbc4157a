"""The path of every role of a stack, as landing zones prescribe it."""

import jsii
from aws_cdk import Aspects, CfnResource, IAspect, Stack
from constructs import IConstruct

from tunestack_cdk.acknowledge import acknowledge

# CDK's own validation takes a build's `Fn::GetAtt` of its role for a `Ref` (aws-cdk-lib 2.275).
_TAKEN_FOR_A_NAME = "CloudFormation-Validate::E3050"


def put_roles_under(stack: Stack, path: str) -> None:
    """Give every role of a stack a path, those that CDK makes by itself, too."""
    if path != "/":
        Aspects.of(stack).add(_RolePath(path))
        acknowledge(stack, _TAKEN_FOR_A_NAME, reason="A build names its role by ARN, with the path.")


@jsii.implements(IAspect)
class _RolePath:
    def __init__(self, path: str) -> None:
        self._path = path

    def visit(self, node: IConstruct) -> None:
        if isinstance(node, CfnResource) and node.cfn_resource_type == "AWS::IAM::Role":
            node.add_property_override("Path", self._path)
