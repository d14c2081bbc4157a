"""Who may take a role on: named people and services, never a whole account or whoever a provider knows."""

from typing import Any

import pytest

from tests.rules.test_rules import OWN, role, said


@pytest.mark.parametrize(
    ("condition", "good"),
    [
        ({}, False),
        ({"ArnLike": {"aws:PrincipalArn": "*"}}, False),
        ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::123456789012:role/*"}}, False),
        ({"ArnLike": {"aws:PrincipalArn": ["arn:aws:iam::123456789012:role/x", "arn:*"]}}, False),
        ({"StringLike": {"aws:PrincipalTag/kit-dev": "?*"}}, False),
        ({"StringNotEquals": {"aws:PrincipalTag/kit-dev": "trainer"}}, False),
        ({"Bool": {"aws:SecureTransport": "true"}}, False),
        ({"StringEquals": {"aws:PrincipalTag/kit-dev": "trainer"}}, True),
        ({"ArnEquals": {"aws:PrincipalArn": ["arn:aws:iam::123456789012:role/x"]}}, True),
    ],
)
def test_a_whole_account_takes_no_role_on(condition: dict[str, Any], good: bool) -> None:
    found = said("trust", role(Principal=OWN, Action="sts:AssumeRole", Condition=condition))
    assert (found == []) is good, found


@pytest.mark.parametrize(("key", "good"), [("aud", False), ("sub", True)])
def test_an_identity_provider_s_audience_is_everybody_whom_it_knows(key: str, good: bool) -> None:
    trusting = role(
        Principal={"Federated": "arn:aws:iam::1:oidc-provider/x"}, Condition={"StringEquals": {f"x:{key}": "sts"}}
    )
    assert (said("trust", trusting) == []) is good


def test_a_role_of_the_same_template_is_of_this_account() -> None:
    trusting = role(Principal={"AWS": {"Fn::GetAtt": ["Pipeline", "Arn"]}}, Action="sts:AssumeRole")
    pipeline_role = role(Principal={"Service": "codepipeline.amazonaws.com"}, Action="sts:AssumeRole")["It"]
    assert said("trust", trusting | {"Pipeline": pipeline_role}) == []
    assert len(said("trust", trusting)) == 1
