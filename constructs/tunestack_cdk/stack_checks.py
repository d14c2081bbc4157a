"""What the kit's validation plugins have in common: CDK hands over files, they look at stacks."""

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from pathlib import Path

import jsii
from aws_cdk import (
    IPolicyValidationContext,
    IPolicyValidationPlugin,
    PolicyValidationPluginReport,
    PolicyViolation,
)

from tunestack.template.assembly import Assembly, Stack


@jsii.implements(IPolicyValidationPlugin)
class StackChecks:
    """A CDK validation plugin: `Validations.of(app).add_plugins(…)` fails the synthesis for what it finds."""

    @property
    @abstractmethod
    def name(self) -> str:
        """What the report calls it."""

    @property
    def version(self) -> str | None:
        return None

    @property
    @abstractmethod
    def rule_ids(self) -> list[str]:
        """The rules that it may find broken."""

    @abstractmethod
    def found(self, stacks: Sequence[Stack]) -> Iterable[PolicyViolation]:
        """What is wrong with the stacks that were synthesized."""

    def validate(self, context: IPolicyValidationContext) -> PolicyValidationPluginReport:
        """What CDK calls once the templates are written."""
        violations = list(self.found(_stacks_of(context.template_paths)))
        return PolicyValidationPluginReport(success=not violations, violations=violations)


def _stacks_of(files: Iterable[str]) -> list[Stack]:
    """The stacks whose templates these are, each read with its assembly."""
    wanted = {Path(file) for file in files}
    folders = {file.parent for file in wanted}
    stacks = {stack.file: stack for folder in folders for stack in Assembly.read(folder).stacks}
    return [stacks[file] for file in sorted(wanted)]
