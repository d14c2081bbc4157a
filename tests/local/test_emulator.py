"""The emulator must not flatter: what is deployed is read back through each service's own API, and stacks live as on AWS."""

import json
from pathlib import Path
from typing import Any

import pytest

from demo import deployment
from tests.local.conftest import client, free_port, physical_ids
from tunestack.aws import Aws
from tunestack.cli.definition import synthesized_definition
from tunestack.local import LocalAws, lifecycle, local_aws
from tunestack.local.lifecycle import LocalAwsError
from tunestack.settings.loading import load_settings

pytestmark = pytest.mark.slow


def test_buckets_are_what_their_template_says(deployer: Aws) -> None:
    for name in physical_ids(deployer, "AWS::S3::Bucket"):
        assert all(deployer.s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"].values())
        assert "aws:SecureTransport" in deployer.s3.get_bucket_policy(Bucket=name)["Policy"]
        rules = deployer.s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]
        assert deployer.s3.get_bucket_versioning(Bucket=name)["Status"] == "Enabled"
        if "ExpireLogs" in {rule["ID"] for rule in rules}:
            continue
        rule = deployer.s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"][0]
        assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
        assert rule["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"] == deployer.key_arn
        assert deployer.s3.get_bucket_logging(Bucket=name)["LoggingEnabled"]["TargetBucket"]


def test_the_key_rotates(deployer: Aws) -> None:
    kms = deployer.client("kms")
    assert kms.get_key_rotation_status(KeyId=deployer.key_arn)["KeyRotationEnabled"]
    aliases = [alias["AliasName"] for alias in kms.list_aliases()["Aliases"]]
    assert "alias/tunestack-local" in aliases


def test_the_network_has_its_endpoints_groups_and_flow_logs(deployer: Aws) -> None:
    ec2 = deployer.client("ec2")
    vpc = physical_ids(deployer, "AWS::EC2::VPC")[0]
    mine = [e for e in ec2.describe_vpc_endpoints()["VpcEndpoints"] if e["VpcId"] == vpc]
    interfaces = [endpoint for endpoint in mine if endpoint["VpcEndpointType"] == "Interface"]
    assert len(mine) == 10 and len(interfaces) == 9
    assert all(endpoint["PrivateDnsEnabled"] and endpoint["Groups"] for endpoint in interfaces)
    groups = ec2.describe_security_groups(GroupIds=physical_ids(deployer, "AWS::EC2::SecurityGroup"))["SecurityGroups"]
    jobs = next(group for group in groups if group["Description"] == "SageMaker jobs")
    assert {rule.get("FromPort") for rule in jobs["IpPermissionsEgress"] if rule["IpRanges"]} == {443}
    assert [log["ResourceId"] for log in ec2.describe_flow_logs()["FlowLogs"]] == [vpc]


def test_repositories_builds_roles_and_logs_are_there(deployer: Aws) -> None:
    for repository in deployer.client("ecr").describe_repositories()["repositories"]:
        if repository["repositoryName"].startswith("tunestack-local"):
            assert repository["imageTagMutability"] == "IMMUTABLE"
            assert repository["encryptionConfiguration"]["encryptionType"] == "KMS"
            assert repository["imageScanningConfiguration"]["scanOnPush"]
    projects = physical_ids(deployer, "AWS::CodeBuild::Project")
    found = deployer.client("codebuild").batch_get_projects(names=projects)["projects"]
    assert len(found) == 2 and all(project["encryptionKey"] for project in found)
    iam = deployer.client("iam")
    for role in physical_ids(deployer, "AWS::IAM::Role"):
        assert iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    groups = {group["logGroupName"]: group for group in deployer.client("logs").describe_log_groups()["logGroups"]}
    for name in physical_ids(deployer, "AWS::Logs::LogGroup"):
        assert groups[name]["retentionInDays"] == 14 and groups[name]["kmsKeyId"] == deployer.key_arn


