"""The policy statements of resources: what identities may do, who may take a role on, whom a resource lets in."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from tunestack.template.resources import Resource
from tunestack.template.values import as_list, as_mapping, as_mappings, as_text

# Type → where its resource policy is.
RESOURCE_POLICIES: Mapping[str, str] = {
    "AWS::ECR::Repository": "RepositoryPolicyText",
    "AWS::KMS::Key": "KeyPolicy",
    "AWS::S3::BucketPolicy": "PolicyDocument",
    "AWS::SNS::TopicPolicy": "PolicyDocument",
    "AWS::SQS::QueuePolicy": "PolicyDocument",
    "AWS::SageMaker::ModelPackageGroup": "ModelPackageGroupPolicy",
    "AWS::SecretsManager::ResourcePolicy": "ResourcePolicy",
}
IDENTITY_KINDS = frozenset(
    {"AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::Role", "AWS::IAM::User", "AWS::IAM::Group"}
)
ROLE = "AWS::IAM::Role"


@dataclass(frozen=True, kw_only=True)
class Statement:
    """A statement of a policy, with its place in the resource."""

    where: str
    content: Mapping[str, Any]

    @property
    def allows(self) -> bool:
        return self.content.get("Effect") == "Allow"

    @property
    def actions(self) -> list[str]:
        return [str(action) for action in as_list(self.content.get("Action"))]

    @property
    def resources(self) -> list[str]:
        return [as_text(resource) for resource in as_list(self.content.get("Resource"))]

    def may(self, *actions: str) -> list[str]:
        """Which of its actions hold one of these; both may have wildcards."""
        return [
            action for action in self.actions if any(_overlap(action.lower(), wanted.lower()) for wanted in actions)
        ]

    @property
    def conditions(self) -> dict[str, Any]:
        """Condition keys in lower case, with their values; of what is allowed, those alone that narrow it."""
        return {
            key.lower(): value
            for operator, asked in as_mapping(self.content.get("Condition")).items()
            for key, value in as_mapping(asked).items()
            if not (self.allows and re.search("not|ifexists", operator, re.IGNORECASE))
        }

    def principals(self, kind: str) -> list[str]:
        """The principals of a kind (`AWS`, `Service`); a bare `*` is one of kind AWS."""
        principal = self.content.get("Principal")
        if isinstance(principal, Mapping):
            return [as_text(item) for item in as_list(principal.get(kind))]
        return [as_text(principal)] if principal is not None and kind == "AWS" else []


def is_used(action: str, used: Collection[str]) -> bool:
    """Whether an action, or one that its wildcard stands for, is among the used ones, in lower case."""
    prefix = action.lower().partition("*")[0]
    return any(found.startswith(prefix) if "*" in action else found == prefix for found in used)


def _overlap(action: str, wanted: str) -> bool:
    """Whether there is an action that both patterns mean."""
    return fnmatchcase(wanted.replace("*", ""), action) or fnmatchcase(action, wanted)


def identity_statements(resource: Resource) -> Iterator[Statement]:
    """What a policy, or a role's own policies, allow."""
    if resource.kind not in IDENTITY_KINDS:
        return
    if "PolicyDocument" in resource.properties:
        yield from statements_of(resource.properties["PolicyDocument"], "PolicyDocument")
    for index, policy in enumerate(as_mappings(resource.properties.get("Policies"))):
        yield from statements_of(policy.get("PolicyDocument"), f"Policies[{index}].PolicyDocument")


def trust_statements(resource: Resource) -> Iterator[Statement]:
    """Who may take a role on."""
    if resource.kind == ROLE:
        yield from statements_of(resource.properties.get("AssumeRolePolicyDocument"), "AssumeRolePolicyDocument")


def endpoint_statements(resource: Resource) -> Iterator[Statement]:
    """What passes a VPC endpoint."""
    yield from statements_of(resource.properties.get("PolicyDocument"), "PolicyDocument")


def resource_statements(resource: Resource) -> Iterator[Statement]:
    """Whom a resource lets in."""
    if member := RESOURCE_POLICIES.get(resource.kind):
        yield from statements_of(resource.properties.get(member), member)


def statements_of(document: Any, where: str) -> Iterator[Statement]:
    """The statements of a policy's document; `where` says which policy it is."""
    for index, content in enumerate(as_mappings(as_mapping(document).get("Statement"))):
        yield Statement(where=f"{where}.Statement[{index}]", content=content)
