"""docs/rules.md: the rules and policies, each in the sentence that its file begins with."""

from collections.abc import Iterable
from types import ModuleType

from scripts import accepted_findings
from tunestack.definition.found_by_file import name_of
from tunestack.definition.policies import POLICIES
from tunestack.rules import RULES

_HEAD = """# Rules

A synthesis fails where a template breaks one of these rules, as it does for cdk-nag's. They see what cdk-nag can't:
each job inside a pipeline's definition, and who may do what with whom. In another app:

```python
from aws_cdk import App, Validations
from tunestack_cdk.rule_pack import TunestackChecks

app = App()
Validations.of(app).add_plugins(TunestackChecks(accepted={"log_group Audit*": "the auditors keep theirs for ever"}))
```

What must be broken is accepted with a reason, by the rule and a pattern of the resource's logical id and property.
Accounts that the app has no stack for are strangers, whom no resource may name or let in: `known_accounts=[…]` names
those that are none. The kit knows those of its settings.
Templates alone are enough too: `tunestack.rules.violations(Resources.of({name: template}))`.

Each has a file of its name in `tunestack/rules/checks/`:

"""
_POLICIES = """
## Of the jobs in a definition

`tunestack definition validate` lists what breaks one as `policy`, since the service would take it, and refuses it with
`--strict`; in a template, the rule `pipeline_jobs` does. Each has a file of its name in
`tunestack/definition/policies/`:

"""

_PACKS = """
## Of cdk-nag's packs

AwsSolutions is run at each synthesis; NIST 800-53 R5, HIPAA Security and PCI DSS 3.2.1 by the tests, over every stack
of every environment. What they find and the kit accepts is said beside each resource, and by rule it is, in prod:

"""


def rules_reference() -> str:
    """The page."""
    return _HEAD + _table("rule", RULES) + _POLICIES + _table("policy", POLICIES) + _PACKS + accepted_findings.table()


def _table(noun: str, modules: Iterable[ModuleType]) -> str:
    rows = [f"| `{name_of(module)}` | {(module.__doc__ or '').strip()} |\n" for module in modules]
    return f"| {noun} | what it wants |\n|---|---|\n{''.join(rows)}"