def test_the_registry_has_its_policy(deployer: Aws) -> None:
    policy = deployer.sagemaker.get_model_package_group_policy(ModelPackageGroupName=deployer.model_package_group_name)
    assert "sagemaker:DescribeModelPackage" in policy["ResourcePolicy"]


def test_the_deployed_definition_is_the_one_that_is_shown(deployer: Aws) -> None:
    text = deployer.sagemaker.describe_pipeline(PipelineName=deployer.pipeline_name)["PipelineDefinition"]
    there, shown = json.loads(text), json.loads(synthesized_definition("local"))
    assert "${" not in text
    assert _same_but_filled_in(shown, there)


def _same_but_filled_in(shown: Any, there: Any) -> bool:
    """Whether both are the same where nothing was left for CloudFormation to fill in."""
    if isinstance(shown, dict):
        return shown.keys() == there.keys() and all(_same_but_filled_in(shown[key], there[key]) for key in shown)
    if isinstance(shown, list):
        return len(shown) == len(there) and all(map(_same_but_filled_in, shown, there))
    return shown == there or (isinstance(shown, str) and "${" in shown and isinstance(there, str))


def test_without_enforcement_all_else_is_the_same(tmp_path: Path, assembly: Any) -> None:
    aws = local_aws(tmp_path)
    lifecycle.up(aws, port=free_port(), enforce=False)
    try:
        with pytest.raises(LocalAwsError, match="already runs without enforcement"):
            lifecycle.up(aws, port=aws.port() or 0)
        deployment.bootstrap(aws)
        deployment.deploy(aws, assembly("local").folder)
        assert client(aws, "sagemaker").describe_pipeline(PipelineName="tunestack-local-fine-tuning")
        assert not aws.ledger_file.exists()
    finally:
        lifecycle.down(aws, delete_data=True)


def test_a_command_does_not_talk_to_another_project_s_local_aws(
    local: LocalAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # GIVEN another project whose last server had the port that this one has now
    other = local_aws(tmp_path)
    other.home.mkdir(parents=True)
    other.server_file.write_text(local.server_file.read_text())
    monkeypatch.chdir(tmp_path)
    # THEN its commands say that theirs doesn't run
    with pytest.raises(LocalAwsError, match=f"the local AWS of {tmp_path} does not run"):
        Aws(load_settings("local")).client("s3")


def test_a_project_is_found_from_a_folder_below_it(
    local: LocalAws, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "deep" / "down").mkdir(parents=True, exist_ok=True)
    monkeypatch.chdir(project / "deep" / "down")
    assert local_aws().home == local.home


def test_state_survives_a_kill(tmp_path: Path, assembly: Any) -> None:
    import os
    import time

    aws = local_aws(tmp_path)
    lifecycle.up(aws, port=free_port())
    try:
        client(aws, "s3").create_bucket(Bucket="kept")
        client(aws, "s3").put_object(Bucket="kept", Key="a", Body=b"x")
        time.sleep(3)
        os.kill(lifecycle.server_pid(aws) or 0, 9)
        time.sleep(0.5)
        lifecycle.up(aws, port=aws.port() or 0)
        assert client(aws, "s3").get_object(Bucket="kept", Key="a")["Body"].read() == b"x"
    finally:
        lifecycle.down(aws, delete_data=True)


def test_a_port_in_use_is_named(tmp_path: Path, local: LocalAws) -> None:
    with pytest.raises(LocalAwsError, match=f"port {local.port()} is in use by another program"):
        lifecycle.up(local_aws(tmp_path), port=local.port() or 0)


def test_ministacks_handler_table_has_the_form_that_ours_rely_on() -> None:
    import inspect

    from ministack.services.cloudformation import provisioners

    bucket = provisioners._RESOURCE_HANDLERS["AWS::S3::Bucket"]
    assert {"create", "update", "delete"} <= bucket.keys()
    assert list(inspect.signature(bucket["create"]).parameters) == ["logical_id", "props", "stack_name"]
    assert isinstance(provisioners._S3_BUCKET_CONFIGURATIONS, tuple)
