"""A role that trains or deploys models must not approve them: an explicit deny, or no grant, of approval."""

from collections.abc import Iterator

from tunestack.rules.finding import Problem
from tunestack.template.resources import Resource, Resources
from tunestack.template.statement import IDENTITY_KINDS, ROLE, Statement, identity_statements, trust_statements
from tunestack.template.values import as_list, as_text

KINDS = IDENTITY_KINDS
_MAKES = (
    "sagemaker:CreateModelPackage", "sagemaker:CreateTrainingJob", "sagemaker:CreateProcessingJob",
    "sagemaker:CreatePipeline", "sagemaker:UpdatePipeline", "sagemaker:StartPipelineExecution",
    "sagemaker:RetryPipelineExecution", "iam:PassRole", "s3:PutObject",
)  # fmt: skip


def check(resource: Resource, resources: Resources) -> Iterator[Problem]:
    for statement in identity_statements(resource):
        for action in statement.may("sagemaker:UpdateModelPackage") if statement.allows else ():
            if not _only_rejects(statement) and not _only_approves(resource, resources):
                yield f"{statement.where}.Action", f"allows {action}: this role could approve its own model"


def _only_rejects(statement: Statement) -> bool:
    """Whether a statement lets a version be rejected, and nothing else be decided on it."""
    return as_list(statement.conditions.get("sagemaker:modelapprovalstatus")) == ["Rejected"]


def _only_approves(resource: Resource, resources: Resources) -> bool:
    """Whether a policy is a person's who makes nothing that a version comes of."""
    roles = _roles(resource, resources)
    of_people = bool(roles) and all(_is_a_person_s(role) for role in roles)
    names = {role.logical_id for role in roles}
    attached = [
        other
        for other in resources.of_kind(*IDENTITY_KINDS)
        if other.template == resource.template
        and (other.logical_id in names or names & {role.logical_id for role in _roles(other, resources)})
    ]
    statements = [statement for other in attached for statement in identity_statements(other) if statement.allows]
    return of_people and not any(statement.may(*_MAKES) for statement in statements)


def _roles(resource: Resource, resources: Resources) -> list[Resource]:
    """The roles that a policy is attached to, as far as they are of its template; a role is its own."""
    if resource.kind == ROLE:
        return [resource]
    named = {as_text(role) for role in as_list(resource.properties.get("Roles"))}
    return [
        role
        for role in resources.of_kind(ROLE)
        if role.template == resource.template and as_text({"Ref": role.logical_id}) in named
    ]


def _is_a_person_s(role: Resource) -> bool:
    trusts = [statement for statement in trust_statements(role) if statement.allows]
    return bool(trusts) and not any(statement.principals("Service") for statement in trusts)
