"""Who uses the local AWS: a role for each person, as IAM Identity Center makes one, with the tag that is asked for."""

import json
from typing import Any

from botocore.exceptions import ClientError

from tunestack.layout import Names
from tunestack.local.address import ACCOUNT

_TRUST = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}


def role_of(iam: Any, names: Names, person: str) -> str:
    """The ARN of the role whose sessions are that person of an environment; made if need be.

    `iam` is a client of the account itself.
    """
    name = f"{person}-of-{names.prefix}"
    try:
        return str(iam.get_role(RoleName=name)["Role"]["Arn"])
    except iam.exceptions.NoSuchEntityException:
        return _make(iam, name, names, person)


def _make(iam: Any, name: str, names: Names, person: str) -> str:
    roles = f"arn:aws:iam::{ACCOUNT}:role/{names.role(names.prefix)}-*"
    takes_on = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": roles}
    try:
        iam.create_role(
            RoleName=name, AssumeRolePolicyDocument=_policy(_TRUST), Tags=[{"Key": names.prefix, "Value": person}]
        )
    except ClientError as error:
        # Another command was faster.
        if error.response["Error"]["Code"] != "EntityAlreadyExists":
            raise
    iam.put_role_policy(RoleName=name, PolicyName="take-on", PolicyDocument=_policy(takes_on))
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


def _policy(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
