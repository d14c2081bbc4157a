"""A cost diff as Markdown, for a pull request, and as JSON."""

from typing import Any

from tunestack.costs.diff import Change, CostDiff
from tunestack.money import usd


def to_markdown(diff: CostDiff, *, title: str) -> str:
    """What changes, as a pull request's comment: the totals in a sentence, then a table of what they are made of."""
    lines = [f"### {title}", "", _sentence(diff), ""]
    if diff.changes:
        lines += ["| stack | what | before | after | change | why |", "|---|---|---:|---:|---:|---|"]
        lines += [_row(change) for change in diff.changes]
        lines.append("")
    if diff.resources:
        lines += [
            "<details><summary>Resources</summary>",
            "",
            "| stack | type | before | after |",
            "|---|---|---:|---:|",
        ]
        lines += [f"| {stack} | `{kind}` | {before} | {after} |" for stack, kind, before, after in diff.resources]
        lines += ["", "</details>", ""]
    lines += [f"> ⚠ {line}" for line in diff.waived]
    return "\n".join(lines).rstrip() + "\n"


def to_sentence(diff: CostDiff) -> str:
    """The totals and the changed steps in a few words, for an approval's message."""
    steps = [
        f"{change.what}{f' ({change.note})' if change.note else ''}" for change in diff.changes if change.per == "a run"
    ]
    changed = f" Changed steps: {', '.join(steps)}." if steps else " No step changes."
    waived = f" Waived: {'; '.join(diff.waived)}." if diff.waived else ""
    return _sentence(diff).replace("**", "") + changed + waived


def _sentence(diff: CostDiff) -> str:
    if not diff.changes and not diff.resources:
        return f"**No change**: {usd(diff.month.after)} a month, {usd(diff.run.after)} a run."
    month, run = _signed(diff.month), _signed(diff.run)
    known = diff.known_month
    without = (
        f" No price is known of {', '.join(diff.unpriced)}; without it {_signed(known)} a month "
        f"({usd(known.before)} → {usd(known.after)})."
    )
    return (
        f"**{month} a month** ({usd(diff.month.before)} → {usd(diff.month.after)}) and **{run} a run** "
        f"({usd(diff.run.before)} → {usd(diff.run.after)} expected, at most {usd(diff.run_ceiling.before)} → "
        f"{usd(diff.run_ceiling.after)}).{without if diff.unpriced else ''}"
    )


def _row(change: Change) -> str:
    cells = (
        change.stack,
        change.what,
        usd(change.before),
        usd(change.after),
        f"{_signed(change)} {change.per}",
        change.note,
    )
    return f"| {' | '.join(cells)} |"


def _signed(change: Change) -> str:
    if change.difference is None:
        return "unknown"
    return f"{'+' if change.difference >= 0 else '−'}{usd(abs(change.difference))}"


def to_json(diff: CostDiff) -> dict[str, Any]:
    """The same as plain values: dollars, null where no price is known."""

    def plain(change: Change) -> dict[str, Any]:
        return {
            "stack": change.stack, "what": change.what, "per": change.per, "before_usd": change.before,
            "after_usd": change.after, "difference_usd": change.difference, "note": change.note,
        }  # fmt: skip

    return {
        "month": plain(diff.month),
        "known_month": plain(diff.known_month),
        "unpriced": list(diff.unpriced),
        "run": plain(diff.run),
        "run_ceiling": plain(diff.run_ceiling),
        "changes": [plain(change) for change in diff.changes],
        "resources": [
            {"stack": stack, "type": kind, "before": before, "after": after}
            for stack, kind, before, after in diff.resources
        ],
        "waived": list(diff.waived),
    }
