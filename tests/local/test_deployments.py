"""Stacks live as on AWS: deployed, changed, failed half-way, destroyed, deployed again and taken back in."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from demo import deployment
from demo.deployment import DeploymentError
from tests.local.conftest import client, free_port
from tunestack.aws import Aws
from tunestack.executions.versions import delete_versions
from tunestack.local import LocalAws, lifecycle, local_aws
from tunestack.settings.loading import load_settings
from tunestack.template.assembly import Assembly

pytestmark = pytest.mark.slow


def test_a_second_deploy_and_a_diff_find_nothing_to_do(deployer: Aws, local: LocalAws, assembly: Any) -> None:
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
    return Assembly.read(folder)


def pipeline_of(template: dict[str, Any]) -> dict[str, Any]:
    return next(r["Properties"] for r in template["Resources"].values() if r["Type"] == "AWS::SageMaker::Pipeline")


def test_a_changed_setting_updates_in_place_and_a_failing_update_rolls_back(
    deployer: Aws, local: LocalAws, assembly: Any, tmp_path: Path
) -> None:
    def describe(template: dict[str, Any]) -> None:
        pipeline_of(template)["PipelineDescription"] = "changed"

    def break_it(template: dict[str, Any]) -> None:
        properties = pipeline_of(template)
        properties["PipelineDescription"] = "broken"
        parts = properties["PipelineDefinition"]["PipelineDefinitionBody"]["Fn::Join"][1]
        parts[0] = parts[0].replace("2020-12-01", "1999-12-01")

    def now() -> Any:
        return deployer.sagemaker.describe_pipeline(PipelineName=deployer.pipeline_name)

    created = now()["CreationTime"]
    deployment.deploy(local, changed(assembly("local"), tmp_path / "changed", describe).folder)
    assert now()["PipelineDescription"] == "changed" and now()["CreationTime"] == created
    with pytest.raises(DeploymentError, match="must be '2020-12-01'"):
        deployment.deploy(local, changed(assembly("local"), tmp_path / "broken", break_it).folder)
    assert now()["PipelineDescription"] == "changed"
    assert "2020-12-01" in now()["PipelineDefinition"]
    status = deployer.client("cloudformation").describe_stacks(StackName="tunestack-local-pipeline")["Stacks"][0]
    assert status["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    deployment.deploy(local, assembly("local").folder)
    assert now()["PipelineDescription"] != "changed"


def test_an_unknown_resource_type_fails_the_deploy(
    local: LocalAws, assembly: Any, deployer: Aws, tmp_path: Path
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


def unprotect_storage(aws: LocalAws) -> None:
    client(aws, "cloudformation").update_termination_protection(
        StackName="tunestack-prod-storage", EnableTerminationProtection=False
    )


def test_data_that_is_kept_from_now_on_is_not_deleted_by_the_very_update(
    second: LocalAws, assembly: Any, tmp_path: Path
) -> None:
    # GIVEN dev, whose buckets are emptied when they go, with data in one
    deployment.deploy(second, assembly("dev").folder)
    s3 = client(second, "s3")
    data = next(b["Name"] for b in s3.list_buckets()["Buckets"] if "tunestack-dev-storage-rawdata" in b["Name"])
    s3.put_object(Bucket=data, Key="datasets/a", Body=b"x")

    # WHEN delete_data_on_destroy is switched off: the tag goes, and then the resource that empties
    def keep(template: dict[str, Any]) -> None:
        resources = template["Resources"]
        for name in [name for name, item in resources.items() if item["Type"] == "Custom::S3AutoDeleteObjects"]:
            del resources[name]
        for item in resources.values():
            if item["Type"] == "AWS::S3::Bucket":
                tags = item["Properties"]["Tags"]
                item["Properties"]["Tags"] = [tag for tag in tags if "auto-delete" not in tag["Key"]]

    deployment.deploy(second, changed(assembly("dev"), tmp_path / "keep", keep, stack="storage").folder)
    # THEN the data is there
    assert s3.get_object(Bucket=data, Key="datasets/a")["Body"].read() == b"x"
    deployment.deploy(second, assembly("dev").folder)


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
    account = {"AccountId": "222222222222", "BudgetName": "tunestack-prod-us-east-1-month"}
    assert budgets.describe_budget(**account)["Budget"]["BudgetLimit"] == {"Amount": "500", "Unit": "USD"}
    assert len(budgets.describe_notifications_for_budget(**account)["Notifications"]) == 2
    with pytest.raises(DeploymentError, match="TerminationProtection is enabled"):
        destroy(second, assembly("prod"))
    unprotect_storage(second)
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


def kept(aws: LocalAws, assembly: Assembly) -> dict[str, dict[str, dict[str, str]]]:
    """What prod's stacks left behind, by stack and logical id: the answers that `cdk import` asks for."""
    buckets = [bucket["Name"] for bucket in client(aws, "s3").list_buckets()["Buckets"]]
    aliases = {item["AliasName"]: item["TargetKeyId"] for item in client(aws, "kms").list_aliases()["Aliases"]}
    group = client(aws, "sagemaker").describe_model_package_group(ModelPackageGroupName="tunestack-prod-models")
    found: dict[str, dict[str, dict[str, str]]] = {}
    for stack in ("storage", "images", "registry"):
        answers = found.setdefault(stack, {})
        for name, resource in assembly.template(stack)["Resources"].items():
            match resource["Type"]:
                case "AWS::S3::Bucket":
                    answers[name] = {"BucketName": next(b for b in buckets if f"-storage-{name.lower()}-" in b)}
                case "AWS::KMS::Key":
                    answers[name] = {"KeyId": aliases["alias/tunestack-prod"]}
                case "AWS::KMS::Alias":
                    answers[name] = {"AliasName": "alias/tunestack-prod"}
                case "AWS::ECR::Repository":
                    answers[name] = {"RepositoryName": resource["Properties"]["RepositoryName"]}
                case "AWS::SageMaker::ModelPackageGroup":
                    answers[name] = {"ModelPackageGroupArn": group["ModelPackageGroupArn"]}
    return found


