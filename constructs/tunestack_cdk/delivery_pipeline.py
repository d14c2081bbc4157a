"""The delivery pipeline: a commit is checked, synthesized, and deployed from environment to environment."""

from collections.abc import Mapping

from aws_cdk import Duration, RemovalPolicy, Stack, pipelines
from aws_cdk import Stage as CdkStage
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_codecommit as codecommit
from aws_cdk import aws_codepipeline as codepipeline
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from constructs import Construct

from tunestack.executions.deployed import lookup_role_arn
from tunestack.settings.delivery import Delivery, Source, Stage
from tunestack.settings.loading import Settings
from tunestack_cdk.data_bucket import AccessLogBucket, DataBucket
from tunestack_cdk.delivery_findings import accept_findings
from tunestack_cdk.encryption_key import EncryptionKey
from tunestack_cdk.log_retention import log_retention

# A smoke run waits for a training.
_SMOKE_TIME, _BUILD_TIME = Duration.hours(2), Duration.hours(1)
_KEPT_DAYS = 90
_USE, _USE_BY_OLD_NAME = "codeconnections:UseConnection", "codestar-connections:UseConnection"
# What the approval's message shows: CodePipeline takes 1,000 characters of it.
_REVIEW = "REVIEW"
_SET_UP = ("make setup", 'export PATH="$PWD/.venv/bin:$PWD/node_modules/.bin:$PATH"')


