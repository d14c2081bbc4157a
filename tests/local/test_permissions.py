"""Least privilege, held by what a whole run did: nothing was refused, everything granted was needed, and is enforced."""

import json
import re
from collections.abc import Iterable

import pytest
from botocore.exceptions import ClientError

from tests.conftest import ROOT
from tests.local.conftest import command, physical_ids, run, without
from tunestack.aws import Aws
from tunestack.executions.describe import ExecutionView
from tunestack.layout import Bucket
from tunestack.local import LocalAws
from tunestack.local.address import ACCOUNT
from tunestack.local.authorization.ledger import Entry, read_ledger
from tunestack.local.authorization.replay import allowed_by, broken_without, unused_actions
from tunestack.local.people import role_of
from tunestack.template.statement import Statement, statements_of

pytestmark = pytest.mark.slow
PAGE = ROOT / "docs" / "permissions.md"
ROW = re.compile(r"^\| `(?P<role>[^`]+)` \| (?P<actions>(?:`[^`]+`(?:, )?)+) \| (?P<reason>.+) \|$", re.MULTILINE)


@pytest.fixture(scope="module")
def entries(succeeded: ExecutionView, local: LocalAws) -> list[Entry]:
    """What the deployment and a whole run were allowed or refused, in the environment's own account.

    The promotion's tests may have run in the same local AWS before, in three accounts of their own; they are refused
    things on purpose.
    """
    assert succeeded.status == "Succeeded"
    return [entry for entry in read_ledger(local.ledger_file) if f"::{ACCOUNT}:" in entry.principal]


