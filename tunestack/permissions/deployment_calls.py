"""What CloudFormation calls to make, change and delete a resource: by AWS's own schemas (as cfn-lint has them)."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from tunestack.errors import UserError
from tunestack.permissions.reference import ResourceType, is_known, resource_types
from tunestack.template.assembly import Stack

Operation = Literal["create", "read", "update", "delete", "list"]
# CDK's own, and functions that stand in for resources: what they take is said by `ALWAYS`.
_NO_RESOURCE = ("Custom::", "AWS::CDK::", "AWS::CloudFormation::CustomResource")
# What CloudFormation asks for, whatever it deploys: CDK's check of the bootstrap's version, the functions' code, and
# the functions behind custom resources.
ALWAYS = frozenset(
    {"ssm:GetParameters", "s3:GetObject", "lambda:InvokeFunction", "iam:PassRole", "cloudformation:DescribeStacks"}
)
# Types whose schemas name no action, as of cfn-lint 1.58 (Service Authorization Reference of each service).
_WITHOUT_SCHEMA: Mapping[str, Mapping[Operation, tuple[str, ...]]] = {
    "AWS::CodeBuild::Project": {
        "create": ("codebuild:CreateProject", "iam:PassRole"),
        "read": ("codebuild:BatchGetProjects",),
        "update": ("codebuild:UpdateProject", "iam:PassRole"),
        "delete": ("codebuild:DeleteProject",),
    },
    "AWS::EC2::SecurityGroup": {
        "create": (
            "ec2:AuthorizeSecurityGroupEgress", "ec2:AuthorizeSecurityGroupIngress", "ec2:CreateSecurityGroup",
            "ec2:CreateTags", "ec2:RevokeSecurityGroupEgress",
        ),
        "read": ("ec2:DescribeSecurityGroups",),
        "update": (
            "ec2:AuthorizeSecurityGroupEgress", "ec2:AuthorizeSecurityGroupIngress", "ec2:CreateTags", "ec2:DeleteTags",
            "ec2:RevokeSecurityGroupEgress", "ec2:RevokeSecurityGroupIngress",
        ),
        "delete": ("ec2:DeleteSecurityGroup",),
    },
    "AWS::IAM::Policy": {
        "create": ("iam:PutRolePolicy",), "read": ("iam:GetRolePolicy",), "update": ("iam:PutRolePolicy",),
        "delete": ("iam:DeleteRolePolicy",),
    },
    "AWS::SQS::QueuePolicy": {
        "create": ("sqs:SetQueueAttributes",), "read": ("sqs:GetQueueAttributes",),
        "update": ("sqs:SetQueueAttributes",), "delete": ("sqs:SetQueueAttributes",),
    },
}  # fmt: skip
# Services that have two prefixes, one of which the schemas don't have yet; a connection's ARN has either.
_TWINS = {"codestar-connections": "codeconnections"}
# What a template's functions and references ask of other services.
_OF_TEXT = {
    '"Fn::GetAZs"': "ec2:DescribeAvailabilityZones",
    "{{resolve:ssm:": "ssm:GetParameters",
    "{{resolve:ssm-secure:": "ssm:GetParameters",
    "{{resolve:secretsmanager:": "secretsmanager:GetSecretValue",
}
# Type of resource → its kind in the Service Authorization Reference, and the property that names it.
_KINDS: Mapping[str, tuple[str, str]] = {
    "AWS::Budgets::Budget": ("budgets:budget", "Budget.BudgetName"),
    "AWS::CloudWatch::Alarm": ("cloudwatch:alarm", "AlarmName"),
    "AWS::CodeBuild::Project": ("codebuild:project", "Name"),
    "AWS::CodePipeline::Pipeline": ("codepipeline:pipeline", "Name"),
    "AWS::ECR::Repository": ("ecr:repository", "RepositoryName"),
    "AWS::Events::EventBus": ("events:event-bus", "Name"),
    "AWS::Events::EventBusPolicy": ("events:event-bus", "EventBusName"),
    "AWS::Events::Rule": ("events:rule-on-default-event-bus", "Name"),
    "AWS::IAM::OIDCProvider": ("iam:oidc-provider", "Url"),
    "AWS::IAM::Policy": ("iam:role", "Roles"),
    "AWS::IAM::Role": ("iam:role", "RoleName"),
    "AWS::KMS::Alias": ("kms:alias", "AliasName"),
    "AWS::KMS::Key": ("kms:key", ""),
    "AWS::Lambda::EventSourceMapping": ("lambda:eventSourceMapping", ""),
    "AWS::Lambda::Function": ("lambda:function", "FunctionName"),
    "AWS::Lambda::Permission": ("lambda:function", "FunctionName"),
    "AWS::Logs::LogGroup": ("logs:log-group", "LogGroupName"),
    "AWS::RAM::ResourceShare": ("ram:resource-share", ""),
    "AWS::S3::Bucket": ("s3:bucket", "BucketName"),
    "AWS::S3::BucketPolicy": ("s3:bucket", "Bucket"),
    "AWS::SNS::Topic": ("sns:topic", "TopicName"),
    "AWS::SNS::TopicPolicy": ("sns:topic", "Topics"),
    "AWS::SQS::Queue": ("sqs:queue", "QueueName"),
    "AWS::SQS::QueuePolicy": ("sqs:queue", "Queues"),
    "AWS::SageMaker::ModelPackageGroup": ("sagemaker:model-package-group", "ModelPackageGroupName"),
    "AWS::SageMaker::Pipeline": ("sagemaker:pipeline", "PipelineName"),
    "AWS::Signer::SigningProfile": ("signer:signing-profile", ""),
}


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a stack goes."""

    partition: str
    region: str
    account: str

    def arn(self, kind: ResourceType, name: str = "*") -> str:
        """The ARN of what lies there."""
        return kind.arn(partition=self.partition, region=self.region, account=self.account, name=name)


