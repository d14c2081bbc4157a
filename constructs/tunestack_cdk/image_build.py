"""An image built from training_code on deploy, once for each content."""

from pathlib import Path

from aws_cdk import ArnFormat, CustomResource, Duration, FileSystem, IgnoreMode, Stack
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3_assets as s3_assets
from constructs import Construct

from tunestack_cdk.acknowledge import acknowledge, acknowledge_wildcard
from tunestack_cdk.job_role import service_role
from tunestack_cdk.retention import removal_policy

_HANDLER = Path(__file__).parent / "image_build_handler" / "index.py"
NOT_IN_THE_IMAGE = ["**/__pycache__", "*.md", ".venv*", "requirements-test.*", "wheels"]
_ANSWER = (
    'curl --fail --silent --show-error --request PUT --header "Content-Type:" --data '
    '"{\\"StackId\\":\\"$STACK_ID\\",\\"RequestId\\":\\"$REQUEST_ID\\",\\"LogicalResourceId\\":\\"$LOGICAL_RESOURCE_ID\\",'
    '\\"PhysicalResourceId\\":\\"$PHYSICAL_RESOURCE_ID\\",\\"Status\\":\\"$STATUS\\",'
    '\\"Reason\\":\\"see the log of CodeBuild build $CODEBUILD_BUILD_ID\\"}" "$ANSWER_URL"'
)
_BUILD_SPEC = {
    "version": "0.2",
    "phases": {
        "pre_build": {
            "commands": [
                'aws ecr get-login-password | docker login --username AWS --password-stdin "${REPOSITORY_URI%%/*}"'
            ]
        },
        "build": {
            "commands": [
                'docker build --build-arg BASE_IMAGE="$BASE_IMAGE" --tag "$REPOSITORY_URI:$IMAGE_TAG" .',
                'docker push "$REPOSITORY_URI:$IMAGE_TAG"',
            ]
        },
        "post_build": {
            "commands": [
                'STATUS=$([ "$CODEBUILD_BUILD_SUCCEEDING" = 1 ] && echo SUCCESS || echo FAILED)',
                f'if [ -n "$ANSWER_URL" ]; then {_ANSWER}; fi',
            ]
        },
    },
}


class ImageBuild(Construct):
    """Builds `training_code/Dockerfile` on a base image and pushes it under the hash of what goes in."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        source: Path,
        base_image: str,
        repository: ecr.IRepository,
        repository_name: str,
        key: kms.IKey,
        log_retention: logs.RetentionDays,
        delete_with_stack: bool,
    ) -> None:
        super().__init__(scope, construct_id)
        self._removal_policy = removal_policy(delete_with_stack=delete_with_stack)
        asset = s3_assets.Asset(self, "Source", path=str(source), exclude=NOT_IN_THE_IMAGE, ignore_mode=IgnoreMode.GLOB)
        self.tag = image_tag(source, base_image)
        project = self._project(asset, base_image, repository, key, log_retention)
        starter = self._starter(project, repository, key, log_retention)
        build = CustomResource(
            self,
            "Build",
            service_token=starter.function_arn,
            resource_type="Custom::ImageBuild",
            service_timeout=Duration.hours(1),
            properties={
                "ProjectName": project.project_name,
                "RepositoryName": repository.repository_name,
                "ImageTag": self.tag,
            },
        )
        # The roles' permissions must be there before the build starts, not only the roles.
        build.node.add_dependency(project, starter)
        # From the repository's name, which is ours: other stacks would take its ARN apart to get there.
        stack = Stack.of(self)
        host = f"{stack.account}.dkr.ecr.{stack.region}.{stack.url_suffix}"
        self.image_uri = f"{host}/{repository_name}:{self.tag}"

    def _project(
        self,
        asset: s3_assets.Asset,
        base_image: str,
        repository: ecr.IRepository,
        key: kms.IKey,
        log_retention: logs.RetentionDays,
    ) -> codebuild.Project:
        role = service_role(self, "ProjectRole", service="codebuild")
        log_group = logs.LogGroup(
            self, "ProjectLogs", encryption_key=key, retention=log_retention, removal_policy=self._removal_policy
        )
        project = codebuild.Project(
            self,
            "Project",
            description="Builds a tunestack image from training_code",
            source=codebuild.Source.s3(bucket=asset.bucket, path=asset.s3_object_key),
            build_spec=codebuild.BuildSpec.from_object_to_yaml(_BUILD_SPEC),
            role=role,
            encryption_key=key,
            grant_report_group_permissions=False,
            timeout=Duration.minutes(55),
            logging=codebuild.LoggingOptions(cloud_watch=codebuild.CloudWatchLoggingOptions(log_group=log_group)),
            environment=codebuild.BuildEnvironment(
                build_image=codebuild.LinuxBuildImage.STANDARD_7_0,
                compute_type=codebuild.ComputeType.LARGE,
                privileged=True,  # for the Docker daemon
            ),
            environment_variables={
                "BASE_IMAGE": codebuild.BuildEnvironmentVariable(value=base_image),
                "REPOSITORY_URI": codebuild.BuildEnvironmentVariable(value=repository.repository_uri),
                "IMAGE_TAG": codebuild.BuildEnvironmentVariable(value=self.tag),
            },
        )
        repository.grant_pull_push(role)
        _allow_base_image(role, base_image, Stack.of(self).region)
        _accept_grants(project, role)
        return project

    def _starter(
        self,
        project: codebuild.Project,
        repository: ecr.IRepository,
        key: kms.IKey,
        log_retention: logs.RetentionDays,
    ) -> lambda_.Function:
        role = service_role(self, "StarterRole", service="lambda")
        log_group = logs.LogGroup(
            self, "StarterLogs", encryption_key=key, retention=log_retention, removal_policy=self._removal_policy
        )
        log_group.grant_write(role)
        role.add_to_policy(iam.PolicyStatement(actions=["codebuild:StartBuild"], resources=[project.project_arn]))
        role.add_to_policy(iam.PolicyStatement(actions=["ecr:DescribeImages"], resources=[repository.repository_arn]))
        return lambda_.Function(
            self,
            "Starter",
            description="Starts an image's build when its tag isn't there yet",
            runtime=lambda_.Runtime.PYTHON_3_14,
            handler="index.handler",
            code=lambda_.Code.from_inline(_HANDLER.read_text(encoding="utf-8")),
            role=role,
            log_group=log_group,
            timeout=Duration.minutes(1),
        )


def image_tag(source: Path, base_image: str) -> str:
    """The hash of what goes into an image: the folder's files and the base image's name."""
    return FileSystem.fingerprint(
        str(source), exclude=NOT_IN_THE_IMAGE, ignore_mode=IgnoreMode.GLOB, extra_hash=base_image
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
    acknowledge_wildcard(role, f"{logs_of_project}:*", reason="A log stream is named after its build.")


def _allow_base_image(role: iam.Role, base_image: str, region: str) -> None:
    """Let the build pull a base image that lies in another account's ECR, as AWS's own do."""
    host, _, name = base_image.partition("/")
    if ".dkr.ecr." not in host:
        return
    account = host.split(".")[0]
    repository = name.partition("@")[0].partition(":")[0]
    role.add_to_policy(
        iam.PolicyStatement(
            actions=["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
            resources=[f"arn:aws:ecr:{region}:{account}:repository/{repository}"],
        )
    )
