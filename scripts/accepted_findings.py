"""What cdk-nag's packs find in the stacks and the kit accepts, beside its resources, as a table."""

import json
from collections import Counter
from pathlib import Path
from typing import Any
from unittest.mock import patch

from aws_cdk import App
from tunestack_cdk import acknowledge

import app as tunestack_app

ROOT = Path(__file__).parents[1]


class Recorder:
    """Stands in for CDK's Validations: remembers acknowledgements instead of making them."""

    def __init__(self) -> None:
        self.accepted: list[tuple[str, str, str]] = []

    def of(self, scope: Any) -> "_OfScope":
        """What is said under a scope."""
        return _OfScope(self, scope.node.path)


class _OfScope:
    def __init__(self, recorder: Recorder, path: str) -> None:
        self._recorder, self._path = recorder, path

    def acknowledge(self, *acknowledgments: Any) -> None:
        self._recorder.accepted += [(self._path, item.id, item.reason) for item in acknowledgments]


def table() -> str:
    """Each rule of the packs with the reason, and of how many resources of prod it is said."""
    recorder = Recorder()
    context = {**json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"], "env": "prod"}
    with patch.object(acknowledge, "Validations", recorder):
        tunestack_app.build(App(context=context))
    first = f"{acknowledge.HIPAA}-", f"{acknowledge.PCI}-"
    names = {(path, _short(rule), reason) for path, rule, reason in recorder.accepted if rule.startswith(first)}
    counted = Counter((rule, reason) for _, rule, reason in names)
    rows = [f"| `{rule}` | {count} | {reason} |\n" for (rule, reason), count in sorted(counted.items())]
    return f"| rule | resources | why it stays |\n|---|---:|---|\n{''.join(rows)}"


def _short(rule: str) -> str:
    return rule.rpartition("-")[2]