def test_what_prod_left_behind_is_taken_into_its_stacks_again(second: LocalAws, assembly: Any, tmp_path: Path) -> None:
    # GIVEN the same, without the stack whose deployment was refused
    prod, s3 = assembly("prod"), client(second, "s3")
    unprotect_storage(second)
    destroy(second, prod)
    buckets = {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}
    # WHEN it is imported and deployed in the order of docs/first-deployment.md: the others need storage's outputs
    for stack, answers in kept(second, prod).items():
        mapping = tmp_path / f"{stack}.json"
        mapping.write_text(json.dumps(answers))
        name = f"tunestack-prod-{stack}"
        deployment.cdk(second, "import", name, "--app", str(prod.folder), "--resource-mapping", str(mapping))
        if stack == "storage":
            deployment.cdk(second, "deploy", name, "--app", str(prod.folder), "--require-approval", "never")
    deployment.deploy(second, prod.folder)
    # THEN there is one of each thing, with its data, and it is the stacks' as before
    assert {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]} == buckets
    data = next(name for name in buckets if name.startswith("tunestack-prod-storage-rawdata"))
    assert s3.get_object(Bucket=data, Key="datasets/a")["Body"].read() == b"x"
    assert "aws:SecureTransport" in s3.get_bucket_policy(Bucket=data)["Policy"]
    outputs = client(second, "cloudformation").describe_stacks(StackName="tunestack-prod-storage")["Stacks"][0]
    assert data in [output["OutputValue"] for output in outputs["Outputs"]]
    assert deployment.deploy(second, prod.folder).count("(no changes)") == 6


def test_a_name_that_is_not_there_is_not_taken_in(second: LocalAws, assembly: Any, tmp_path: Path) -> None:
    client(second, "cloudformation").delete_stack(StackName="tunestack-prod-registry")
    mapping = tmp_path / "registry.json"
    (group,) = kept(second, assembly("prod"))["registry"]
    mapping.write_text(json.dumps({group: {"ModelPackageGroupArn": "arn:aws:sagemaker:us-east-1:000000000000:model-package-group/no"}}))  # fmt: skip
    with pytest.raises(DeploymentError, match="model-package-group/no' was not found"):
        deployment.cdk(
            second, "import", "tunestack-prod-registry", "--app", str(assembly("prod").folder),
            "--resource-mapping", str(mapping),
        )  # fmt: skip
