"""ImageBuild: one build for each content, started when the tag isn't there, logged and encrypted."""

from pathlib import Path
from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk.assertions import Match
from tunestack_cdk.image_build import ImageBuild, image_tag

from tests.tunestack_cdk.conftest import statements


def make(
    stack: Stack, key: kms.Key, repository: ecr.Repository, source: Path, base_image: str = "python:3.11"
) -> ImageBuild:
    (source / "Dockerfile").write_text("ARG BASE_IMAGE\nFROM ${BASE_IMAGE}\n")
    return ImageBuild(
        stack, "Build", source=source, base_image=base_image, repository=repository, repository_name="kit", key=key,
        log_retention=logs.RetentionDays.ONE_WEEK, delete_with_stack=False,
    )  # fmt: skip


def test_the_tag_is_the_hash_of_the_files_and_the_base_and_of_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM x")
    tag = image_tag(tmp_path, "python:3.11")
    (tmp_path / "README.md").write_text("not in the image")
    assert image_tag(tmp_path, "python:3.11") == tag
    assert image_tag(tmp_path, "python:3.12") != tag
    (tmp_path / "Dockerfile").write_text("FROM y")
    assert image_tag(tmp_path, "python:3.11") != tag


def test_a_deployment_builds_under_that_tag(
    stack: Stack, key: kms.Key, repository: ecr.Repository, template: Any, tmp_path: Path
) -> None:
    build = make(stack, key, repository, tmp_path)
    assert build.image_uri.endswith(f"/kit:{build.tag}")
    found = template()
    found.has_resource_properties("Custom::ImageBuild", {"ImageTag": build.tag, "ServiceTimeout": "3600"})
    variables = Match.array_with([{"Name": "BASE_IMAGE", "Type": "PLAINTEXT", "Value": "python:3.11"}])
    found.has_resource_properties(
        "AWS::CodeBuild::Project",
        {"EncryptionKey": Match.any_value(), "Environment": {"EnvironmentVariables": variables}},
    )


def test_every_log_is_encrypted_ends_and_outlives_the_stack(
    stack: Stack, key: kms.Key, repository: ecr.Repository, template: Any, tmp_path: Path
) -> None:
    make(stack, key, repository, tmp_path)
    template().all_resources_properties("AWS::Logs::LogGroup", {"RetentionInDays": 7, "KmsKeyId": Match.any_value()})
    template().all_resources("AWS::Logs::LogGroup", {"DeletionPolicy": "RetainExceptOnCreate"})


def test_the_starter_may_start_this_build_and_look_into_this_repository_only(
    stack: Stack, key: kms.Key, repository: ecr.Repository, template: Any, tmp_path: Path
) -> None:
    make(stack, key, repository, tmp_path)
    allowed = {
        action: item["Resource"]
        for item in statements(template(), "BuildStarterRole")
        for action in (item["Action"] if isinstance(item["Action"], list) else [item["Action"]])
    }
    assert {"codebuild:StartBuild", "ecr:DescribeImages"} <= allowed.keys()
    assert "*" not in allowed.values()


def test_a_base_image_in_another_account_s_registry_may_be_pulled(
    stack: Stack, key: kms.Key, repository: ecr.Repository, template: Any, tmp_path: Path
) -> None:
    make(stack, key, repository, tmp_path, "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.8")
    pulls = [str(item["Resource"]) for item in statements(template(), "BuildProjectRole")]
    assert any(":763104351884:repository/pytorch-training" in resource for resource in pulls)
