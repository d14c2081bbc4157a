"""The emulator must not flatter: what is deployed is read back through each service's own API, and stacks live as on AWS."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from demo import deployment
from demo.deployment import DeploymentError
from tests.conftest import Assembly
from tests.local.conftest import free_port, physical_ids
from tunestack.aws import Aws
from tunestack.cli.definition import synthesized_definition
from tunestack.executions.versions import delete_versions
from tunestack.local import LocalAws, lifecycle, local_aws
from tunestack.local.lifecycle import LocalAwsError
from tunestack.settings import load_settings

pytestmark = pytest.mark.slow


def test_buckets_are_what_their_template_says(deployed: Aws) -> None:
    for name in physical_ids(deployed, "AWS::S3::Bucket"):
        assert all(deployed.s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"].values())
        assert "aws:SecureTransport" in deployed.s3.get_bucket_policy(Bucket=name)["Policy"]
        rules = deployed.s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]
        if {rule["ID"] for rule in rules} == {"ExpireLogs"}:
            continue
        rule = deployed.s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"][0]
        assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
        assert rule["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"] == deployed.key_arn
        assert deployed.s3.get_bucket_versioning(Bucket=name)["Status"] == "Enabled"
        assert deployed.s3.get_bucket_logging(Bucket=name)["LoggingEnabled"]["TargetBucket"]


def test_the_key_rotates(deployed: Aws) -> None:
    kms = deployed.client("kms")
    assert kms.get_key_rotation_status(KeyId=deployed.key_arn)["KeyRotationEnabled"]
    aliases = [alias["AliasName"] for alias in kms.list_aliases()["Aliases"]]
    assert "alias/tunestack-local" in aliases


def test_the_network_has_its_endpoints_groups_and_flow_logs(deployed: Aws) -> None:
    ec2 = deployed.client("ec2")
    vpc = physical_ids(deployed, "AWS::EC2::VPC")[0]
    mine = [e for e in ec2.describe_vpc_endpoints()["VpcEndpoints"] if e["VpcId"] == vpc]
    interfaces = [endpoint for endpoint in mine if endpoint["VpcEndpointType"] == "Interface"]
    assert len(mine) == 10 and len(interfaces) == 9
    assert all(endpoint["PrivateDnsEnabled"] and endpoint["Groups"] for endpoint in interfaces)
    groups = ec2.describe_security_groups(GroupIds=physical_ids(deployed, "AWS::EC2::SecurityGroup"))["SecurityGroups"]
    jobs = next(group for group in groups if group["Description"] == "SageMaker jobs")
    assert {rule.get("FromPort") for rule in jobs["IpPermissionsEgress"] if rule["IpRanges"]} == {443}
    assert [log["ResourceId"] for log in ec2.describe_flow_logs()["FlowLogs"]] == [vpc]


def test_repositories_builds_roles_and_logs_are_there(deployed: Aws) -> None:
    for repository in deployed.client("ecr").describe_repositories()["repositories"]:
        if repository["repositoryName"].startswith("tunestack-local"):
            assert repository["imageTagMutability"] == "IMMUTABLE"
            assert repository["encryptionConfiguration"]["encryptionType"] == "KMS"
            assert repository["imageScanningConfiguration"]["scanOnPush"]
    projects = physical_ids(deployed, "AWS::CodeBuild::Project")
    found = deployed.client("codebuild").batch_get_projects(names=projects)["projects"]
    assert len(found) == 2 and all(project["encryptionKey"] for project in found)
    iam = deployed.client("iam")
    for role in physical_ids(deployed, "AWS::IAM::Role"):
        assert iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    groups = {group["logGroupName"]: group for group in deployed.client("logs").describe_log_groups()["logGroups"]}
    for name in physical_ids(deployed, "AWS::Logs::LogGroup"):
        assert groups[name]["retentionInDays"] == 14 and groups[name]["kmsKeyId"] == deployed.key_arn


def test_the_registry_has_its_policy(deployed: Aws) -> None:
    policy = deployed.sagemaker.get_model_package_group_policy(ModelPackageGroupName=deployed.model_package_group_name)
    assert "sagemaker:DescribeModelPackage" in policy["ResourcePolicy"]


def test_the_deployed_definition_is_the_one_that_is_shown(deployed: Aws) -> None:
    text = deployed.sagemaker.describe_pipeline(PipelineName=deployed.pipeline_name)["PipelineDefinition"]
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


def test_a_second_deploy_and_a_diff_find_nothing_to_do(deployed: Aws, local: LocalAws, assembly: Any) -> None:
    assert "There were no differences" in deployment.cdk(local, "diff", "--all", "--app", str(assembly("local").folder))
    assert deployment.deploy(local, assembly("local").folder).count("(no changes)") == 5


def changed(assembly: Assembly, folder: Path, change: Any, *, stack: str = "pipeline") -> Assembly:
    """A copy of an assembly with another pipeline stack, or another of its stacks."""
    shutil.copytree(assembly.folder, folder)
    file = next(folder.glob(f"*-{stack}.template.json"))
    template = json.loads(file.read_text())
    change(template)
    file.write_text(json.dumps(template))
    # The CLI uploads a template under the hash that the assembly names, and only once.
    assets = next(folder.glob(f"*-{stack}.assets.json"))
    old = next(
        name for name, item in json.loads(assets.read_text())["files"].items() if item["source"]["path"] == file.name
    )
    new = hashlib.sha256(file.read_bytes()).hexdigest()
    for listing in (assets, folder / "manifest.json"):
        listing.write_text(listing.read_text().replace(old, new))
    return Assembly(folder)


def pipeline_of(template: dict[str, Any]) -> dict[str, Any]:
    return next(r["Properties"] for r in template["Resources"].values() if r["Type"] == "AWS::SageMaker::Pipeline")


def test_a_changed_setting_updates_in_place_and_a_failing_update_rolls_back(
    deployed: Aws, local: LocalAws, assembly: Any, tmp_path: Path
) -> None:
    def describe(template: dict[str, Any]) -> None:
        pipeline_of(template)["PipelineDescription"] = "changed"

    def break_it(template: dict[str, Any]) -> None:
        properties = pipeline_of(template)
        properties["PipelineDescription"] = "broken"
        parts = properties["PipelineDefinition"]["PipelineDefinitionBody"]["Fn::Join"][1]
        parts[0] = parts[0].replace("2020-12-01", "1999-12-01")

    def now() -> dict[str, Any]:
        return deployed.sagemaker.describe_pipeline(PipelineName=deployed.pipeline_name)

    created = now()["CreationTime"]
    deployment.deploy(local, changed(assembly("local"), tmp_path / "changed", describe).folder)
    assert now()["PipelineDescription"] == "changed" and now()["CreationTime"] == created
    with pytest.raises(DeploymentError, match="must be '2020-12-01'"):
        deployment.deploy(local, changed(assembly("local"), tmp_path / "broken", break_it).folder)
    assert now()["PipelineDescription"] == "changed"
    assert "2020-12-01" in now()["PipelineDefinition"]
    status = deployed.client("cloudformation").describe_stacks(StackName="tunestack-local-pipeline")["Stacks"][0]
    assert status["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    deployment.deploy(local, assembly("local").folder)
    assert now()["PipelineDescription"] != "changed"


def test_an_unknown_resource_type_fails_the_deploy(
    local: LocalAws, assembly: Any, deployed: Aws, tmp_path: Path
) -> None:
    def add(template: dict[str, Any]) -> None:
        template["Resources"]["Budget"] = {"Type": "AWS::Nothing::AtAll", "Properties": {}}

    with pytest.raises(DeploymentError, match="AWS::Nothing::AtAll"):
        deployment.deploy(local, changed(assembly("local"), tmp_path / "unknown", add).folder)


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Another local AWS, for deploying and destroying dev and prod."""
    aws = local_aws(tmp_path_factory.mktemp("second"))
    lifecycle.up(aws, port=free_port())
    deployment.bootstrap(aws)
    yield aws
    lifecycle.down(aws, delete_data=True)


