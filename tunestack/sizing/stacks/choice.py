"""Which stack runs a job: by name and month, or, where nobody knows, all that could."""

from tunestack.errors import UserError, nearest
from tunestack.sizing.kinds import LossKernel
from tunestack.sizing.stacks.known import STACKS
from tunestack.sizing.stacks.stack import Stack


def stack_names() -> tuple[str, ...]:
    """The names, each once."""
    return tuple(dict.fromkeys(stack.name for stack in STACKS))


def training_stacks() -> tuple[str, ...]:
    """The names of those that train."""
    return tuple(dict.fromkeys(stack.name for stack in STACKS if not stack.serves))


def find_stack(name: str, *, month: str | None = None) -> Stack:
    """The facts of a stack in a month (`2024-08`), or today's.

    Raises:
        UserError: no stack of that name is known.
    """
    entries = [stack for stack in STACKS if stack.name == name]
    if not entries:
        raise UserError(f"no stack {name!r}; {nearest(name, stack_names())}")
    begun = [stack for stack in entries if month is None or stack.since <= month]
    return begun[-1] if begun else entries[0]


def possible_stacks(
    *, month: str | None = None, serves: bool = False, loss: LossKernel | None = None
) -> tuple[Stack, ...]:
    """The stacks that there were in a month: one of each name, or without a month each that ever was.

    Those without a chunked loss haven't run a job with one. What else rules a stack out is asked of the job that it
    would run: `ability.why_not`.
    """
    able = [
        stack
        for stack in STACKS
        if stack.serves is serves
        if (loss == "chunked") == (stack.loss == "chunked") or loss not in ("chunked", "plain")
    ]
    if month is None:
        return tuple(able)
    then = [stack for stack in able if stack is find_stack(stack.name, month=month)]
    return tuple(then or able)
