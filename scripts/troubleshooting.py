"""docs/troubleshooting.md: what a failure's reason says, and what helps, as the commands say it."""

from tunestack.executions.advice import ADVICE

_HEAD = """# Troubleshooting

`tunestack describe` shows the step that failed, its reason and what helps; `tunestack logs` prints the step's log. This
is the same list, to search by message:

| the reason says | what helps |
|---|---|
"""


def troubleshooting() -> str:
    """The page."""
    return _HEAD + "".join(f"| {advice.example} | {advice.helps} |\n" for advice in ADVICE)
