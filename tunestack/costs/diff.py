"""What a change costs: two cloud assemblies compared, stack by stack, driver by driver, step by step."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tunestack.costs.stack_cost import EMPTY, StackCost, StepCost
from tunestack.money import in_hours, total_usd


@dataclass(frozen=True, kw_only=True)
class Change:
    """One figure before and after, in dollars; None where it wasn't or isn't there, or has no price."""

    stack: str
    what: str
    before: float | None
    after: float | None
    per: str
    note: str = ""

    @property
    def difference(self) -> float | None:
        """None where one of the two is there without a price."""
        return None if self.before is None or self.after is None else self.after - self.before


@dataclass(frozen=True, kw_only=True)
class CostDiff:
    """The totals before and after, and every figure that changed."""

    month: Change
    known_month: Change
    """Of what has a known price alone; it is the month's where all has."""
    run: Change
    run_ceiling: Change
    changes: tuple[Change, ...]
    resources: tuple[tuple[str, str, int, int], ...]
    waived: tuple[str, ...]
    unpriced: tuple[str, ...]
    """What is there after the change and has no known price: `TYPE of STACK`."""


def cost_diff(before: Mapping[str, StackCost], after: Mapping[str, StackCost]) -> CostDiff:
    """Compare the stacks of two assemblies; a stack that one of them lacks counts as empty."""
    names = sorted({*before, *after})
    pairs = [(name, before.get(name, EMPTY), after.get(name, EMPTY)) for name in names]
    return CostDiff(
        month=_total(pairs, "standing_usd", "a month"),
        known_month=_known_month(pairs),
        run=_total(pairs, "run_expected_usd", "a run"),
        run_ceiling=_total(pairs, "run_ceiling_usd", "a run, at the most"),
        changes=tuple(change for pair in pairs for change in (*_drivers(*pair), *_steps(*pair))),
        resources=tuple(change for pair in pairs for change in _resources(*pair)),
        waived=tuple(line for _, _, new in pairs for line in new.waived),
        unpriced=tuple(f"{kind} of {stack}" for stack, _, new in pairs for kind in new.unpriced),
    )


def _total(pairs: list[tuple[str, StackCost, StackCost]], field: str, per: str) -> Change:
    before, after = (total_usd(getattr(pair[index], field) for pair in pairs) for index in (1, 2))
    return Change(stack="all", what="total", before=before, after=after, per=per)


def _known_month(pairs: list[tuple[str, StackCost, StackCost]]) -> Change:
    before = sum(usd or 0.0 for _, old, _ in pairs for usd in old.drivers.values())
    after = sum(usd or 0.0 for _, _, new in pairs for usd in new.drivers.values())
    return Change(stack="all", what="what has a known price", before=before, after=after, per="a month")


def _drivers(stack: str, old: StackCost, new: StackCost) -> Iterator[Change]:
    for name in sorted({*old.drivers, *new.drivers}):
        before, after = old.drivers.get(name, 0.0), new.drivers.get(name, 0.0)
        if before != after:
            yield Change(stack=stack, what=name, before=before, after=after, per="a month")


def _steps(stack: str, old: StackCost, new: StackCost) -> Iterator[Change]:
    for name in [*old.steps, *(step for step in new.steps if step not in old.steps)]:
        before, after = old.steps.get(name), new.steps.get(name)
        if before != after:
            yield Change(
                stack=stack,
                what=name,
                before=before.expected_usd if before else 0.0,
                after=after.expected_usd if after else 0.0,
                per="a run",
                note=_what_changed(before, after),
            )


def _what_changed(before: StepCost | None, after: StepCost | None) -> str:
    if before is None or after is None:
        return "new step" if before is None else "step removed"
    notes = []
    if before.instance_type != after.instance_type:
        notes.append(f"{before.instance_type} → {after.instance_type}")
    hours_before, hours_after = in_hours(before.expected_hours), in_hours(after.expected_hours)
    if hours_before != hours_after:
        notes.append(f"{hours_before} h → {hours_after} h")
    if before.paid_share != after.paid_share:
        notes.append("spot" if after.paid_share < before.paid_share else "on demand")
    if before.usd_per_hour != after.usd_per_hour and before.instance_type == after.instance_type:
        notes.append("price changed")
    return ", ".join(notes)


def _resources(stack: str, old: StackCost, new: StackCost) -> Iterator[tuple[str, str, int, int]]:
    for kind in sorted({*old.resources, *new.resources}):
        before, after = old.resources.get(kind, 0), new.resources.get(kind, 0)
        if before != after:
            yield (stack, kind, before, after)
