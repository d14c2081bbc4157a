"""The deployed pipeline, with its roles."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from tunestack.definition.graph import PlacedStep, placed_steps
from tunestack.definition.jobs import api_of, cluster_of
from tunestack.jobs import JOBS, Job, places_of_property_files, places_read, places_written
from tunestack.layout import Bucket, Image
from tunestack.pipeline.resources import KEY, SECURITY_GROUP, subnet_name
from tunestack_cdk.defined_pipeline import define_pipeline, refuse_invalid
from tunestack_cdk.job_network import JobNetwork, JobVpc
from tunestack_cdk.job_role import JobRole
from tunestack_cdk.pipeline_role import PipelineRole


@dataclass(frozen=True, kw_only=True)
class JobImage:
    """An image of the jobs: its repository, and its URI with the tag."""

    repository: ecr.IRepository
    uri: str


class FineTuningPipeline(Construct):
    """`AWS::SageMaker::Pipeline` with its definition inline, and a role for each of its jobs.

    `definition` names by placeholders what is given here beside it (tunestack/pipeline/resources.py).

    Raises:
        ValueError: the definition would be refused by the service; a line per problem.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        pipeline_name: str,
        description: str,
        definition: Mapping[str, Any],
        buckets: Mapping[Bucket, s3.IBucket],
        key: kms.IKey,
        network: JobVpc | None,
        images: Mapping[Image, JobImage],
        model_package_group_name: str,
    ) -> None:
        super().__init__(scope, construct_id)
        refuse_invalid(definition)
        self.buckets, self.key, self.model_package_group_name = buckets, key, model_package_group_name
        self._network, self._images = network, images
        encrypting = {step.name for step in placed_steps(definition["Steps"]) if _encrypts_volume(step)}
        self.roles = {job.key: self._role(job, encrypts_volume=job.step in encrypting) for job in JOBS}
        pipeline_role = PipelineRole(
            self,
            "PipelineRole",
            job_roles=[role.role for role in self.roles.values()],
            group_name=model_package_group_name,
            property_files=[(buckets[place.bucket], place.prefix) for place in places_of_property_files()],
            key=key,
        )
        self.values = dict(self._values())
        self.pipeline_name = pipeline_name
        self.pipeline = define_pipeline(
            self,
            name=pipeline_name,
            description=description,
            definition=definition,
            values=self.values,
            role=pipeline_role,
            after=tuple(self.roles.values()),
        )

    def _values(self) -> Iterator[tuple[str, str]]:
        """What the definition's placeholders stand for."""
        for bucket, made in self.buckets.items():
            yield bucket.output, made.bucket_name
        for image, built in self._images.items():
            yield image.output, built.uri
        for job in JOBS:
            yield job.role, self.roles[job.key].role.role_arn
        yield KEY, self.key.key_arn
        # An existing VPC's ids are in the definition itself.
        if isinstance(self._network, JobNetwork):
            yield SECURITY_GROUP, self._network.security_group.security_group_id
            for index, subnet_id in enumerate(self._network.subnet_ids):
                yield subnet_name(index), subnet_id

    def _role(self, job: Job, *, encrypts_volume: bool) -> JobRole:
        """The job's role, with what the table says that it reads and writes."""
        network = self._network
        role = JobRole(
            self,
            job.role,
            image=self._images[job.image].repository,
            key=self.key,
            log_group=job.api.log_group,
            encrypts_volume=encrypts_volume,
            subnet_ids=network.subnet_ids if network else [],
            security_group_ids=network.security_group_ids if network else [],
        )
        for place in places_read(job):
            role.grant_read(self.buckets[place.bucket], place.prefix)
        for place in places_written(job):
            role.grant_write(self.buckets[place.bucket], place.prefix)
        if kept := job.checkpoints:
            role.grant_read(self.buckets[kept.bucket], kept.prefix)
            role.grant_write(self.buckets[kept.bucket], kept.prefix)
            role.grant_delete(self.buckets[kept.bucket], kept.prefix)
        return role


def _encrypts_volume(step: PlacedStep) -> bool:
    """Whether the step's job names a key for its volume: on types with a local disk it can't."""
    api = api_of(step.entry["Type"])
    return api is not None and "VolumeKmsKeyId" in cluster_of(api, step.own_arguments)
