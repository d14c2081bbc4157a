"""What the deployed stacks cost, by what their own templates say."""

import json
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from tunestack.catalogue.regions import partition_of
from tunestack.costs.assembly import template_cost
from tunestack.costs.stack_cost import StackCost
from tunestack.layout import Names, StackName
from tunestack.settings.loading import Settings


def lookup_role_arn(settings: Settings) -> str | None:
    """The bootstrap's role that reads an environment's account; None where the settings name no account."""
    environment = settings.environment
    if environment.account is None:
        return None
    name = f"cdk-{environment.security.bootstrap_qualifier}-lookup-role-{environment.account}-{environment.region}"
    return f"arn:{partition_of(environment.region)}:iam::{environment.account}:role/{name}"


def deployed_costs(clients: Callable[[StackName], Any], names: Names) -> dict[str, StackCost]:
    """Each deployed stack's costs by its name; a stack that isn't there is left out.

    `clients`: CloudFormation in the region of a stack.

    Raises:
        UserError: a stack of that name is somebody else's.
    """
    found = {}
    for name in StackName:
        stack = names.stack(name)
        try:
            body = clients(name).get_template(StackName=stack)["TemplateBody"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "ValidationError":
                raise
            continue
        found[stack] = template_cost(body if isinstance(body, str) else json.dumps(body), stack)
    return found