def destroy(aws: LocalAws, assembly: Assembly) -> None:
    deployment.cdk(aws, "destroy", "--all", "--force", "--app", str(assembly.folder))


def client(aws: LocalAws, service: str) -> Any:
    import boto3

    session = boto3.Session(aws_access_key_id="000000000000", aws_secret_access_key="x", region_name="us-east-1")
    return session.client(service, endpoint_url=aws.endpoint_url)


def test_destroying_dev_leaves_nothing(second: LocalAws, assembly: Any) -> None:
    deployment.deploy(second, assembly("dev").folder)
    buckets = {bucket["Name"] for bucket in client(second, "s3").list_buckets()["Buckets"]}
    data = next(name for name in buckets if "rawdata" in name)
    client(second, "s3").put_object(Bucket=data, Key="datasets/a", Body=b"x")
    sagemaker = client(second, "sagemaker")
    image = {"Containers": [{"Image": "image", "ModelDataUrl": "s3://b/model.tar.gz"}]}
    kinds = {
        "SupportedContentTypes": ["application/jsonlines"],
        "SupportedResponseMIMETypes": ["application/jsonlines"],
    }
    sagemaker.create_model_package(
        ModelPackageGroupName="tunestack-dev-models", InferenceSpecification={**image, **kinds},
        ModelApprovalStatus="PendingManualApproval",
    )  # fmt: skip
    with pytest.raises(DeploymentError, match="has model versions"):
        destroy(second, assembly("dev"))

    class Dev(Aws):
        def client(self, service: str) -> Any:
            return client(second, service)

    assert len(delete_versions(Dev(load_settings("dev")))) == 1
    destroy(second, assembly("dev"))
    left = [bucket["Name"] for bucket in client(second, "s3").list_buckets()["Buckets"]]
    assert [name for name in left if name.startswith("tunestack-dev")] == []
    assert client(second, "ecr").describe_repositories()["repositories"] == [] or all(
        not r["repositoryName"].startswith("tunestack-dev")
        for r in client(second, "ecr").describe_repositories()["repositories"]
    )
    with pytest.raises(ClientError):
        client(second, "sagemaker").describe_pipeline(PipelineName="tunestack-dev-fine-tuning")
    with pytest.raises(ClientError):
        client(second, "sagemaker").describe_model_package_group(ModelPackageGroupName="tunestack-dev-models")


