"""A stack of its own for each construct, and what one construct needs of others."""

import json
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk.assertions import Template

from tests.conftest import ROOT


@pytest.fixture
def stack() -> Stack:
    """With the feature flags that the kit deploys with."""
    return Stack(App(context=json.loads((ROOT / "cdk.json").read_text())["context"]), "Stack")


@pytest.fixture
def template(stack: Stack) -> Any:
    """template(): what the stack holds by now."""
    return lambda: Template.from_stack(stack)


@pytest.fixture
def key(stack: Stack) -> kms.Key:
    return kms.Key(stack, "Key")


@pytest.fixture
def bucket(stack: Stack) -> s3.Bucket:
    return s3.Bucket(stack, "Data")


@pytest.fixture
def repository(stack: Stack) -> ecr.Repository:
    return ecr.Repository(stack, "Images")


def statements(template: Any, role: str) -> list[dict[str, Any]]:
    """The statements of the policies of a role, by the beginning of its logical id."""
    found = template.find_resources("AWS::IAM::Policy")
    return [
        statement
        for policy in found.values()
        if any(item["Ref"].startswith(role) for item in policy["Properties"]["Roles"])
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
    ]
