"""A model goes from dev through staging to prod by events alone: three accounts, each with its own roles, enforced."""

import json
import os
import re
import shlex
import subprocess
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.conftest import ROOT
from tests.local import samples
from tests.local.conftest import until
from tests.local.grants import GRANTS, Grant
from tests.three_accounts import ACCOUNTS, SOURCES, settings_of, tree_of
from tunestack.aws import Aws
from tunestack.executions.promotion import ask_for_promotion, list_refusals
from tunestack.executions.versions import APPROVED, REJECTED, Version, decide, find_version, list_versions
from tunestack.layout import Bucket, S3Uri
from tunestack.local import LocalAws
from tunestack.local.authorization.ledger import read_ledger

pytestmark = pytest.mark.slow
REGION = "us-east-1"
PAGE = "docs/accounts.md"
BLOCK = re.compile(r"```bash\n(.*?)```", re.DOTALL)
SHORT = (
    "--param MaxSteps=8 --param LearningRate=0.01 --param PerDeviceTrainBatchSize=2 --param GradientAccumulationSteps=1"
)
Environments = dict[str, Aws]


class Guide:
    """The commands of the page, each with the credentials of the account that it is for."""

    def __init__(self, local: LocalAws, tree: Path, tiny_model: Path) -> None:
        self._local, self.tree, self._model = local, tree, tiny_model
        text = (ROOT / PAGE).read_text(encoding="utf-8")
        self.lines = [line for block in BLOCK.findall(text) for line in block.splitlines()]

    def run(self, beginning: str) -> str:
        """Run what is next on the page, which begins so; what it printed."""
        line = self.lines.pop(0)
        assert line.startswith(beginning), f"the page goes on with {line!r}"
        printed = self._shell(self._on_this_machine(line), line)
        samples.hold(PAGE, line, printed)
        return printed

    def bootstrap(self, plan: str) -> None:
        """What `bootstrap-plan` printed, in each account; the AWS command line is boto3 here."""
        iam: Any = None
        for line in plan.splitlines():
            words = shlex.split(line)
            if words[:3] == ["aws", "iam", "create-policy"]:
                file = self.tree / words[-1].removeprefix("file://")
                iam = self._client(file.name.split("-")[0], "iam")
                iam.create_policy(PolicyName=words[4], PolicyDocument=file.read_text())
            elif words[:2] == ["cdk", "bootstrap"]:
                self._shell(f"cd $(mktemp -d) && {line}", words[2].split("/")[2])

    def _client(self, account: str, service: str) -> Any:
        session = boto3.Session(account, "local", region_name=REGION)
        return session.client(service, endpoint_url=self._local.endpoint_url)

    def _on_this_machine(self, line: str) -> str:
        if "--from-hub" in line:
            return line.replace("--from-hub", f"{self._model} --name")
        return f"{line} {SHORT}" if line.startswith("tunestack run") else line

    def _shell(self, line: str, of: str) -> str:
        account = next((number for name, number in ACCOUNTS.items() if f"env {name}" in of or f"env={name}" in of), of)
        tools = f"{ROOT / '.venv' / 'bin'}:{ROOT / 'node_modules' / '.bin'}"
        environment = {
            **os.environ,
            **self._local.environment(account if account.isdigit() else ACCOUNTS["dev"]),
            "PATH": f"{tools}:{os.environ['PATH']}",
            "PYTHONPATH": os.pathsep.join(str(self.tree / name) for name in ("", "constructs", "training_code")),
            "TUNESTACK_CONFIG": str(self.tree / "config"),
            "CI": "true", "CDK_REQUIRE_APPROVAL": "never", "COLUMNS": str(samples.WIDTH),
        }  # fmt: skip
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", line], cwd=self.tree, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, f"{line}\n{(done.stdout + done.stderr)[-3000:]}"
        return done.stdout


