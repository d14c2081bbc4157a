"""Whose credentials something has: the account's, or a session of a role that a service took on."""

import secrets
from dataclasses import dataclass

from tunestack.local.runner.errors import ApiError
from tunestack.permissions.calls import SAGEMAKER
from tunestack.permissions.evaluator import Request, resource_decision

EVENTS = "events.amazonaws.com"


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """An access key and what belongs to it."""

    access_key: str
    secret_key: str
    session_token: str | None = None

    @classmethod
    def of_account(cls, account: str) -> "Credentials":
        """The account's root: a 12-digit access key is the account that the emulator takes the caller for."""
        return cls(access_key=account, secret_key="local")


def assume_as_service(
    role_arn: str, *, account: str, region: str, session_name: str, service: str = SAGEMAKER
) -> Credentials:
    """Take on a role as a service does: only where its trust policy lets it in, for this account.

    Raises:
        ApiError: the role doesn't exist, or its trust policy refuses.
    """
    from ministack.services import iam, sts

    name = role_arn.rpartition("/")[2]
    role = iam._roles.get_scoped(account, None, name)
    request = Request(
        principal=service, kind="Service", account=account, action="sts:AssumeRole", resource="*", region=region,
        context={"aws:SourceAccount": account},
    )  # fmt: skip
    if role is None or resource_decision(role["AssumeRolePolicyDocument"], request) != "Allow":
        raise ApiError(
            "ValidationException",
            f"Could not assume role {role_arn}. Please ensure that the role exists and allows principal "
            f"'{service}' to assume the role.",
        )
    made = Credentials(
        access_key=f"ASIA{secrets.token_hex(8).upper()}",
        secret_key=secrets.token_hex(20),
        session_token=secrets.token_hex(32),
    )
    session = {
        "Arn": f"arn:aws:sts::{account}:assumed-role/{name}/{session_name}",
        "UserId": f"{name}:{session_name}",
        "SecretAccessKey": made.secret_key,
        "SessionToken": made.session_token,
    }
    sts.register_session(made.access_key, session)
    return made