class DeliveryPipeline(Construct):
    """Changes itself first, then deploys each stage's environments at once, each after its review.

    `environments` are those of the delivery by name, each with the CDK stage that holds its stacks.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        delivery: Delivery,
        environments: Mapping[str, tuple[Settings, CdkStage]],
    ) -> None:
        super().__init__(scope, construct_id)
        self._delivery = delivery
        alias = f"alias/{delivery.name}"
        self._key = EncryptionKey(self, "Key", alias=alias, removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE).key
        self._source_files = self._source(delivery.source)
        self._synth = self._check_and_synthesize()
        self.pipeline = pipelines.CodePipeline(
            self,
            "Delivery",
            pipeline_name=delivery.name,
            pipeline_type=codepipeline.PipelineType.V2,
            synth=self._synth,
            self_mutation=True,
            # The artifacts' key is one that the other accounts can use.
            cross_account_keys=True,
            enable_key_rotation=True,
            artifact_bucket=self._artifacts(),
            publish_assets_in_parallel=False,
            use_change_sets=True,
            code_build_defaults=pipelines.CodeBuildOptions(
                timeout=_BUILD_TIME,
                logging=codebuild.LoggingOptions(
                    cloud_watch=codebuild.CloudWatchLoggingOptions(log_group=self._logs())
                ),
            ),
        )
        for stage in delivery.stages:
            self._add(stage, {name: environments[name] for name in stage.environments})
        self.pipeline.build_pipeline()
        self._roll_back_what_fails({"-".join(stage.environments) for stage in delivery.stages})
        self._trust_this_account_only()
        self._use_connection_by_both_names()
        bucket = delivery.source.s3.bucket if delivery.source.s3 else None
        accept_findings(Stack.of(self), self.pipeline, key_arn=self._key.key_arn, source_bucket=bucket)

    def _artifacts(self) -> s3.IBucket:
        """Where the stages hand each other what they made: read by the other accounts' deployments."""
        access_logs = AccessLogBucket(
            self, "AccessLogs", expire_after=Duration.days(_KEPT_DAYS), delete_with_stack=False
        )
        expire = s3.LifecycleRule(id="Expire", expiration=Duration.days(_KEPT_DAYS))
        return DataBucket(
            self,
            "Artifacts",
            key=self._key,
            access_logs=access_logs,
            old_versions_expire_after=Duration.days(_KEPT_DAYS),
            delete_with_stack=False,
            lifecycle_rules=[expire],
        ).bucket

    def _logs(self) -> logs.ILogGroup:
        return logs.LogGroup(
            self,
            "Logs",
            encryption_key=self._key,
            retention=log_retention(_KEPT_DAYS),
            removal_policy=RemovalPolicy.RETAIN,
        )

    def _source(self, source: Source) -> pipelines.CodePipelineSource:
        if source.connection:
            return pipelines.CodePipelineSource.connection(
                source.connection.repository,
                source.connection.branch,
                connection_arn=source.connection.arn,
                # With its history: what changed is said against what was.
                code_build_clone_output=True,
            )
        if source.codecommit:
            repository = codecommit.Repository.from_repository_name(self, "Repository", source.codecommit.repository)
            return pipelines.CodePipelineSource.code_commit(
                repository, source.codecommit.branch, code_build_clone_output=True
            )
        assert source.s3 is not None
        bucket = s3.Bucket.from_bucket_name(self, "Source", source.s3.bucket)
        return pipelines.CodePipelineSource.s3(bucket, source.s3.key)

    def _check_and_synthesize(self) -> pipelines.CodeBuildStep:
        return pipelines.CodeBuildStep(
            "CheckAndSynthesize",
            input=self._source_files,
            commands=["make check", *_SET_UP, "cdk synth --quiet -c delivery=on"],
            primary_output_directory="cdk.out",
            build_environment=codebuild.BuildEnvironment(
                build_image=codebuild.LinuxBuildImage.STANDARD_7_0, compute_type=codebuild.ComputeType.MEDIUM
            ),
        )

    def _add(self, stage: Stage, environments: Mapping[str, tuple[Settings, CdkStage]]) -> None:
        name = "-".join(environments)
        # Of its own: a "no" must not send the stage behind it back to what it deployed before.
        asked = self.pipeline.add_wave(f"review-{name}")
        for settings, deployed in environments.values():
            review = self._review(stage, settings, deployed)
            asked.add_pre(review)
            if stage.approval:
                shown = f"Deploy to {settings.name}? {review.exported_variable(_REVIEW)}"
                approval = pipelines.ManualApprovalStep(f"Approve-{settings.name}", comment=shown)
                approval.add_step_dependency(review)
                asked.add_pre(approval)
        wave = self.pipeline.add_wave(name)
        for settings, deployed in environments.values():
            wave.add_stage(deployed, post=[self._smoke_run(settings)] if stage.smoke_run else [])

    def _review(self, stage: Stage, settings: Settings, deployed: CdkStage) -> pipelines.CodeBuildStep:
        """What the change costs and does, as an artifact and in the approval's message; too much ends it here."""
        assembly = f"assembly/{deployed.artifact_id}"
        role = lookup_role_arn(settings)
        assert role is not None
        limit = stage.max_increase_usd_per_month
        gate = f" --max-increase-usd-per-month {limit:g}" if limit is not None else ""
        return pipelines.CodeBuildStep(
            f"Review-{settings.name}",
            input=self._source_files,
            additional_inputs={"assembly": self._synth},
            commands=[
                *_SET_UP,
                "mkdir review",
                f"cdk diff --app {assembly} > review/templates.diff 2>&1",
                "tunestack access assembly --unneeded > review/access.txt",
                f"tunestack cost review {assembly} --env {settings.name} --out review/cost.md{gate} "
                "> review/summary.txt || { cat review/summary.txt; exit 1; }",
                f'export {_REVIEW}="$(head -c 900 review/summary.txt)"',
            ],
            primary_output_directory="review",
            role_policy_statements=[iam.PolicyStatement(actions=["sts:AssumeRole"], resources=[role])],
        )

    def _smoke_run(self, settings: Settings) -> pipelines.CodeBuildStep:
        """A training of one step, with all that comes after it, as the environment's own role for that."""
        role = Stack.of(self).format_arn(
            service="iam",
            region="",
            account=settings.environment.account,
            resource="role",
            resource_name=settings.names.role(settings.names.smoke_run_role),
        )
        return pipelines.CodeBuildStep(
            f"SmokeRun-{settings.name}",
            input=self._source_files,
            commands=[
                *_SET_UP,
                f"aws configure set profile.smoke.role_arn {role}",
                "aws configure set profile.smoke.credential_source EcsContainer",
                f"AWS_PROFILE=smoke tunestack run --env {settings.name} --param MaxSteps=1",
            ],
            role=iam.Role(
                self,
                f"SmokeRunRole-{settings.name}",
                role_name=settings.names.smoke_runner,
                assumed_by=iam.ServicePrincipal("codebuild.amazonaws.com"),
            ),
            role_policy_statements=[iam.PolicyStatement(actions=["sts:AssumeRole"], resources=[role])],
            timeout=_SMOKE_TIME,
        )

    def _roll_back_what_fails(self, names: set[str]) -> None:
        """A stage that fails goes back to what it last deployed well, as CloudFormation does with each stack."""
        pipeline = self.pipeline.pipeline.node.default_child
        assert isinstance(pipeline, codepipeline.CfnPipeline)
        for index, stage in enumerate(self.pipeline.pipeline.stages):
            if stage.stage_name in names:
                pipeline.add_property_override(f"Stages.{index}.OnFailure", {"Result": "ROLLBACK"})

    def _use_connection_by_both_names(self) -> None:
        """CDK grants a connection's use by the service's old name alone; one that is made today has the new one's ARN.

        "Rename your existing AWS CodeStar Connections resources" in the Developer Tools console's guide.
        """
        connection = self._delivery.source.connection
        if connection is None:
            return
        policies = [item for item in Stack.of(self).node.find_all() if isinstance(item, iam.Policy)]
        for policy in policies:
            if _USE_BY_OLD_NAME in str(policy.document.to_json()):
                policy.add_statements(iam.PolicyStatement(actions=[_USE], resources=[connection.arn]))

    def _trust_this_account_only(self) -> None:
        """CDK's own roles trust CodePipeline and CodeBuild for whoever they work for."""
        stack = Stack.of(self)
        for role in stack.node.find_all():
            if isinstance(role, iam.CfnRole) and Stack.of(role).stack_name == stack.stack_name:
                trust = stack.resolve(role.assume_role_policy_document)
                for index, statement in enumerate(trust["Statement"]):
                    if "Service" in statement["Principal"]:
                        path = f"AssumeRolePolicyDocument.Statement.{index}.Condition"
                        role.add_property_override(path, {"StringEquals": {"aws:SourceAccount": stack.account}})
