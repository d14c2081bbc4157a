"""What is granted and nobody needs: actions, resources of a statement, and whom a resource's policy lets in."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from tunestack.permissions.access import Access
from tunestack.permissions.arn import Owner
from tunestack.permissions.judge import Judge
from tunestack.permissions.needs.builds import scripted_roles
from tunestack.permissions.needs.functions import undeclared_roles
from tunestack.permissions.world import Guarded, Role, World
from tunestack.template.statement import Statement, is_used, statements_of
from tunestack.template.values import as_list


@dataclass(frozen=True, kw_only=True)
class Unneeded:
    """A statement of a role's or of a resource's policy, or what of it no need was found for."""

    whose: str
    stack: str
    statement: Statement
    what: tuple[str, ...]
    """Actions, resources, or principals."""
    role: Role | None = None

    def __str__(self) -> str:
        return f"{self.whose}: nothing needs {', '.join(self.what)} ({self.statement.where})"


def unneeded(world: World, judge: Judge, accesses: Sequence[Access]) -> Iterator[Unneeded]:
    """What no access needs; of whom nothing is known (a person, somebody else's function), nothing is said."""
    by_role: dict[str, list[Access]] = {}
    for access in accesses:
        by_role.setdefault(access.principal, []).append(access)
    for arn in {*scripted_roles(world), *undeclared_roles(world)}:
        by_role.pop(arn, None)
    here = {stack.account for stack in world.stacks.values()}
    for arn, role in world.roles.items():
        for statement in role.statements if arn in by_role else ():
            judged = statement.allows and all(_is_here(one, here, world.guarded) for one in statement.resources)
            if judged and (rest := tuple(_of_statement(judge, role, statement, by_role[arn]))):
                yield Unneeded(whose=str(role), stack=role.stack, role=role, statement=statement, what=rest)
    by_place: dict[str, list[Access]] = {}
    for access in accesses:
        if guarded := judge.guarded(access.resource):
            by_place.setdefault(guarded.arn, []).append(access)
    for guarded in world.guarded.values():
        for statement in statements_of(guarded.policy, "policy"):
            named = _named(statement) if statement.allows else []
            # The own account as a whole stands for what its roles' policies say.
            if named and by_role.keys() >= set(named):
                needed = by_place.get(guarded.arn, [])
                if rest := tuple(_of_policy(judge, guarded, statement, needed)):
                    whose = f"{guarded.stack}: policy of {guarded.arn}"
                    yield Unneeded(whose=whose, stack=guarded.stack, statement=statement, what=rest)


def _of_statement(judge: Judge, role: Role, statement: Statement, needed: Iterable[Access]) -> Iterator[str]:
    met = [access for access in needed if judge.allows(role, statement, access)]
    yield from _unused_actions(statement, met)
    resources = as_list(statement.content.get("Resource"))
    for resource in resources if met and len(resources) > 1 else ():
        alone = replace(statement, content={**statement.content, "Resource": [resource]})
        if not any(judge.allows(role, alone, access) for access in met):
            yield str(resource)


def _is_here(resource: str, accounts: Collection[str], guarded: Collection[str]) -> bool:
    """Whether what is granted is of these stacks' accounts: what others' parts are for isn't known here."""
    if ":s3:::" in resource:
        return resource.partition("/")[0] in guarded
    owner = Owner.of(resource)
    return owner is None or owner.account in accounts


def _of_policy(judge: Judge, guarded: Guarded, statement: Statement, needed: Iterable[Access]) -> Iterator[str]:
    met = [access for access in needed if judge.lets_in(guarded, statement, access)]
    yield from _unused_actions(statement, met)
    callers = {access.principal for access in met}
    yield from (role for role in _named(statement) if met and role not in callers)


def _unused_actions(statement: Statement, met: Iterable[Access]) -> Iterator[str]:
    if "NotAction" in statement.content:
        yield f"all but {', '.join(map(str, as_list(statement.content['NotAction'])))}"
    used = {access.action.lower() for access in met}
    yield from (action for action in statement.actions if not is_used(action, used))


def _named(statement: Statement) -> list[str]:
    """The roles that a statement lets in: named themselves, or as aws:PrincipalArn of their account."""
    roles = [principal for principal in statement.principals("AWS") if ":role/" in principal]
    return [*roles, *map(str, as_list(statement.conditions.get("aws:principalarn")))]
