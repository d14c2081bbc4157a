"""CloudFormation in the local AWS may do what a stack's role may: an action too few fails the deployment here, too."""

import json
from contextlib import suppress
from typing import Any

import pytest
from botocore.exceptions import WaiterError

from tests.local.conftest import client
from tunestack.local import LocalAws

pytestmark = pytest.mark.slow

ACCOUNT = "444444444444"
"""Of its own: what is refused here on purpose must not be in the ledger of the environment's account."""
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "cloudformation.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}
REPOSITORY = f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/"
BUS = {"Type": "AWS::Events::EventBus", "Properties": {"Name": "kit-bus"}}
PERMISSION = {
    "Type": "AWS::Events::EventBusPolicy",
    "Properties": {
        "EventBusName": {"Ref": "Bus"},
        "StatementId": "partner",
        "Statement": {
            "Effect": "Allow", "Principal": {"AWS": "111111111111"}, "Action": "events:PutEvents",
            "Resource": {"Fn::GetAtt": ["Bus", "Arn"]},
        },
    },
}  # fmt: skip


def role_with(local: LocalAws, name: str, *statements: dict[str, Any]) -> str:
    iam = client(local, "iam", ACCOUNT)
    arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **item} for item in statements]}
    iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=json.dumps(policy))
    return arn


def deploy(local: LocalAws, name: str, role: str, **resources: Any) -> list[str]:
    """What CloudFormation said of what failed; nothing where the stack was made."""
    cloudformation = client(local, "cloudformation", ACCOUNT)
    cloudformation.create_stack(StackName=name, TemplateBody=json.dumps({"Resources": resources}), RoleARN=role)
    with suppress(WaiterError):
        cloudformation.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
    events = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
    return [event["ResourceStatusReason"] for event in events if event["ResourceStatus"] == "CREATE_FAILED"]


def repository(name: str) -> dict[str, Any]:
    return {"Type": "AWS::ECR::Repository", "Properties": {"RepositoryName": name}}


def test_what_the_role_may_not_do_fails_the_stack_with_the_action_and_the_resource(local: LocalAws) -> None:
    role = role_with(local, "deploys-kit", {"Action": "ecr:*", "Resource": f"{REPOSITORY}kit-*"})
    assert deploy(local, "kit-own", role, It=repository("kit-images")) == []
    (reason, *_) = deploy(local, "kit-other", role, It=repository("somebody-s"))
    assert "deploys-kit" in reason and "ecr:CreateRepository" in reason and f"{REPOSITORY}somebody-s" in reason


def test_an_action_that_knows_no_resource_is_allowed_on_all_alone(local: LocalAws) -> None:
    bus = f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/kit-bus"
    named = role_with(local, "deploys-named", {"Action": "events:*", "Resource": bus})
    (reason, *_) = deploy(local, "kit-bus-named", named, Bus=BUS, Permission=PERMISSION)
    assert "events:PutPermission" in reason
    both = role_with(
        local, "deploys-both", {"Action": "events:*", "Resource": bus}, {"Action": "events:PutPermission", "Resource": "*"}
    )  # fmt: skip
    assert deploy(local, "kit-bus", both, Bus=BUS, Permission=PERMISSION) == []


def test_a_role_that_cloudformation_may_not_take_on_makes_nothing(local: LocalAws) -> None:
    role = role_with(local, "trusts-it", {"Action": "ecr:*", "Resource": "*"})
    trust = json.dumps(TRUST).replace("cloudformation", "lambda")
    client(local, "iam", ACCOUNT).update_assume_role_policy(RoleName="trusts-it", PolicyDocument=trust)
    (reason, *_) = deploy(local, "kit-untrusted", role, It=repository("kit-untrusted"))
    assert "trusts-it" in reason and "cloudformation.amazonaws.com" in reason
