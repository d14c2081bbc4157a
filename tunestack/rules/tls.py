"""Whether a resource policy turns away whoever comes without TLS."""

from collections.abc import Iterable

from tunestack.template.resources import Resource
from tunestack.template.statement import Statement, resource_statements


def denies_without_tls(policies: Iterable[Resource], action: str, *, resources: int = 1) -> bool:
    """Whether a statement of the policies denies `action` (`s3:*`) to everybody without TLS.

    It must name `resources` resources, or all: of a bucket, itself and its objects.
    """
    return any(_denies(item, action, resources) for policy in policies for item in resource_statements(policy))


def _denies(statement: Statement, action: str, resources: int) -> bool:
    return (
        statement.content.get("Effect") == "Deny"
        and statement.principals("AWS") == ["*"]
        and str(statement.conditions.get("aws:securetransport")).lower() == "false"
        and len(statement.conditions) == 1
        and statement.actions == [action]
        and (len(statement.resources) >= resources or statement.resources == ["*"])
    )
