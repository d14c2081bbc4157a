"""The delivery pipeline: a commit is tested, synthesized, and deployed from environment to environment."""

from collections.abc import Mapping
from typing import Any

from aws_cdk import App, DefaultStackSynthesizer, Duration, Environment, RemovalPolicy, Stack, pipelines
from aws_cdk import Stage as CdkStage
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_codecommit as codecommit
from aws_cdk import aws_codepipeline as codepipeline
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from constructs import Construct
from tunestack_cdk.acknowledge import HIPAA, PCI, acknowledge, acknowledge_in_packs, acknowledge_wildcard
from tunestack_cdk.data_bucket import AccessLogBucket, DataBucket
from tunestack_cdk.encryption_key import EncryptionKey
from tunestack_cdk.log_retention import log_retention

from stacks.environment import add_environment
from tunestack.executions.deployed import lookup_role_arn
from tunestack.planning.blueprint import blueprint_of
from tunestack.settings.delivery import Delivery, Source, Stage, load_delivery
from tunestack.settings.loading import Settings

# The tests train small models and start a Docker daemon.
_TEST_TIME, _BUILD_TIME = Duration.hours(2), Duration.hours(1)
_KEPT_DAYS = 90
# What the approval's message shows: CodePipeline takes 1,000 characters of it.
_REVIEW = "REVIEW"
_SET_UP = ("make setup", 'export PATH="$PWD/.venv/bin:$PWD/node_modules/.bin:$PATH"')


