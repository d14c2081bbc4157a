"""The deployed pipeline, with its roles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import Stack, Tags
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from tunestack.definition import validate
from tunestack.pipeline import JobDefaults, Resources, Roles, Vpc, fine_tuning_pipeline
from tunestack.settings import Settings
from tunestack_cdk.job_role import JobRole
from tunestack_cdk.pipeline_role import PipelineRole

if TYPE_CHECKING:
    from tunestack_cdk.job_network import JobNetwork

_PROCESSING_LOG, _TRAINING_LOG, _TRANSFORM_LOG = (
    f"/aws/sagemaker/{kind}" for kind in ("ProcessingJobs", "TrainingJobs", "TransformJobs")
)


class FineTuningPipeline(Construct):
    """`AWS::SageMaker::Pipeline` with its definition inline, and a role for each kind of its jobs.

    Raises:
        ValueError: the definition would be refused by the service; a line per problem.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        raw_data_bucket: s3.IBucket,
        artifacts_bucket: s3.IBucket,
        results_bucket: s3.IBucket,
        key: kms.IKey,
        network: JobNetwork | None,
        training_image: ecr.IRepository,
        training_image_uri: str,
        inference_image: ecr.IRepository,
        inference_image_uri: str,
        model_package_group_name: str,
    ) -> None:
        super().__init__(scope, construct_id)
        self._settings = settings
        self._key = key
        self._network = network
        self._raw, self._artifacts, self._results = raw_data_bucket, artifacts_bucket, results_bucket
        roles = self._job_roles(training_image, inference_image)
        pipeline_role = PipelineRole(
            self,
            "PipelineRole",
            job_roles=[role.role for role in roles.values()],
            group_name=model_package_group_name,
            results_bucket=results_bucket,
            key=key,
            permissions_boundary=settings.environment.security.permissions_boundary,
        )
        definition = fine_tuning_pipeline(
            settings,
            Resources(
                raw_data_bucket=raw_data_bucket.bucket_name,
                artifacts_bucket=artifacts_bucket.bucket_name,
                results_bucket=results_bucket.bucket_name,
                training_image_uri=training_image_uri,
                inference_image_uri=inference_image_uri,
                model_package_group_name=model_package_group_name,
                roles=Roles(**{kind: role.role.role_arn for kind, role in roles.items()}),
                job=self._job_defaults(),
            ),
        ).to_definition()
        _refuse_invalid(definition)
        self.pipeline_name = f"{settings.prefix}-fine-tuning"
        self.pipeline = sagemaker.CfnPipeline(
            self,
            "Pipeline",
            pipeline_name=self.pipeline_name,
            pipeline_description=f"Fine-tune {settings.recipe['model']['name_or_path']}, gate and register it",
            role_arn=pipeline_role.role.role_arn,
            pipeline_definition={"PipelineDefinitionBody": Stack.of(self).to_json_string(definition)},
        )
        # The first execution can start the moment the pipeline is there: its role must be able to.
        self.pipeline.node.add_dependency(pipeline_role, *roles.values())

    def _job_defaults(self) -> JobDefaults:
        vpc = None
        if self._network:
            vpc = Vpc(
                subnet_ids=tuple(self._network.subnet_ids),
                security_group_ids=(self._network.security_group.security_group_id,),
            )
        return JobDefaults(kms_key=self._key.key_arn, vpc=vpc, tags=job_tags(self._settings))

    def _job_roles(self, training: ecr.IRepository, inference: ecr.IRepository) -> dict[str, JobRole]:
        prepare = self._role("PrepareRole", training, _PROCESSING_LOG)
        prepare.grant_read(self._raw, "datasets")
        prepare.grant_read(self._artifacts, "base-models")
        prepare.grant_write(self._results, "executions")

        train = self._role("TrainRole", training, _TRAINING_LOG)
        train.grant_read(self._artifacts, "base-models")
        train.grant_read(self._results, "executions")
        train.grant_write(self._artifacts, "training")
        train.grant_read(self._artifacts, "checkpoints")
        train.grant_write(self._artifacts, "checkpoints")
        train.grant_delete(self._artifacts, "checkpoints")

        evaluate = self._role("EvaluateRole", training, _PROCESSING_LOG)
        evaluate.grant_read(self._artifacts, "base-models")
        evaluate.grant_read(self._artifacts, "training")
        evaluate.grant_read(self._results, "executions")
        evaluate.grant_write(self._results, "executions")

        register = self._role("RegisterRole", training, _PROCESSING_LOG)
        register.grant_read(self._artifacts, "base-models")
        register.grant_read(self._artifacts, "training")
        register.grant_write(self._artifacts, "packages")

        transform = self._role("TransformRole", inference, _TRANSFORM_LOG)
        transform.grant_read(self._artifacts, "packages")
        transform.grant_read(self._raw, "batch-input")
        transform.grant_write(self._results, "transform")
        return {
            "prepare": prepare,
            "train": train,
            "evaluate": evaluate,
            "register": register,
            "transform": transform,
        }

    def _role(self, construct_id: str, image: ecr.IRepository, log_group: str) -> JobRole:
        network = self._network
        return JobRole(
            self,
            construct_id,
            image=image,
            key=self._key,
            log_group=log_group,
            subnet_ids=network.subnet_ids if network else [],
            security_group_id=network.security_group.security_group_id if network else None,
            permissions_boundary=self._settings.environment.security.permissions_boundary,
        )


ENVIRONMENT_TAG = "environment"


def job_tags(settings: Settings) -> dict[str, str]:
    """The tags of every resource and every job of an environment; the month's budget counts by the environment's."""
    return {"project": settings.environment.project, **settings.environment.tags, ENVIRONMENT_TAG: settings.name}


def tag_everything(scope: Construct, settings: Settings) -> None:
    """Put an environment's tags on everything under a scope."""
    for key, value in job_tags(settings).items():
        Tags.of(scope).add(key, value)


def _refuse_invalid(definition: dict[str, Any]) -> None:
    problems = [str(finding) for finding in validate(definition) if not finding.is_note]
    if problems:
        raise ValueError("the pipeline definition would be refused:\n" + "\n".join(problems))
