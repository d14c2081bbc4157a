"""A role that trains or deploys models must not approve them: an explicit deny, or no grant, of approval."""

import json
from collections.abc import Iterator

from tunestack.definition.graph import registered_metadata
from tunestack.definition.template import body_as_text
from tunestack.rules.environments import environment_of
from tunestack.rules.finding import Problem
from tunestack.template.resources import Resource, Resources
from tunestack.template.statement import IDENTITY_KINDS, ROLE, Statement, identity_statements, trust_statements
from tunestack.template.values import as_list, as_mapping, as_text, is_true

KINDS = IDENTITY_KINDS
_MAKES = (
    "sagemaker:CreateModelPackage", "sagemaker:CreateTrainingJob", "sagemaker:CreateProcessingJob",
    "sagemaker:CreatePipeline", "sagemaker:UpdatePipeline", "sagemaker:StartPipelineExecution",
    "sagemaker:RetryPipelineExecution", "iam:PassRole", "s3:PutObject",
)  # fmt: skip
_BODY = "PipelineDefinitionBody"
_OF_A_VERSION = ("sagemaker:CustomerMetadataPropertiesToRemove", "sagemaker:ModelLifeCycle:Stage")


def check(resource: Resource, resources: Resources) -> Iterator[Problem]:
    for statement in identity_statements(resource):
        for action in statement.may("sagemaker:UpdateModelPackage") if statement.allows else ():
            if not _only_rejects(statement) and not _only_approves(resource, resources):
                yield f"{statement.where}.Action", f"allows {action}: this role could approve its own model"
            elif not _only_rejects(statement) and not _decides(statement):
                yield f"{statement.where}.Condition", f"allows {action} without a decision: ask for one"
            elif not _only_rejects(statement) and (missing := _may_rewrite(statement, _pipelines(resource, resources))):
                message = f"whoever approves could rewrite what it rests on: ask that {', '.join(missing)} are Null"
                yield f"{statement.where}.Condition", message
        for action in statement.may("sagemaker:CreateModelPackage") if statement.allows else ():
            if _decision(statement) != ["PendingManualApproval"]:
                message = f"allows {action} of an approved version: ask for sagemaker:ModelApprovalStatus"
                yield f"{statement.where}.Condition", message


def _only_rejects(statement: Statement) -> bool:
    """Whether a statement lets a version be rejected, and nothing else be decided on it."""
    return _decision(statement) == ["Rejected"]


def _decides(statement: Statement) -> bool:
    decision = set(_decision(statement))
    return bool(decision) and decision <= {"Approved", "Rejected"}


def _decision(statement: Statement) -> list[str]:
    return [as_text(item) for item in as_list(statement.conditions.get("sagemaker:modelapprovalstatus"))]


def _may_rewrite(statement: Statement, pipelines: list[Resource]) -> list[str]:
    """What of a version may be changed with its approval: of all that the pipelines register with one."""
    asked = as_mapping(as_mapping(statement.content.get("Condition")).get("Null"))
    kept = {str(key).lower() for key, value in asked.items() if is_true(value)}
    bodies = [item.part("PipelineDefinition").get(_BODY) for item in pipelines]
    registered = registered_metadata(*(json.loads(body_as_text(body)) for body in bodies if body is not None))
    wanted = [*_OF_A_VERSION, *(f"sagemaker:CustomerMetadataProperties/{key}" for key in registered)]
    return [key for key in wanted if key.lower() not in kept]


def _pipelines(resource: Resource, resources: Resources) -> list[Resource]:
    """The pipelines of a policy's environment: by the tags of its roles, or all where those say none."""
    own = {environment_of(role) for role in _roles(resource, resources)} - {frozenset()}
    pipelines = resources.of_kind("AWS::SageMaker::Pipeline")
    return [item for item in pipelines if not own or environment_of(item) in own]


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
