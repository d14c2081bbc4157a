"""A function makes the calls that it declares, writes its log, and takes from the queue that it is fed by."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from tunestack_functions.declared import VARIABLE, Call, FunctionSettings, Here

from tunestack.errors import UserError
from tunestack.permissions.access import Access
from tunestack.permissions.needs.common import log_written, taken_on
from tunestack.permissions.world import World
from tunestack.template.assembly import Stack

_KIT = "tunestack_functions"
_QUEUE = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")


@dataclass(frozen=True, kw_only=True)
class DeclaredFunction:
    """One of the kit's functions as it is deployed: its module's name and its settings."""

    stack: Stack
    logical_id: str
    role: str
    module: str
    settings: FunctionSettings

    @property
    def by(self) -> str:
        return f"{self.stack.name}: function {self.logical_id}"

    def calls(self) -> Iterator[Call]:
        """What it declares to call, with these settings."""
        here = Here(partition=self.stack.partition, region=self.stack.region, account=self.stack.account)
        found: Iterator[Call] = import_module(self.module).calls(self.settings, here)
        return found


def declared_functions(world: World) -> Iterator[DeclaredFunction]:
    """Every function of the world that is the kit's own.

    Raises:
        UserError: its settings can't be read, and so nobody knows what it calls.
    """
    for stack, logical_id, properties in world.resources("AWS::Lambda::Function"):
        module, _, name = str(properties.get("Handler", "")).rpartition(".")
        if module.partition(".")[0] == _KIT and name == "handler" and find_spec(module):
            try:
                settings = import_module(module).Settings.parse(properties["Environment"]["Variables"][VARIABLE])
            except (KeyError, TypeError, ValueError) as error:
                message = f"{stack.name}: function {logical_id}: its variable {VARIABLE} can't be read: {error}"
                raise UserError(message) from None
            yield DeclaredFunction(
                stack=stack, logical_id=logical_id, role=properties["Role"], module=module, settings=settings
            )


def undeclared_roles(world: World) -> Iterator[str]:
    """The roles of functions that declare nothing: what their code needs is known to nobody here."""
    declared = {(function.stack.name, function.logical_id) for function in declared_functions(world)}
    for stack, logical_id, properties in world.resources("AWS::Lambda::Function"):
        if (stack.name, logical_id) not in declared:
            yield str(properties.get("Role"))


def needs(world: World) -> Iterator[Access]:
    """What each function needs: of the kit's own what they declare, of any what Lambda does for it."""
    for function in declared_functions(world):
        yield from _declared(function)
    for stack, logical_id, properties in world.resources("AWS::Lambda::Function"):
        by, role = f"{stack.name}: function {logical_id}", properties["Role"]
        yield from taken_on(world, by, role, "lambda.amazonaws.com")
        if group := properties.get("LoggingConfig", {}).get("LogGroup"):
            yield from log_written(stack, by, role, group)
        for other, _, mapping in world.resources("AWS::Lambda::EventSourceMapping"):
            fed = mapping.get("FunctionName") == world.resolver(stack).name_of(logical_id)
            if other is stack and fed and ":sqs:" in str(mapping.get("EventSourceArn")):
                for action in _QUEUE:
                    yield Access(by=by, principal=role, action=action, resource=mapping["EventSourceArn"])


def _declared(function: DeclaredFunction) -> Iterator[Access]:
    for call in function.calls():
        context = _met(call.conditions)
        for pattern in call.on:
            # A version's number, where it is a pattern; everything, where it is that.
            resource = pattern if pattern == "*" else pattern.replace("*", "1")
            yield Access(
                by=function.by, principal=function.role, action=call.action, resource=resource, context=context
            )


def _met(conditions: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    return {key: value for keys in conditions.values() for key, value in keys.items()}