class EnvironmentStage(CdkStage):
    """All stacks of one environment, in its account and region."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings) -> None:
        environment = settings.environment
        super().__init__(scope, construct_id, env=Environment(account=environment.account, region=environment.region))
        add_environment(self, blueprint_of(settings))


class DeliveryStack(Stack):
    """Changes itself first, then deploys each stage's environments at once, each after its review."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        delivery: Delivery,
        environments: Mapping[str, Settings],
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        self._delivery = delivery
        alias = f"alias/{delivery.name}"
        self._key = EncryptionKey(self, "Key", alias=alias, removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE).key
        self._source_files = self._source(delivery.source)
        self._synth = self._test_and_synthesize()
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
            self._add(stage, [environments[name] for name in stage.environments])
        self.pipeline.build_pipeline()
        self._roll_back_what_fails({"-".join(stage.environments) for stage in delivery.stages})
        self._trust_this_account_only()
        self._accept_findings()

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

    def _test_and_synthesize(self) -> pipelines.CodeBuildStep:
        return pipelines.CodeBuildStep(
            "TestAndSynthesize",
            input=self._source_files,
            commands=["make test", *_SET_UP, "cdk synth --quiet -c delivery=on"],
            primary_output_directory="cdk.out",
            timeout=_TEST_TIME,
            build_environment=codebuild.BuildEnvironment(
                build_image=codebuild.LinuxBuildImage.STANDARD_7_0,
                compute_type=codebuild.ComputeType.LARGE,
                privileged=True,  # for the Docker daemon of the tests
            ),
        )

    def _add(self, stage: Stage, environments: list[Settings]) -> None:
        name = "-".join(settings.name for settings in environments)
        stages = {settings.name: EnvironmentStage(self, settings.name, settings=settings) for settings in environments}
        # Of its own: a "no" must not send the stage behind it back to what it deployed before.
        asked = self.pipeline.add_wave(f"review-{name}")
        for settings in environments:
            review = self._review(stage, settings, stages[settings.name])
            asked.add_pre(review)
            if stage.approval:
                shown = f"Deploy to {settings.name}? {review.exported_variable(_REVIEW)}"
                approval = pipelines.ManualApprovalStep(f"Approve-{settings.name}", comment=shown)
                approval.add_step_dependency(review)
                asked.add_pre(approval)
        wave = self.pipeline.add_wave(name)
        for settings in environments:
            after = [self._smoke_run(settings)] if stage.smoke_run else []
            wave.add_stage(stages[settings.name], post=after)

    def _review(self, stage: Stage, settings: Settings, deployed: EnvironmentStage) -> pipelines.CodeBuildStep:
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
            resource_name=settings.names.smoke_run_role,
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
                role_name=f"{self._delivery.name}-smoke-{settings.name}",
                assumed_by=iam.ServicePrincipal("codebuild.amazonaws.com"),
            ),
            role_policy_statements=[iam.PolicyStatement(actions=["sts:AssumeRole"], resources=[role])],
            timeout=_TEST_TIME,
        )

    def _roll_back_what_fails(self, names: set[str]) -> None:
        """A stage that fails goes back to what it last deployed well, as CloudFormation does with each stack."""
        pipeline = self.pipeline.pipeline.node.default_child
        assert isinstance(pipeline, codepipeline.CfnPipeline)
        for index, stage in enumerate(self.pipeline.pipeline.stages):
            if stage.stage_name in names:
                pipeline.add_property_override(f"Stages.{index}.OnFailure", {"Result": "ROLLBACK"})

    def _trust_this_account_only(self) -> None:
        """CDK's own roles trust CodePipeline and CodeBuild for whoever they work for."""
        for role in self.node.find_all():
            if isinstance(role, iam.CfnRole) and Stack.of(role).stack_name == self.stack_name:
                trust = self.resolve(role.assume_role_policy_document)
                for index, statement in enumerate(trust["Statement"]):
                    if "Service" in statement["Principal"]:
                        path = f"AssumeRolePolicyDocument.Statement.{index}.Condition"
                        role.add_property_override(path, {"StringEquals": {"aws:SourceAccount": self.account}})

    def _accept_findings(self) -> None:
        reason = "The source comes from CodePipeline: a project has no repository to log in to."
        acknowledge_in_packs(self.pipeline, "CodeBuildProjectSourceRepoUrl", reason=reason, packs=(HIPAA, PCI))
        reason = "The policy is this role's alone: nobody else can be given it, and it is deleted with the role."
        acknowledge_in_packs(self, "IAMNoInlinePolicy", reason=reason)
        reason = (
            "CDK Pipelines' own grants, of the artifacts' bucket and key, and of its own projects, by its construct."
        )
        reason = (
            "In another region lie copies of artifacts, which are kept, versioned and logged in the pipeline's own."
        )
        for support in self.pipeline.pipeline.cross_region_support.values():
            acknowledge(support.stack, "AwsSolutions-S1", reason=reason)
            for rule in ("S3BucketLoggingEnabled", "S3BucketVersioningEnabled", "S3BucketReplicationEnabled"):
                acknowledge_in_packs(support.stack, rule, reason=reason)
        for policy in self.pipeline.node.find_all():
            if isinstance(policy, iam.CfnPolicy):
                for statement in self.resolve(policy.policy_document)["Statement"]:
                    for action in _several(statement["Action"]):
                        if "*" in action:
                            acknowledge(policy, f"AwsSolutions-IAM5[Action::{action}]", reason=reason)
                    for resource in _several(statement["Resource"]):
                        acknowledge_wildcard(policy, resource, reason=reason)


def _several(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


# What CDK Pipelines grants to its own roles, in the form that the rule pack takes.
ACCEPTED = {
    "bucket *CrossRegionCodePipelineReplicationBucket*": "Copies of what the pipeline's own bucket keeps and logs.",
    "bucket_wildcard Delivery*": "CodePipeline hands artifacts from stage to stage in folders that it names itself.",
    "allow_anywhere DeliveryUpdatePipelineSelfMutationRole*": "`cdk deploy` looks for the stacks that it is to change.",
    "allow_anywhere DeliveryPipelineRole*": "The key of another region's copies has no name that is known here.",
    "allow_anywhere DeliveryAssetsFileRole*": "CodePipeline's own grant to start the project that publishes assets.",
    "privilege* DeliveryPipelineSource*": "The source action writes one artifact, and owns what it writes.",
}


def add_delivery(app: App) -> DeliveryStack:
    """The delivery pipeline of `config/delivery/delivery.yaml`.

    Raises:
        SettingsError: it, or an environment that it goes through, can't be delivered.
    """
    delivery, environments = load_delivery()
    return DeliveryStack(
        app,
        delivery.name,
        delivery=delivery,
        environments=environments,
        env=Environment(account=delivery.account, region=delivery.region),
        synthesizer=DefaultStackSynthesizer(qualifier=delivery.bootstrap_qualifier),
    )