def actions_of(kind: str, operation: Operation | None = None) -> frozenset[str]:
    """The actions that CloudFormation's handler of a resource type calls, in one operation or in any.

    Raises:
        UserError: nobody says which, or cfn-lint isn't installed.
    """
    if kind.startswith(_NO_RESOURCE):
        return frozenset()
    by_operation = _by_operation(kind)
    if not any(by_operation.values()):
        raise UserError(f"nobody says what deploying {kind} takes: bootstrap its account with policies of your own")
    named = by_operation.values() if operation is None else (by_operation.get(operation, frozenset()),)
    return frozenset().union(*named)


@cache
def _by_operation(kind: str) -> Mapping[str, frozenset[str]]:
    handlers = _schema(kind).get("handlers", {})
    found: dict[str, set[str]] = {
        name: {action for action in handler.get("permissions", ()) if ":" in action}
        for name, handler in handlers.items()
    }
    for name, actions in _WITHOUT_SCHEMA.get(kind, {}).items():
        found.setdefault(name, set()).update(actions)
    # Some schemas name what IAM doesn't have (`s3:DeleteBucketCors`).
    return {name: frozenset(filter(is_known, (*actions, *_twins(actions)))) for name, actions in found.items()}


def _twins(actions: Iterable[str]) -> Iterator[str]:
    for action in actions:
        service, _, name = action.partition(":")
        if service in _TWINS:
            yield f"{_TWINS[service]}:{name}"


def _schema(kind: str) -> Mapping[str, Any]:
    try:
        from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER
    except ImportError:
        raise UserError(
            "the schemas of CloudFormation's resources come with cfn-lint: `make setup` installs it"
        ) from None
    found: Mapping[str, Any] = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema
    return found


def actions_of_template(template: Mapping[str, Any]) -> set[str]:
    """What deploying a template takes beside its resources: its functions' and references' own calls."""
    text = json.dumps(template)
    return {action for part, action in _OF_TEXT.items() if part in text}


def needed_actions(stacks: Iterable[Stack]) -> set[str]:
    """All actions that deploying stacks takes.

    Raises:
        UserError: see `actions_of`.
    """
    found = set(ALWAYS)
    for stack in stacks:
        found |= actions_of_template(stack.template)
        for item in stack.template.get("Resources", {}).values():
            found |= actions_of(item["Type"])
    return found


def kind_of(resource_type: str) -> str | None:
    """The kind of a resource in AWS's reference (`s3:bucket`); None for types that AWS gives all their names."""
    return _KINDS[resource_type][0] if resource_type in _KINDS else None


def names_of(resource_type: str, properties: Mapping[str, Any]) -> list[str]:
    """What a template calls a resource, or those that a policy is for; none where CloudFormation names it."""
    if resource_type not in _KINDS:
        return []
    value: Any = properties
    for part in _KINDS[resource_type][1].split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    found = [item for item in (value if isinstance(value, list) else [value]) if isinstance(item, str) and item]
    return [f"{path_of(resource_type, properties)}{_bare(resource_type, name)}" for name in found]


def _bare(resource_type: str, name: str) -> str:
    """A name as an ARN has it: templates give it as an ARN, a queue's URL, or with what says its kind, too."""
    if resource_type == "AWS::IAM::OIDCProvider":
        return name.removeprefix("https://")
    if name.startswith("arn:") or "://" in name:
        return re.split(r"[:/]", name)[-1]
    return name.removeprefix("alias/")


def path_of(resource_type: str, properties: Mapping[str, Any]) -> str:
    """What stands before a role's name in its ARN."""
    return str(properties.get("Path", "/")).lstrip("/") if resource_type == "AWS::IAM::Role" else ""


def calls_of(
    resource_type: str, properties: Mapping[str, Any], *, operation: Operation, place: Place, default_name: str
) -> Iterator[tuple[str, str]]:
    """What an operation on a resource calls: (action, ARN), with `*` where the action knows no resource.

    Actions on what isn't of the resource's own kind are left out, as of a bucket's replication: the schemas name what
    a handler may call, and whether it does depends on the properties.
    """
    own, own_service = kind_of(resource_type), resource_type.split("::")[1].lower()
    for action in sorted(actions_of(resource_type, operation)):
        kinds = resource_types(action)
        service = action.partition(":")[0]
        if not kinds:
            yield action, "*"
        for kind in kinds if own else kinds[:1]:
            if f"{service}:{kind.name}" == own or (own is None and service == own_service):
                given = f"{path_of(resource_type, properties)}{default_name}"
                for name in names_of(resource_type, properties) or [given]:
                    yield action, place.arn(kind, name)
