"""What every environment's templates hold, and what they must never hold."""

import json
import os
import shutil
import subprocess
import sys
from functools import partial
from typing import Any

import pytest

from tests.conftest import ACCOUNTS, CONFIG, ENVIRONMENTS, ROOT, synthesize
from tunestack.costs.standing import FREE_OR_BILLED_BY_USE, PRICED


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_every_bucket_is_private_encrypted_and_speaks_tls_only(env: str, assembly: Any) -> None:
    buckets = assembly(env).resources("AWS::S3::Bucket")
    assert len(buckets) == 4
    for bucket in buckets.values():
        properties = bucket["Properties"]
        assert all(properties["PublicAccessBlockConfiguration"].values())
        assert properties["BucketEncryption"]
    policies = json.dumps(assembly(env).resources("AWS::S3::BucketPolicy"))
    assert policies.count('"aws:SecureTransport": "false"') == 4


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_data_buckets_use_the_environments_key_and_are_versioned_and_logged(env: str, assembly: Any) -> None:
    buckets = assembly(env).resources("AWS::S3::Bucket")
    data = [bucket["Properties"] for name, bucket in buckets.items() if not name.startswith("AccessLogs")]
    assert len(data) == 3
    for properties in data:
        rule = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"][0]
        assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
        assert "KMSMasterKeyID" in rule["ServerSideEncryptionByDefault"]
        assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
        assert properties["LoggingConfiguration"]
        ids = {item["Id"] for item in properties["LifecycleConfiguration"]["Rules"]}
        assert {"AbortIncompleteUploads", "ExpireOldVersions"} <= ids


@pytest.mark.parametrize(
    ("env", "policy"), [("dev", "Delete"), ("prod", "RetainExceptOnCreate"), ("staging", "RetainExceptOnCreate")]
)
def test_data_keys_and_registry_are_kept_unless_dev_says_otherwise(env: str, policy: str, assembly: Any) -> None:
    for kind in ("AWS::S3::Bucket", "AWS::KMS::Key", "AWS::SageMaker::ModelPackageGroup"):
        for resource in assembly(env).resources(kind).values():
            assert resource["DeletionPolicy"] == policy


STATEFUL = (
    "AWS::ECR::Repository", "AWS::KMS::Alias", "AWS::KMS::Key", "AWS::Logs::LogGroup", "AWS::S3::Bucket",
    "AWS::SageMaker::ModelPackageGroup",
)  # fmt: skip


@pytest.mark.parametrize("env", ["prod", "staging", ACCOUNTS])
def test_what_holds_something_survives_destruction_and_replacement(env: str, assembly: Any) -> None:
    checked = 0
    for stack, template in assembly(env).templates.items():
        if "-dev-" in stack:
            continue
        for name, resource in template["Resources"].items():
            if resource["Type"] in STATEFUL:
                policies = (resource["DeletionPolicy"], resource["UpdateReplacePolicy"])
                assert policies == ("RetainExceptOnCreate", "Retain"), f"{stack}.{name}"
                checked += 1
    assert checked >= 15


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_no_role_has_a_managed_full_access_policy_or_allows_everything(env: str, assembly: Any) -> None:
    for template in assembly(env).templates.values():
        assert "FullAccess" not in json.dumps(template)
    for policy in assembly(env).resources("AWS::IAM::Policy").values():
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
            actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
            assert not [action for action in actions if action == "*" or action.endswith(":*")]


def test_the_vpc_has_no_way_to_the_internet(assembly: Any) -> None:
    prod = assembly("prod")
    for kind in ("AWS::EC2::InternetGateway", "AWS::EC2::NatGateway", "AWS::EC2::Route"):
        assert prod.resources(kind) == {}
    services = json.dumps([e["Properties"]["ServiceName"] for e in prod.resources("AWS::EC2::VPCEndpoint").values()])
    for service in (
        "s3",
        "sagemaker.api",
        "sagemaker.runtime",
        "ecr.api",
        "ecr.dkr",
        "logs",
        "monitoring",
        "sts",
        "kms",
    ):
        assert f".{service}" in services
    assert "secretsmanager" in services


def test_dev_has_no_network_to_pay_for(assembly: Any) -> None:
    assert not [name for name in assembly("dev").templates if name.endswith("-network")]


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_costs_agree_in_annotation_metadata_and_outputs(env: str, assembly: Any) -> None:
    manifest = json.loads((assembly(env).folder / "manifest.json").read_text())
    for name, template in assembly(env).templates.items():
        figures = template["Metadata"]["tunestack:cost"]
        standing = figures["StandingUsdPerMonth"]
        assert template["Outputs"]["StandingUsdPerMonth"]["Value"] == standing
        for output in ("RunLowUsd", "RunExpectedUsd", "RunCeilingUsd"):
            assert template["Outputs"][output]["Value"] == figures[output]
        assert figures["UnpricedResourceTypes"] == []
        metadata = _metadata(assembly(env).folder, manifest, name)
        assert f"standing cost ${standing} a month" in metadata
        assert f"a run ${figures['RunExpectedUsd']}" in metadata