def test_destroying_prod_keeps_data_keys_and_registry(second: LocalAws, assembly: Any) -> None:
    deployment.deploy(second, assembly("prod").folder)
    s3 = client(second, "s3")
    data = next(
        b["Name"] for b in s3.list_buckets()["Buckets"] if b["Name"].startswith("tunestack-prod-storage-rawdata")
    )
    s3.put_object(Bucket=data, Key="datasets/a", Body=b"x")
    budgets = client(second, "budgets")
    account = {"AccountId": "222222222222", "BudgetName": "tunestack-prod-month"}
    assert budgets.describe_budget(**account)["Budget"]["BudgetLimit"] == {"Amount": "500", "Unit": "USD"}
    assert len(budgets.describe_notifications_for_budget(**account)["Notifications"]) == 2
    with pytest.raises(DeploymentError, match="TerminationProtection is enabled"):
        destroy(second, assembly("prod"))
    client(second, "cloudformation").update_termination_protection(
        StackName="tunestack-prod-storage", EnableTerminationProtection=False
    )
    destroy(second, assembly("prod"))
    with pytest.raises(ClientError):
        budgets.describe_budget(**account)
    assert s3.get_object(Bucket=data, Key="datasets/a")["Body"].read() == b"x"
    keys = client(second, "kms").list_keys()["Keys"]
    states = [client(second, "kms").describe_key(KeyId=key["KeyId"])["KeyMetadata"] for key in keys]
    assert any(state["KeyState"] == "Enabled" and "tunestack-prod" in state["Description"] for state in states)
    assert client(second, "sagemaker").describe_model_package_group(ModelPackageGroupName="tunestack-prod-models")
    with pytest.raises(ClientError):
        client(second, "sagemaker").describe_pipeline(PipelineName="tunestack-prod-fine-tuning")


def test_a_deployment_that_fails_half_way_can_be_made_again(
    tmp_path_factory: pytest.TempPathFactory, assembly: Any, tmp_path: Path
) -> None:
    # GIVEN an empty account, and a first deployment of prod whose last stacks fail
    aws = local_aws(tmp_path_factory.mktemp("third"))
    lifecycle.up(aws, port=free_port())
    try:
        deployment.bootstrap(aws)

        def break_it(template: dict[str, Any]) -> None:
            template["Resources"]["Broken"] = {"Type": "AWS::Nothing::AtAll", "Properties": {}}

        for stack in ("images", "registry"):
            broken = changed(assembly("prod"), tmp_path / f"broken-{stack}", break_it, stack=stack)
            with pytest.raises(DeploymentError, match="AWS::Nothing::AtAll"):
                deployment.deploy(aws, broken.folder)
        # WHEN it is made again
        deployment.deploy(aws, assembly("prod").folder)
        # THEN it is whole, and there is one of each thing
        names = [bucket["Name"] for bucket in client(aws, "s3").list_buckets()["Buckets"]]
        assert len([name for name in names if name.startswith("tunestack-prod")]) == 4
        repositories = [item["repositoryName"] for item in client(aws, "ecr").describe_repositories()["repositories"]]
        assert sorted(name for name in repositories if "prod" in name) == [
            "tunestack-prod-inference",
            "tunestack-prod-training",
        ]
    finally:
        lifecycle.down(aws, delete_data=True)


def test_a_destroyed_prod_is_not_deployed_beside_what_was_kept(second: LocalAws, assembly: Any) -> None:
    # GIVEN what the test before left: data, key, alias, repositories and group, without stacks
    s3, kms = client(second, "s3"), client(second, "kms")
    buckets, keys = (
        {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]},
        {key["KeyId"] for key in kms.list_keys()["Keys"]},
    )
    # WHEN it is deployed again
    with pytest.raises(DeploymentError, match=r"alias/tunestack-prod.* already exists"):
        deployment.deploy(second, assembly("prod").folder)
    # THEN there is no second set of anything
    assert {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]} == buckets
    new = [kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"] for key in kms.list_keys()["Keys"] if key["KeyId"] not in keys]  # fmt: skip
    assert all(key["KeyState"] == "PendingDeletion" for key in new)


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
