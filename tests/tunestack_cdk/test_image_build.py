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

BASE = f"public.example/python@sha256:{'a' * 64}"
DLC = f"763104351884.dkr.ecr.us-west-2.amazonaws.com/pytorch-training@sha256:{'b' * 64}"


def make(stack: Stack, key: kms.Key, repository: ecr.Repository, source: Path, base_image: str = BASE) -> ImageBuild:
    (source / "Dockerfile").write_text("ARG BASE_IMAGE\nFROM ${BASE_IMAGE}\n")
    return ImageBuild(
        stack, "Build", source=source, base_image=base_image, torch_build="cu126", repository=repository, repository_name="kit", key=key,
       
        log_retention=logs.RetentionDays.ONE_WEEK, delete_with_stack=False,
    )  # fmt: skip


def test_the_tag_is_the_hash_of_the_files_and_the_base_and_of_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM x")
    tag = image_tag(tmp_path, "python:3.11", "cu126")
    (tmp_path / "README.md").write_text("not in the image")
    assert image_tag(tmp_path, "python:3.11", "cu126") == tag
    assert image_tag(tmp_path, "python:3.12", "cu126") != tag
    assert image_tag(tmp_path, "python:3.11", "cu130") != tag
    (tmp_path / "Dockerfile").write_text("FROM y")
    assert image_tag(tmp_path, "python:3.11", "cu126") != tag


def test_a_deployment_builds_under_that_tag(
    stack: Stack, key: kms.Key, repository: ecr.Repository, template: Any, tmp_path: Path
) -> None:
    build = make(stack, key, repository, tmp_path)
    assert build.image_uri.endswith(f"/kit:{build.tag}")
    found = template()
    found.has_resource_properties("Custom::ImageBuild", {"ImageTag": build.tag, "ServiceTimeout": "3600"})
    variables = Match.array_with([{"Name": "BASE_IMAGE", "Type": "PLAINTEXT", "Value": BASE}])
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


def test_a_base_image_in_another_account_s_registry_may_be_pulled_and_is_logged_in_to(
    stack: Stack, key: kms.Key, repository: ecr.Repository, template: Any, tmp_path: Path
) -> None:
    make(stack, key, repository, tmp_path, DLC)
    pulls = [str(item["Resource"]) for item in statements(template(), "BuildProjectRole")]
    (pull,) = [resource for resource in pulls if "763104351884" in resource]
    assert ":ecr:us-west-2:763104351884:repository/pytorch-training" in pull and "AWS::Partition" in pull
    (project,) = template().find_resources("AWS::CodeBuild::Project").values()
    commands = project["Properties"]["Source"]["BuildSpec"]
    assert "get-login-password --region us-west-2" in commands
    assert "763104351884.dkr.ecr.us-west-2.amazonaws.com" in commands


def test_the_build_starts_when_every_policy_and_the_way_back_are_there(
    stack: Stack, key: kms.Key, repository: ecr.Repository, template: Any, tmp_path: Path
) -> None:
    make(stack, key, repository, tmp_path)
    found = template()
    (build,) = found.find_resources("Custom::ImageBuild").values()
    kinds = ("AWS::IAM::Policy", "AWS::Events::Rule", "AWS::Lambda::Permission", "AWS::CodeBuild::Project")
    needed = {name for kind in kinds for name in found.find_resources(kind)}
    assert needed and needed <= set(build["DependsOn"])


def test_the_end_of_a_build_is_told_however_it_ended_and_before_cloudformation_gives_up(
    stack: Stack, key: kms.Key, repository: ecr.Repository, template: Any, tmp_path: Path
) -> None:
    make(stack, key, repository, tmp_path)
    detail = {"build-status": [{"anything-but": ["IN_PROGRESS"]}], "project-name": [Match.any_value()]}
    template().has_resource_properties(
        "AWS::Events::Rule", {"EventPattern": {"source": ["aws.codebuild"], "detail": detail}}
    )
    (project,) = template().find_resources("AWS::CodeBuild::Project").values()
    waits = project["Properties"]["TimeoutInMinutes"] + project["Properties"]["QueuedTimeoutInMinutes"]
    assert waits < 60 and "post_build" not in project["Properties"]["Source"]["BuildSpec"]