def _metadata(folder: Any, manifest: dict[str, Any], name: str) -> str:
    file = folder / f"{name}.metadata.json"
    return file.read_text() if file.exists() else json.dumps(manifest["artifacts"][name].get("metadata", {}))


def test_two_synths_give_the_same_bytes_also_from_another_folder(assembly: Any, tmp_path: Any) -> None:
    first = assembly("dev").template("pipeline")
    again = synthesize(tmp_path / "again", "dev", cwd=tmp_path).template("pipeline")
    assert json.dumps(first) == json.dumps(again)


@pytest.mark.parametrize("env", ["dev", "prod", ACCOUNTS])
def test_cfn_lint_is_clean(env: str, assembly: Any) -> None:
    import subprocess

    files = [str(file) for file in sorted(assembly(env).folder.glob("*.template.json"))]
    done = subprocess.run(["cfn-lint", *files, "--ignore-checks", "W3005"], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stdout[:3000]


def test_a_failed_check_stops_the_synthesis_with_its_figures_unless_waived_and_recorded(tmp_path: Any) -> None:
    # GIVEN a budget that a run exceeds
    config = tmp_path / "config"
    shutil.copytree(CONFIG, config)
    with (config / "dev.yaml").open("a") as file:
        file.write("budget:\n  run_usd: 0.10\n")
    run = partial(subprocess.run, [sys.executable, "app.py"], cwd=ROOT, capture_output=True, text=True, check=False)
    context = {**json.loads((ROOT / "cdk.json").read_text())["context"], "env": "dev"}
    environment = {
        "PATH": os.environ["PATH"],
        "TUNESTACK_CONFIG": str(config),
        "CDK_OUTDIR": str(tmp_path / "out"),
    }
    # WHEN it is synthesized
    refused = run(env={**environment, "CDK_CONTEXT_JSON": json.dumps(context)})
    allowed = run(env={**environment, "CDK_CONTEXT_JSON": json.dumps({**context, "allow": "budget"})})
    # THEN it fails with one line, or passes with the override in the template
    assert refused.returncode == 1 and "Traceback" not in refused.stderr
    assert "config/dev.yaml: budget.run_usd: a run is expected to cost $0." in refused.stderr
    assert allowed.returncode == 0, allowed.stderr[-2000:]
    template = json.loads((tmp_path / "out" / "tunestack-dev-pipeline.template.json").read_text())
    assert "waived by -c allow=budget" in template["Metadata"]["tunestack:cost"]["Waived"][0]


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_every_type_of_resource_is_priced_or_declared_free(env: str, assembly: Any) -> None:
    types = {item["Type"] for template in assembly(env).templates.values() for item in template["Resources"].values()}
    assert types <= PRICED.keys() | FREE_OR_BILLED_BY_USE, "price it in tunestack/costs/standing.py, or declare it free"


def test_a_budget_watches_what_the_environments_tag_reaches_and_tells_whom_the_settings_name(assembly: Any) -> None:
    prod = assembly("prod")
    (budget,) = prod.resources("AWS::Budgets::Budget").values()
    limit = budget["Properties"]["Budget"]
    assert limit["BudgetLimit"] == {"Amount": 500, "Unit": "USD"}
    # Another project of the account has an environment of the same name, and another region, too.
    assert {part["Tags"]["Key"]: part["Tags"]["Values"] for part in limit["FilterExpression"]["And"][:2]} == {
        "environment": ["prod"],
        "project": ["tunestack"],
    }
    assert limit["FilterExpression"]["And"][2]["Dimensions"]["Values"] == ["us-east-1"]
    assert limit["BudgetName"] == "tunestack-prod-us-east-1-month"
    alerts = budget["Properties"]["NotificationsWithSubscribers"]
    assert {alert["Notification"]["NotificationType"] for alert in alerts} == {"FORECASTED", "ACTUAL"}
    assert all(
        alert["Subscribers"] == [{"SubscriptionType": "EMAIL", "Address": "ml-platform@example.com"}]
        for alert in alerts
    )
    # AND every job carries the tag that it counts by
    text = json.dumps(prod.template("pipeline"))
    assert text.count('\\"Key\\":\\"environment\\",\\"Value\\":\\"prod\\"') >= 5


def test_an_environment_without_alerts_has_no_budget(assembly: Any) -> None:
    assert assembly("dev").resources("AWS::Budgets::Budget") == {}
