"""What each environment deploys, for reviewers: prod's templates and definition whole, the others as differences.

`make snapshots` accepts a change. What matters is asserted in the tests beside this one: a snapshot shows change.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from tests.conftest import ENVIRONMENTS, ROOT
from tests.three_accounts import SOURCES
from tunestack.layout import StackName
from tunestack.template.assembly import Assembly
from tunestack.template.readable import ReadableStack, as_yaml, difference

BASE = "prod"
NOTHING = as_yaml({})
POLICIES = {
    "AssumeRolePolicyDocument", "KeyPolicy", "ModelPackageGroupPolicy", "PolicyDocument", "RepositoryPolicyText",
}  # fmt: skip
LETS = " lets | "
OTHERS = [env for env in ENVIRONMENTS if env != BASE]
STATEFUL = (
    "AWS::ECR::Repository",
    "AWS::KMS::Key",
    "AWS::Logs::LogGroup",
    "AWS::S3::Bucket",
    "AWS::SageMaker::ModelPackageGroup",
    "AWS::SageMaker::Pipeline",
)


class _Text(SingleFileSnapshotExtension):
    _write_mode = WriteMode.TEXT


class _Yaml(_Text):
    file_extension = "yaml"


class _Table(_Text):
    file_extension = "txt"


def _stacks(assembly: Assembly) -> Iterator[StackName]:
    names = {name.rpartition("-")[2] for name in assembly.templates}
    return (stack for stack in StackName if stack in names)


def shown(assembly: Assembly, env: str, stack: StackName) -> dict[str, Any]:
    """A stack's template; what its policies state is in the one table of all statements."""
    template = ReadableStack(assembly, env, stack).template()
    for resource in template["Resources"].values():
        properties = resource.get("Properties", {})
        properties |= dict.fromkeys(POLICIES & properties.keys(), "see every statement")
    return template


@pytest.mark.parametrize("stack", StackName)
def test_a_stack_is_as_reviewed(stack: StackName, assembly: Any, snapshot: SnapshotAssertion) -> None:
    base = shown(assembly(BASE, accounts=stack is StackName.PROMOTION), BASE, stack)
    assert as_yaml(base) == snapshot(name=BASE, extension_class=_Yaml)
    seen: dict[str, str] = {}
    for env in OTHERS:
        if stack in _stacks(assembly(env)):
            differs = as_yaml(difference(base, shown(assembly(env), env, stack)))
            if differs != NOTHING:
                text = f"as {seen[differs]}\n" if differs in seen else differs
                assert text == snapshot(name=f"{env} differs", extension_class=_Yaml)
                seen.setdefault(differs, env)


def test_the_definition_is_as_reviewed(assembly: Any, snapshot: SnapshotAssertion) -> None:
    base = ReadableStack(assembly(BASE), BASE, StackName.PIPELINE).definition()
    assert as_yaml(base) == snapshot(name=BASE, extension_class=_Yaml)
    for env in OTHERS:
        differs = difference(base, ReadableStack(assembly(env), env, StackName.PIPELINE).definition())
        assert as_yaml(differs) == snapshot(name=f"{env} differs", extension_class=_Yaml)


def test_the_stacks_of_each_environment_are_as_reviewed(assembly: Any, snapshot: SnapshotAssertion) -> None:
    rows = [f"{env}: {', '.join(_stacks(assembly(env)))}" for env in ENVIRONMENTS]
    assert "\n".join(rows) + "\n" == snapshot(extension_class=_Table)


def test_every_iam_statement_is_as_reviewed(assembly: Any, snapshot: SnapshotAssertion) -> None:
    def stated(env: str, **options: Any) -> set[str]:
        made = assembly(env, **options)
        return {f"{stack}: {row}" for stack in _stacks(made) for row in ReadableStack(made, env, stack).statements()}

    found = {env: stated(env) for env in ENVIRONMENTS}
    promotion = ReadableStack(assembly(BASE, accounts=True), BASE, StackName.PROMOTION).statements()
    lines = ["who | effect | action | resource | principal | conditions", *sorted(found[BASE])]
    lines += [f"{StackName.PROMOTION}: {row}" for row in promotion]
    # What its neighbours on the way to prod are given.
    for env in SOURCES.values():
        lines += [
            f"{env} with accounts: {row}" for row in sorted(stated(env, accounts=True) - found[env]) if LETS in row
        ]
    for env in OTHERS:
        lines += [f"{env} without: {row}" for row in sorted(found[BASE] - found[env])]
        lines += [f"{env} with: {row}" for row in sorted(found[env] - found[BASE])]
    assert "\n".join(lines) + "\n" == snapshot(extension_class=_Table)


def test_the_logical_ids_of_what_holds_data_never_change(assembly: Any, snapshot: SnapshotAssertion) -> None:
    """CloudFormation replaces a resource whose logical id changes: data would be orphaned, or lost."""
    rows = []
    for stack in _stacks(assembly(BASE)):
        paths, resources = assembly(BASE).stack(stack).paths, assembly(BASE).template(stack)["Resources"]
        rows += [f"{stack} {paths[name]}: {name}" for name, item in resources.items() if item["Type"] in STATEFUL]
    assert "\n".join(sorted(rows)) + "\n" == snapshot(extension_class=_Table)


def test_snapshots_can_be_read() -> None:
    files = [file for file in (ROOT / "tests").glob("**/__snapshots__/**/*") if file.is_file()]
    lines = [line for file in files for line in file.read_text().splitlines()]
    assert len(files) > 20 and len(lines) <= 5_000
    assert [line for line in lines if len(line) > 270] == []


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_everything_has_the_environments_tags(env: str, assembly: Any) -> None:
    tagged = 0
    for template in assembly(env).templates.values():
        for resource in template["Resources"].values():
            tags = resource.get("Properties", {}).get("Tags")
            if isinstance(tags, list):
                assert {"Key": "environment", "Value": env} in tags and {"Key": "project", "Value": "tunestack"} in tags
                tagged += 1
    assert tagged > 20
