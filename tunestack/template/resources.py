"""What is looked at one by one: the resources of templates."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tunestack.template.assembly import UNKNOWN_ACCOUNT, Stack
from tunestack.template.values import as_mapping, without_conditions

Properties = Mapping[str, Any]
# An account's number in an ARN, in an image's registry, or by itself.
_ACCOUNT = re.compile(r"(?:(?<=:)|^)\d{12}(?=:|\.dkr\.ecr\.|$)")


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One resource of a template, by its logical id."""

    logical_id: str
    kind: str
    properties: Properties
    template: str = ""
    account: str = ""
    """Whose the template is, where an assembly says it."""

    def part(self, *path: str) -> Mapping[str, Any]:
        """A structure inside the properties, empty where it isn't there."""
        found: Any = self.properties
        for member in path:
            found = as_mapping(found).get(member)
        return as_mapping(found)


@dataclass(frozen=True, kw_only=True)
class Resources:
    """All resources of the templates that are synthesized together."""

    all: tuple[Resource, ...] = ()
    known_accounts: frozenset[str] | None = None
    """The accounts that may be named in them; None where nobody says which."""

    @classmethod
    def of(cls, templates: Mapping[str, Mapping[str, Any]]) -> "Resources":
        """The resources of templates by their names."""
        return cls(
            all=tuple(
                Resource(
                    logical_id=name,
                    kind=item["Type"],
                    properties=as_mapping(without_conditions(item.get("Properties"))),
                    template=template,
                )
                for template, content in templates.items()
                for name, item in content.get("Resources", {}).items()
            )
        )

    @classmethod
    def of_stacks(cls, stacks: Iterable[Stack], *, known_accounts: Iterable[str] = ()) -> "Resources":
        """The resources of an assembly's stacks; where it says the account, that is known as its own.

        The accounts that the stacks are for are known to each other; `known_accounts` are more.
        """
        all_stacks = list(stacks)
        found = [
            replace(item, account=stack.account)
            for stack in all_stacks
            for item in cls.of({str(stack.file): _own_account_by_reference(stack)}).all
        ]
        known = frozenset({*known_accounts, *(stack.account for stack in all_stacks)})
        return cls(all=tuple(found), known_accounts=known)

    def strangers(self, text: str) -> list[str]:
        """The accounts in a text that nobody says may be named."""
        if self.known_accounts is None:
            return []
        return sorted(set(_ACCOUNT.findall(text)) - self.known_accounts)

    def of_kind(self, *kinds: str) -> Iterator[Resource]:
        """The resources of some types."""
        return (resource for resource in self.all if resource.kind in kinds)


def _own_account_by_reference(stack: Stack) -> Mapping[str, Any]:
    if stack.account == UNKNOWN_ACCOUNT:
        return stack.template
    return as_mapping(_by_reference(stack.template, stack.account))


def _by_reference(value: Any, account: str) -> Any:
    """A value with the account's number in ARNs, and by itself, as a template without an account has it."""
    if isinstance(value, list):
        return [_by_reference(item, account) for item in value]
    if isinstance(value, Mapping):
        return {key: _by_reference(item, account) for key, item in value.items()}
    if isinstance(value, str) and (value == account or value.startswith("arn:") or value.startswith(":")):
        return value.replace(account, "${AWS::AccountId}")
    return value
