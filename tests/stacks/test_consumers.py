"""prod with consumers: every rule and cdk-nag pass, and each resource's own stack has its grant."""

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk.assertions import Template
from tunestack_cdk.synthesis_checks import add_checks

from stacks.environment import accounts_named_by, add_environment
from tests.changed_settings import changed_blueprint
from tests.conftest import ROOT

ORGANIZATION = "arn:aws:organizations::444444444444:organization/o-abcdefghij"


@pytest.mark.parametrize(
    "chosen",
    [
        {"consumer_accounts": ["222222222222"]},
        {"organization_arn": ORGANIZATION},
        {"consumer_accounts": ["222222222222", "333333333333"], "organization_arn": ORGANIZATION},
    ],
    ids=["accounts", "organisation", "both"],
)
def test_consumers_break_no_rule_and_each_stack_grants_what_is_its_own(chosen: dict[str, Any], tmp_path: Path) -> None:
    app = App(outdir=str(tmp_path), context=json.loads((ROOT / "cdk.json").read_text())["context"])
    blueprint = changed_blueprint("prod", registry=chosen)
    add_environment(app, blueprint)
    named = accounts_named_by([blueprint.settings])
    add_checks(app, known_accounts=named.known, consumer_accounts=named.consumers)
    app.synth()
    sids = {
        stack.stack_name.rpartition("-")[2]: json.dumps(Template.from_stack(stack).to_json())
        for stack in app.node.children
        if isinstance(stack, Stack)
    }
    assert all(sid in sids["storage"] for sid in ("ReadPackages", "ListPackages", "DecryptPackages"))
    assert sids["images"].count("PullImages") == 1
    assert "DeployVersions" in sids["registry"] and "AWS::RAM::ResourceShare" in sids["registry"]
    # Nothing of a grant is a reference between stacks.
    assert "Fn::ImportValue" not in sids["registry"] and "Fn::GetStackOutput" not in sids["registry"]
