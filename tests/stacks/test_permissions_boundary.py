"""An environment's permissions boundary binds every role of every stack, those that CDK makes by itself too."""

import json
from typing import Any

from aws_cdk import App, Stack
from aws_cdk.assertions import Template

from stacks.environment import add_environment
from tests.changed_settings import changed_blueprint
from tests.conftest import ROOT


def test_no_role_is_without_it() -> None:
    app = App(context=json.loads((ROOT / "cdk.json").read_text())["context"])
    blueprint = changed_blueprint("local", security={"permissions_boundary": "team-boundary"})
    add_environment(app, blueprint)
    roles: dict[str, Any] = {}
    for stack in app.node.children:
        assert isinstance(stack, Stack)
        roles |= Template.from_stack(stack).find_resources("AWS::IAM::Role")
    assert (
        len(roles) > 10 and any("S3AutoDelete" in name for name in roles) and any("FlowLog" in name for name in roles)
    )
    unbound = [
        name
        for name, role in roles.items()
        if "team-boundary" not in str(role["Properties"].get("PermissionsBoundary"))
    ]
    assert unbound == []
