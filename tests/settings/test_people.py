"""Who may take on the roles for people: by ARN, or by a tag that has one value; nobody approves what they made."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.three_accounts import add, app_in, config_of, settings_of
from tunestack.settings.problems import SettingsError
from tunestack.template.assembly import Assembly

SSO = "arn:aws:iam::111111111111:role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_"


def changed(config: Path, people: Any) -> Path:
    file = config / "dev.yaml"
    file.write_text(yaml.safe_dump(yaml.safe_load(file.read_text()) | {"security": {"people": people}}))
    return config


@pytest.mark.parametrize(
    ("people", "message"),
    [
        ({"trainers": [f"{SSO}A_*"], "approvers": [f"{SSO}A_*"]}, "A_\\* is both, and would approve what it made"),
        ({"trainers": [f"{SSO}*"], "approvers": [f"{SSO}A_1"]}, "A_1 is both"),
        ({"approvers": [f"{SSO}*"], "trainers": [f"{SSO}A_1"]}, "A_1 is both"),
        ({"approvers": ["*"]}, "must be the ARN of a role or a user"),
        ({"approvers": ["arn:aws:iam::111111111111:role/*"]}, "must be the ARN of a role or a user"),
        ({"approvers": ["arn:aws:iam::111111111111:root"]}, "must be the ARN of a role or a user"),
        (
            {"operators": ["arn:aws:iam::444444444444:role/o"]},
            "people.operators: arn:aws:iam::444444444444:role/o isn't",
        ),
    ],
)
def test_who_cannot_be_is_refused(people: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=message):
        settings_of(changed(config_of(tmp_path), people))


def test_the_roles_are_trusted_by_whom_the_settings_name_and_by_tag_where_they_name_nobody(tmp_path: Path) -> None:
    config = changed(config_of(tmp_path), {"approvers": [f"{SSO}Approver_*"]})
    app = app_in(tmp_path / "out")
    add(app, settings_of(config)["dev"])
    resources = Assembly.read(Path(app.synth().directory)).templates["tunestack-dev-pipeline"]["Resources"]
    asked = {
        name: role["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]["Condition"]
        for name in ("Trainer", "Approver", "Operator")
        for logical_id, role in resources.items()
        if logical_id.startswith(f"{name}Role") and role["Type"] == "AWS::IAM::Role"
    }
    assert asked == {
        "Trainer": {"StringEquals": {"aws:PrincipalTag/tunestack-dev": "trainer"}},
        "Approver": {"ArnLike": {"aws:PrincipalArn": [f"{SSO}Approver_*"]}},
        "Operator": {"StringEquals": {"aws:PrincipalTag/tunestack-dev": "operator"}},
    }