@pytest.fixture(scope="module")
def statements(deployer: Aws) -> dict[str, tuple[Statement, ...]]:
    """The statements of every role of the environment's stacks, as IAM has them."""
    iam = deployer.client("iam")
    found = {}
    for role in physical_ids(deployer, "AWS::IAM::Role"):
        names = iam.list_role_policies(RoleName=role)["PolicyNames"]
        policies = {name: iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"] for name in names}
        found[role] = tuple(item for name, document in policies.items() for item in statements_of(document, name))
    return found


def excused() -> list[tuple[str, set[str]]]:
    """The page's table: a part of a role's name, and the actions that no run here uses."""
    rows = [(row["role"], set(re.findall(r"`([^`]+)`", row["actions"]))) for row in ROW.finditer(PAGE.read_text())]
    assert rows
    return rows


def is_excused(role: str, action: str) -> bool:
    return any(part in role and action in actions for part, actions in excused())


def test_nothing_is_refused(entries: list[Entry]) -> None:
    assert [entry for entry in entries if not entry.allowed] == []


def test_every_job_has_the_session_of_its_own_role(entries: list[Entry], deployer: Aws) -> None:
    used = {entry.role for entry in entries}
    jobs = [role for role in physical_ids(deployer, "AWS::IAM::Role") if "FineTuning" in role]
    assert len(jobs) == 6 and set(jobs) <= used


def test_every_granted_action_is_used_or_the_page_says_why_not(
    entries: list[Entry], statements: dict[str, tuple[Statement, ...]]
) -> None:
    unused = [
        f"{role}: {action} ({statement.where})"
        for role, of_role in statements.items()
        for statement in of_role
        for action in unused_actions(statement, [entry for entry in entries if entry.role == role])
        if not is_excused(role, action)
    ]
    assert not unused, "\n".join(unused)


def test_the_page_excuses_nothing_that_nobody_has(statements: dict[str, tuple[Statement, ...]]) -> None:
    granted = {
        (role, action) for role, of_role in statements.items() for statement in of_role for action in statement.actions
    }
    stale = [
        f"{part}: {action}"
        for part, actions in excused()
        for action in actions
        if not any(part in role and action == has for role, has in granted)
    ]
    assert stale == []


def test_without_any_one_statement_something_breaks_and_is_named(
    entries: list[Entry], statements: dict[str, tuple[Statement, ...]]
) -> None:
    checked = 0
    for role, of_role in statements.items():
        of_entries = [entry for entry in entries if entry.role == role]
        for statement in of_role:
            broken = broken_without(statement, of_role, of_entries)
            if not broken and all(is_excused(role, action) for action in statement.actions):
                continue
            assert broken, f"{role}: nobody would miss {statement}"
            assert all(entry.role == role and entry.action and entry.resource for entry in broken)
            checked += 1
    assert checked > 40


@pytest.mark.parametrize(("person", "role"), [(None, "Trainer"), ("trainer", "Approver"), ("approver", "Trainer")])
def test_a_role_for_people_is_taken_on_by_its_own_alone(person: str | None, role: str, deployer: Aws) -> None:
    (wanted,) = [name for name in physical_ids(deployer, "AWS::IAM::Role") if f"-{role}Role" in name]
    who = role_of(deployer.client("iam"), deployer.settings.names, person) if person else None
    sts = deployer.client_of_role("sts", who)
    with pytest.raises(ClientError, match=r"not authorized to perform: sts:AssumeRole"):
        sts.assume_role(RoleArn=f"arn:aws:iam::{ACCOUNT}:role/{wanted}", RoleSessionName="other")


def people(aws: Aws) -> dict[str, list[tuple[str, str]]]:
    """What the page's table speaks of: actions, each on a resource of the environment."""
    raw, artifacts, results = (f"arn:aws:s3:::{aws.bucket(bucket)}" for bucket in Bucket)
    here = f"{aws.settings.environment.region}:{ACCOUNT}"
    pipeline = f"arn:aws:sagemaker:{here}:pipeline/{aws.pipeline_name}"
    version = f"arn:aws:sagemaker:{here}:model-package/{aws.model_package_group_name}/1"
    log = f"arn:aws:logs:{here}:log-group:/aws/sagemaker/TrainingJobs:log-stream:a"
    stack = f"arn:aws:cloudformation:{here}:stack/{aws.settings.names.prefix}-storage/1"
    return {
        "upload data and models": [
            ("s3:PutObject", f"{raw}/datasets/a"), ("s3:PutObject", f"{artifacts}/base-models/a/b"),
        ],
        "start a run": [("sagemaker:StartPipelineExecution", pipeline)],
        "stop a run, and run what failed again": [
            ("sagemaker:StopPipelineExecution", f"{pipeline}/execution/a"),
            ("sagemaker:RetryPipelineExecution", f"{pipeline}/execution/a"),
        ],
        "follow executions": [
            ("sagemaker:ListPipelineExecutions", pipeline),
            ("sagemaker:DescribePipelineExecution", f"{pipeline}/execution/a"),
            ("sagemaker:ListPipelineExecutionSteps", f"{pipeline}/execution/a"),
        ],
        "see jobs": [("sagemaker:DescribeTrainingJob", f"arn:aws:sagemaker:{here}:training-job/pipelines-a")],
        "read logs": [("logs:GetLogEvents", log)],
        "read scores and answers": [("s3:GetObject", f"{results}/evaluations/a/evaluation.json")],
        "read data sets and base models": [
            ("s3:GetObject", f"{raw}/datasets/a"), ("s3:GetObject", f"{artifacts}/base-models/a/b"),
        ],
        "read packed models": [("s3:GetObject", f"{artifacts}/packages/a/model.tar.gz")],
        "write where jobs write": [
            ("s3:PutObject", f"{results}/evaluations/a/evaluation.json"),
            ("s3:PutObject", f"{artifacts}/packages/a/model.tar.gz"),
        ],
        "see registered versions": [("sagemaker:DescribeModelPackage", version)],
        "approve and reject versions": [("sagemaker:UpdateModelPackage", version)],
        "delete versions": [("sagemaker:DeleteModelPackage", version)],
        "change the pipeline": [("sagemaker:UpdatePipeline", pipeline)],
        "see why a deployment failed": [("cloudformation:DescribeStackEvents", stack)],
    }  # fmt: skip


def test_people_may_do_what_the_page_says(statements: dict[str, tuple[Statement, ...]], deployer: Aws) -> None:
    table = PAGE.read_text().partition("<!-- people -->")[2].partition("<!-- /people -->")[0]
    head, *rows = [[cell.strip() for cell in line.strip("| ").split("|")] for line in table.strip().splitlines()]
    told = {row[0]: dict(zip(head[1:], row[1:], strict=True)) for row in rows[1:]}
    of = {
        person: next(found for role, found in statements.items() if person.capitalize() in role) for person in head[1:]
    }

    def may(person: str, action: str, resource: str) -> bool:
        principal = f"arn:aws:sts::{ACCOUNT}:assumed-role/{person}/x"
        context = {"s3:prefix": "x", "sagemaker:ModelApprovalStatus": "Approved"}
        entry = Entry(principal=principal, action=action, resource=resource, allowed=True, context=context)
        return allowed_by(of[person], entry)

    found = {
        what: {person: answer(may(person, *need) for need in needs) for person in of}
        for what, needs in people(deployer).items()
    }
    assert found == told


def answer(all_of: Iterable[bool]) -> str:
    """Yes where everything is allowed, no where nothing is: a page can't say what lies between."""
    answers = set(all_of)
    assert len(answers) == 1
    return "yes" if answers == {True} else "no"


@pytest.mark.parametrize(
    ("role", "action", "step", "resource"),
    [
        ("PipelineRole", "iam:PassRole", "PrepareData", "role/tunestack-local-pipeline-FineTuningPrepareRole"),
        ("PrepareRole", "ecr:BatchGetImage", "PrepareData", "repository/tunestack-local-training"),
        ("PrepareRole", "kms:Decrypt", "PrepareData", "key/"),
        ("PrepareRole", "s3:PutObject", "PrepareData", "executions/"),
        ("TrainRole", "ec2:CreateNetworkInterface", "FineTune", "network-interface/"),
    ],
)
def test_a_statement_that_is_taken_away_fails_the_step_with_role_action_and_resource(
    role: str, action: str, step: str, resource: str,
    entries: list[Entry], deployed: Aws, deployer: Aws, uploaded: dict[str, str],
) -> None:  # fmt: skip
    with without(deployer, role, action):
        view = run(deployed, {**uploaded, "MaxSteps": "2"})
    failed = view.failed_step
    assert view.status == "Failed" and failed is not None and failed.name == step
    reason = failed.failure_reason or ""
    assert role in reason and action in reason and resource in reason, reason


def test_a_role_that_doesn_t_trust_the_service_can_t_be_taken_on(
    entries: list[Entry], deployed: Aws, deployer: Aws, uploaded: dict[str, str]
) -> None:
    iam = deployer.client("iam")
    (role,) = [name for name in physical_ids(deployer, "AWS::IAM::Role") if "PrepareRole" in name]
    trust = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    (statement,) = trust["Statement"]
    other = {**statement, "Condition": {"StringEquals": {"aws:SourceAccount": "111111111111"}}}
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps({**trust, "Statement": [other]}))
    try:
        view = run(deployed, uploaded)
    finally:
        iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(trust))
    failed = view.failed_step
    assert failed is not None and "Could not assume role" in (failed.failure_reason or "")


