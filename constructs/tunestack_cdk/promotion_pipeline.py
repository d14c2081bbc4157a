"""The pipeline that another environment's versions go through before they are this one's."""

from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_iam as iam
from constructs import Construct

from tunestack.jobs import TRANSFORM, Job, places_of_property_files
from tunestack.layout import PROMOTED
from tunestack_cdk.defined_pipeline import define_pipeline, refuse_invalid
from tunestack_cdk.fine_tuning_pipeline import FineTuningPipeline
from tunestack_cdk.pipeline_role import PipelineRole

# "Register a model version from a different account", of the SageMaker developer guide.
LOOKUP_ACTIONS = ("ecr:BatchGetImage", "ecr:DescribeImages")


class PromotionPipeline(Construct):
    """`AWS::SageMaker::Pipeline` over the roles of the fine-tuning pipeline's own jobs, which it widens.

    Its `readers`, of its `jobs`, read what a promotion copied, and the transform pulls the image that a version came
    with: one of `origin_images`.

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
        fine_tuning: FineTuningPipeline,
        jobs: Sequence[Job],
        readers: Sequence[Job],
        origin_images: Sequence[ecr.IRepository],
    ) -> None:
        super().__init__(scope, construct_id)
        refuse_invalid(definition)
        for job in readers:
            fine_tuning.roles[job.key].grant_read(fine_tuning.buckets[PROMOTED.bucket], PROMOTED.prefix)
        for repository in origin_images:
            repository.grant_pull(fine_tuning.roles[TRANSFORM.key].role)
        role = PipelineRole(
            self,
            "PipelineRole",
            job_roles=[fine_tuning.roles[job.key].role for job in jobs],
            group_name=fine_tuning.model_package_group_name,
            property_files=[(fine_tuning.buckets[place.bucket], place.prefix) for place in places_of_property_files()],
            key=fine_tuning.key,
            apis=[job.api for job in jobs],
        )
        # RegisterModel looks up the digest of an image of another account.
        own = Stack.of(self).account
        if arns := [repository.repository_arn for repository in origin_images if repository.env.account != own]:
            role.role.add_to_policy(iam.PolicyStatement(actions=list(LOOKUP_ACTIONS), resources=arns))
        define_pipeline(
            self,
            name=pipeline_name,
            description=description,
            definition=definition,
            values=fine_tuning.values,
            role=role,
        )
