"""An image built from training_code on deploy, once for each content."""

import re
from pathlib import Path
from typing import Any

from aws_cdk import ArnFormat, CustomResource, Duration, FileSystem, IgnoreMode, Stack
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3_assets as s3_assets
from constructs import Construct
from tunestack_functions import image_build

from tunestack_cdk.acknowledge import HIPAA, PCI, acknowledge, acknowledge_in_packs, acknowledge_wildcard
from tunestack_cdk.job_role import service_role
from tunestack_cdk.kit_function import CUSTOM_RESOURCE, KitFunction
from tunestack_cdk.retention import removal_policy

NOT_IN_THE_IMAGE = ["**/__pycache__", "*.md", ".venv*", "requirements-test.*", "wheels"]
# Each less than the hour that CloudFormation waits; together, too.
BUILD_TIME, QUEUE_TIME = Duration.minutes(50), Duration.minutes(5)
_ECR_HOST = re.compile(r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(\.cn)?")


class ImageBuild(Construct):
    """Builds `training_code/Dockerfile` on a base image and pushes it under the hash of what goes in."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        source: Path,
        base_image: str,
        torch_build: str,
        repository: ecr.IRepository,
        repository_name: str,
        key: kms.IKey,
        log_retention: logs.RetentionDays,
        delete_with_stack: bool,
    ) -> None:
        super().__init__(scope, construct_id)
        kept = removal_policy(delete_with_stack=delete_with_stack)
        self.tag = image_tag(source, base_image, torch_build)
        self.role = project_role = service_role(self, "ProjectRole", service="codebuild")
        project = codebuild.Project(
            self,
            "Project",
            description="Builds a tunestack image from training_code",
            source=self._source(source),
            build_spec=codebuild.BuildSpec.from_object_to_yaml(_build_spec(base_image)),
            role=project_role,
            encryption_key=key,
            grant_report_group_permissions=False,
            timeout=BUILD_TIME,
            queued_timeout=QUEUE_TIME,
            logging=codebuild.LoggingOptions(
                cloud_watch=codebuild.CloudWatchLoggingOptions(
                    log_group=logs.LogGroup(
                        self, "ProjectLogs", encryption_key=key, retention=log_retention, removal_policy=kept
                    )
                )
            ),
            environment=codebuild.BuildEnvironment(
                build_image=codebuild.LinuxBuildImage.STANDARD_7_0,
                compute_type=codebuild.ComputeType.LARGE,
                privileged=True,  # for the Docker daemon
            ),
            environment_variables={
                name: codebuild.BuildEnvironmentVariable(value=value)
                for name, value in {
                    "BASE_IMAGE": base_image,
                    "TORCH_BUILD": torch_build,
                    "REPOSITORY_URI": repository.repository_uri,
                    "IMAGE_TAG": self.tag,
                }.items()
            },
        )
        repository.grant_pull_push(project_role)
        _allow_base_image(project_role, base_image)
        _accept_grants(project, project_role)
        starter = KitFunction(
            self,
            "Starter",
            module=image_build,
            settings=image_build.Settings(
                project_name=project.project_name, repository_name=repository.repository_name, key_arn=key.key_arn
            ),
            caller=CUSTOM_RESOURCE,
            description="Starts an image's build when its tag isn't there yet, and says how it ended",
            key=key,
            log_retention=log_retention,
            removal_policy=kept,
        )
        ended = self._on_end(starter.function, project)
        build = CustomResource(
            self,
            "Built",
            service_token=starter.function.function_arn,
            resource_type="Custom::ImageBuild",
            service_timeout=Duration.hours(1),
            properties={"RepositoryName": repository.repository_name, "ImageTag": self.tag},
        )
        # Not only the roles: their policies, and the way back, must be there before the build starts.
        build.node.add_dependency(project_role, project, starter, *ended)
        # From the repository's name, which is ours: other stacks would take its ARN apart to get there.
        stack = Stack.of(self)
        host = f"{stack.account}.dkr.ecr.{stack.region}.{stack.url_suffix}"
        self.image_uri = f"{host}/{repository_name}:{self.tag}"

    def _source(self, source: Path) -> codebuild.ISource:
        asset = s3_assets.Asset(self, "Source", path=str(source), exclude=NOT_IN_THE_IMAGE, ignore_mode=IgnoreMode.GLOB)
        return codebuild.Source.s3(bucket=asset.bucket, path=asset.s3_object_key)

    def _on_end(self, function: lambda_.Function, project: codebuild.Project) -> tuple[Construct, Construct]:
        """Call the function when a build has ended, however it ended: no phase of a build runs after every failure."""
        rule = events.CfnRule(
            self,
            "BuildEnded",
            description="Tells CloudFormation how an image's build ended",
            event_pattern={
                "source": ["aws.codebuild"],
                "detail-type": ["CodeBuild Build State Change"],
                "detail": {
                    "project-name": [project.project_name],
                    "build-status": [{"anything-but": ["IN_PROGRESS"]}],
                },
            },
            targets=[events.CfnRule.TargetProperty(arn=function.function_arn, id="Starter")],
        )
        permission = lambda_.CfnPermission(
            self,
            "MayBeCalled",
            action="lambda:InvokeFunction",
            function_name=function.function_name,
            principal="events.amazonaws.com",
            source_arn=rule.attr_arn,
        )
        return rule, permission


def _build_spec(base_image: str) -> dict[str, Any]:
    logins = [_login("${REPOSITORY_URI%%/*}", region="$AWS_REGION")]
    if found := _ECR_HOST.match(base_image):
        logins.append(_login(found[0], region=found["region"]))
    arguments = '--build-arg BASE_IMAGE="$BASE_IMAGE" --build-arg TORCH_BUILD="$TORCH_BUILD"'
    return {
        "version": "0.2",
        "phases": {
            "pre_build": {"commands": logins},
            "build": {
                "commands": [
                    f'docker build {arguments} --tag "$REPOSITORY_URI:$IMAGE_TAG" .',
                    'docker push "$REPOSITORY_URI:$IMAGE_TAG"',
                ]
            },
        },
    }


def _login(host: str, *, region: str) -> str:
    """A registry's password is good for that registry's region only."""
    return f'aws ecr get-login-password --region {region} | docker login --username AWS --password-stdin "{host}"'


def image_tag(source: Path, base_image: str, torch_build: str) -> str:
    """The hash of what goes into an image: the folder's files, the base image's name and torch's build."""
    return FileSystem.fingerprint(
        str(source), exclude=NOT_IN_THE_IMAGE, ignore_mode=IgnoreMode.GLOB, extra_hash=f"{base_image} {torch_build}"
    )[:16]


def _accept_grants(project: codebuild.Project, role: iam.Role) -> None:
    """The wildcards of CDK's own grants to a build."""
    stack = Stack.of(project)
    logs_of_project = stack.format_arn(
        service="logs",
        resource="log-group",
        resource_name=f"/aws/codebuild/{project.project_name}",
        arn_format=ArnFormat.COLON_RESOURCE_NAME,
    )
    reasons = {
        "Action::s3:GetBucket*": "CDK's grant to read the source asset: that bucket's own attributes only.",
        "Action::s3:GetObject*": "CDK's grant to read the source asset: that one object.",
        "Action::s3:List*": "CDK's grant to read the source asset: that bucket only.",
        "Action::kms:GenerateDataKey*": "CDK's grant to use the environment's key: that one key.",
        "Action::kms:ReEncrypt*": "CDK's grant to use the environment's key: that one key.",
        "Resource::*": "ecr:GetAuthorizationToken has no resource.",
    }
    for finding, reason in reasons.items():
        acknowledge(role, f"AwsSolutions-IAM5[{finding}]", reason=reason)
    reason = "The source is an asset in S3: there is no repository to log in to."
    reason = "CDK gives it to every project: its report and its own log group, and all of the key where half would do."
    acknowledge(role, "tunestack-permissions::unneeded", reason=reason)
    acknowledge_in_packs(project, "CodeBuildProjectSourceRepoUrl", reason=reason, packs=(HIPAA, PCI))
    acknowledge_wildcard(role, f"{logs_of_project}:*", reason="A log stream is named after its build.")


def _allow_base_image(role: iam.Role, base_image: str) -> None:
    """Let the build pull a base image that lies in another account's ECR, as AWS's own do."""
    found = _ECR_HOST.match(base_image)
    if found is None:
        return
    repository = base_image.partition("/")[2].partition("@")[0].partition(":")[0]
    arn = Stack.of(role).format_arn(
        service="ecr",
        region=found["region"],
        account=found["account"],
        resource="repository",
        resource_name=repository,
    )
    role.add_to_policy(
        iam.PolicyStatement(actions=["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"], resources=[arn])
    )