def test_a_disabled_key_refuses_what_it_encrypts(entries: list[Entry], deployer: Aws) -> None:
    bucket, kms = deployer.bucket(Bucket.RAW_DATA), deployer.client("kms")
    deployer.s3.put_object(Bucket=bucket, Key="datasets/probe", Body=b"x")
    kms.disable_key(KeyId=deployer.key_arn)
    try:
        with pytest.raises(ClientError, match=r"KMS\.DisabledException"):
            deployer.s3.get_object(Bucket=bucket, Key="datasets/probe")
        with pytest.raises(ClientError, match=r"KMS\.DisabledException"):
            deployer.s3.put_object(Bucket=bucket, Key="datasets/probe", Body=b"y")
        assert deployer.s3.head_object(Bucket=bucket, Key="datasets/probe")["ContentLength"] == 1
    finally:
        kms.enable_key(KeyId=deployer.key_arn)
    assert deployer.s3.get_object(Bucket=bucket, Key="datasets/probe")["Body"].read() == b"x"


def test_a_failed_execution_is_retried_from_the_step_that_failed(
    entries: list[Entry], deployed: Aws, deployer: Aws, uploaded: dict[str, str]
) -> None:
    # GIVEN an execution whose training was refused what it needs
    with without(deployer, "TrainRole", "ec2:CreateNetworkInterface"):
        failed = run(deployed, {**uploaded, "MaxSteps": "6"})
    assert failed.failed_step is not None and failed.failed_step.name == "FineTune"
    # WHEN that is mended, and the execution retried
    again = command("retry", failed.id, "--json")
    view = json.loads(again.output)
    # THEN it is the same execution, which went on where it had failed
    assert again.exit_code == 0 and view["id"] == failed.id and view["status"] == "Succeeded"
    steps = deployed.sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=failed.arn)["PipelineExecutionSteps"]
    assert {step["StepName"]: step["AttemptCount"] for step in steps}["FineTune"] == 2
    assert [step["AttemptCount"] for step in steps if step["StepName"] != "FineTune"] == [1] * (len(steps) - 1)
    assert view["steps"][0]["job_name"] == failed.steps[0].job_name
    # AND what has succeeded isn't retried
    refused = command("retry", failed.id)
    assert refused.exit_code == 1 and "it is Succeeded" in str(refused.exception)
