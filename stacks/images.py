"""The container images of the jobs."""

from pathlib import Path
from typing import Any

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_kms as kms
from constructs import Construct
from tunestack_cdk.cost_annotation import annotate_costs
from tunestack_cdk.image_build import ImageBuild
from tunestack_cdk.image_repository import ImageRepository
from tunestack_cdk.log_retention import log_retention

from tunestack.costs.usage import images_usage
from tunestack.settings import Settings

TRAINING_CODE = Path(__file__).parents[1] / "training_code"


class ImagesStack(Stack):
    """A repository and a build for training, and one for inference."""

    def __init__(
        self, scope: Construct, construct_id: str, *, settings: Settings, key: kms.IKey, **kwargs: Any
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        environment = settings.environment

        def image(name: str, base_image: str) -> tuple[ImageRepository, ImageBuild]:
            repository_name = f"{settings.prefix}-{name.lower()}"
            repository = ImageRepository(
                self,
                f"{name}Images",
                repository_name=repository_name,
                key=key,
                keep_last=environment.images.keep_last,
                delete_with_stack=settings.deletes_data,
            )
            build = ImageBuild(
                self,
                f"{name}Build",
                source=TRAINING_CODE,
                base_image=base_image,
                repository=repository.repository,
                repository_name=repository_name,
                key=key,
                log_retention=log_retention(environment.log_retention_days),
                permissions_boundary=environment.security.permissions_boundary,
            )
            CfnOutput(self, f"{name}ImageUri", value=build.image_uri)
            return repository, build

        training, training_build = image("Training", environment.images.training_base_image)
        inference, inference_build = image("Inference", environment.images.inference_base_image)
        self.training_repository = training.repository
        self.training_image_uri = training_build.image_uri
        self.inference_repository = inference.repository
        self.inference_image_uri = inference_build.image_uri
        self.cost = annotate_costs(self, region=environment.region, usage=images_usage())