@pytest.fixture(scope="module")
def guide(local: LocalAws, tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Guide:
    """The page, for a copy of the kit with three accounts in its settings."""
    tree = tree_of(tmp_path_factory.mktemp("kit"), base="local")
    rows = [{"instruction": f"what does function {n} do", "response": f"return a list of {n} names"} for n in range(80)]
    (tree / "my-data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tree / "my-questions.jsonl").write_text('{"instruction": "what does function 3 do"}\n{"instruction": "list"}\n')
    return Guide(local, tree, tiny_model)


@pytest.fixture(scope="module")
def environments(local: LocalAws, guide: Guide) -> Iterator[Environments]:
    """dev, staging and prod, bootstrapped and deployed into their accounts as the page says."""
    assert "all are met" in guide.run("tunestack access")
    guide.bootstrap(guide.run("tunestack bootstrap-plan"))
    for name in ACCOUNTS:
        guide.run(f"npx cdk deploy --all -c env={name}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", local.endpoint_url)
        yield {name: aws_of(settings) for name, settings in settings_of(guide.tree / "config").items()}


def aws_of(settings: Any) -> Aws:
    """An environment as its account sees it: a 12-digit access key is the account's own."""
    aws = Aws(settings)
    aws.__dict__["_session"] = boto3.Session(settings.environment.account, "local", region_name=REGION)
    return aws


def promotions(aws: Aws) -> list[dict[str, Any]]:
    pages = aws.sagemaker.get_paginator("list_pipeline_executions").paginate(PipelineName=aws.settings.names.promotion)
    return [dict(item) for page in pages for item in page["PipelineExecutionSummaries"]]


def ended(aws: Aws) -> bool:
    return all(item["PipelineExecutionStatus"] == "Succeeded" for item in promotions(aws))


def registered_from(aws: Aws, version: Version) -> Version:
    """The version of an environment that was promoted from another's."""

    def found() -> Version | None:
        ended = [item for item in promotions(aws) if item["PipelineExecutionStatus"] not in ("Executing", "Succeeded")]
        assert not ended, [
            aws.sagemaker.describe_pipeline_execution(PipelineExecutionArn=item["PipelineExecutionArn"])
            for item in ended
        ]
        known = list_versions(aws)
        return next((item for item in known if item.metadata.get("source_version_arn") == version.arn), None)

    promoted: Version = until(found, f"version from {version.arn} in {aws.settings.name}")
    return promoted


def answers(aws: Aws, execution_id: str) -> bytes:
    """What a batch transform answered."""
    bucket, prefix = aws.bucket(Bucket.RESULTS), f"transform/{execution_id}/"
    listed = aws.s3.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]
    return b"".join(aws.s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read() for item in listed)


@pytest.fixture(scope="module")
def promoted(environments: Environments, guide: Guide) -> dict[str, Version]:
    """A version that dev trained, approved in dev and staging as the page says, and in prod."""
    dev, staging, prod = environments.values()
    for command in (*["data add"] * 4, "models add", "data add", "data add", "run"):
        printed = guide.run(f"tunestack {command}")
    assert "Succeeded" in printed
    guide.run("tunestack models approve latest --env dev")
    found = {"dev": find_version(dev, "1")}
    found["staging"] = registered_from(staging, found["dev"])
    until(partial(ended, staging), "end of the promotion to staging")
    assert "tunestack-dev-models/1" in guide.run("tunestack models history --env staging")
    guide.run("tunestack models approve latest --env staging")
    found["prod"] = registered_from(prod, find_version(staging, "1"))
    until(partial(ended, prod), "end of the promotion to prod")
    assert "tunestack-staging-models/1" in guide.run("tunestack models history --env prod")
    decide(prod, found["prod"], APPROVED, reason="good")
    return found


def test_an_approved_model_travels_to_prod_and_answers_there_byte_for_byte(
    environments: Environments, promoted: dict[str, Version]
) -> None:
    executions = {name: version.metadata["pipeline_execution_id"] for name, version in promoted.items()}
    for name, source in SOURCES.items():
        aws, version = environments[name], promoted[name]
        until(partial(ended, aws), "end")
        (promotion,) = promotions(aws)
        assert promotion["PipelineExecutionDisplayName"].startswith(f"tunestack-{source}-models-1-")
        assert version.image_uri.startswith(f"{ACCOUNTS['dev']}.dkr.ecr") and "@sha256:" in version.image_uri
        # What it needs lies here, the other account could be gone; and it is what was judged where it was trained.
        for uri in (version.model_data_url, version.metadata["adapter_uri"]):
            assert S3Uri.parse(uri).bucket == aws.bucket(Bucket.ARTIFACTS)
        assert "/packages/" in version.model_data_url
        for key in ("adapter_sha256", "base_model_sha256", "exam_sha256"):
            assert version.metadata[key] == promoted["dev"].metadata[key], key
    said = {name: answers(environments[name], execution) for name, execution in executions.items()}
    assert said["dev"] and said["prod"] == said["staging"] == said["dev"]


@pytest.fixture(scope="module")
def rejected(environments: Environments, promoted: dict[str, Version], guide: Guide) -> None:
    """The version, asked for once more, and then rejected where it was trained, as the page says."""
    _, staging, prod = environments.values()
    ask_for_promotion(staging, promoted["dev"].arn)
    guide.run("tunestack models reject latest --env dev")
    until(lambda: find_version(staging, "1").approval == REJECTED, "rejection in staging")
    until(lambda: find_version(prod, "1").approval == REJECTED, "rejection in prod")
    assert "reason: tunestack-staging-models/1 was rejected" in guide.run("tunestack models show latest --env prod")


def test_the_same_decision_twice_does_nothing_twice_and_a_rejection_is_taken_along(
    environments: Environments, rejected: None
) -> None:
    dev, staging, _ = environments.values()
    # WHEN a promoted version that was asked for again, and rejected where it was trained, is approved there again
    decide(dev, find_version(dev, "1"), APPROVED, reason="it was none")
    time.sleep(5)
    # THEN nothing was judged or registered again, and what was rejected waits for a person
    assert len(promotions(staging)) == 1 and len(list(list_versions(staging))) == 1
    assert "was rejected" in (find_version(staging, "1").approval_reason or "")


@pytest.mark.parametrize("account", ["444444444444", "111111111111"])
def test_a_forged_request_is_refused(account: str, environments: Environments, promoted: dict[str, Version]) -> None:
    prod = environments["prod"]
    before = promotions(prod)
    forged = f"arn:aws:sagemaker:{REGION}:{account}:model-package/tunestack-dev-models/1"
    ask_for_promotion(prod, forged)
    # `models history` shows it: no execution tells of it.
    reasons = until(lambda: [item.reason for item in list_refusals(prod) if forged in item.reason], "the refusal")
    assert reasons[0].startswith(f"{forged} is no version that is promoted here") and len(reasons) == 1
    assert promotions(prod) == before


def copy_of(dev: Aws, version: Version, **metadata: str) -> Version:
    """One more version of dev's, of the same files; `metadata` is said of it."""
    described = dev.sagemaker.describe_model_package(ModelPackageName=version.arn)
    made = dev.sagemaker.create_model_package(
        ModelPackageGroupName=dev.model_package_group_name,
        ModelApprovalStatus="PendingManualApproval",
        InferenceSpecification=described["InferenceSpecification"],
        CustomerMetadataProperties=described["CustomerMetadataProperties"] | metadata,
    )
    return find_version(dev, made["ModelPackageArn"])


def test_an_adapter_that_is_not_what_was_judged_is_not_taken_in(
    environments: Environments, promoted: dict[str, Version]
) -> None:
    dev, staging, _ = environments.values()
    before = {item["PipelineExecutionArn"] for item in promotions(staging)}
    decide(dev, copy_of(dev, promoted["dev"], adapter_sha256="0" * 64), APPROVED, reason="good")

    def failed() -> str | None:
        new = [item for item in promotions(staging) if item["PipelineExecutionArn"] not in before]
        return next((item["PipelineExecutionArn"] for item in new if item["PipelineExecutionStatus"] == "Failed"), None)

    execution = until(failed, "end of the promotion")
    steps = staging.sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=execution)["PipelineExecutionSteps"]
    (reason,) = [step["FailureReason"] for step in steps if step["StepStatus"] == "Failed"]
    assert "the adapter isn't what it was when it was made or registered" in reason
    assert f"the SHA-256 {promoted['dev'].metadata['adapter_sha256']}, and {'0' * 64} is allowed" in reason
    assert len(list(list_versions(staging))) == 1


def denied(local: LocalAws, seen: int) -> list[str]:
    """What was refused since so many decisions."""
    entries = list(read_ledger(local.ledger_file))[seen:]
    return [f"{entry.principal.split(':')[4]} {entry.action}" for entry in entries if not entry.allowed]


@pytest.mark.parametrize("grant", GRANTS, ids=str)
def test_without_any_one_grant_of_the_source_the_promotion_is_refused_and_says_at_what(
    grant: Grant, environments: Environments, promoted: dict[str, Version], local: LocalAws
) -> None:
    dev = environments["dev"]
    version = copy_of(dev, promoted["dev"])
    seen = len(list(read_ledger(local.ledger_file)))
    with grant.taken_away(dev, environments["staging"]):
        decide(dev, version, APPROVED, reason="good")
        refused = until(partial(denied, local, seen), f"refusal without {grant}")
    assert refused == [grant.refusal]


def test_the_delivery_synthesizes_as_the_page_shows(guide: Guide, rejected: None) -> None:
    guide.run("npx cdk synth --quiet -c delivery=on")
    assert guide.lines == []
