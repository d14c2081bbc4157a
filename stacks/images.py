"""The container images of the jobs."""

from pathlib import Path
from typing import Any

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_kms as kms
from constructs import Construct
from tunestack_cdk.fine_tuning_pipeline import JobImage
from tunestack_cdk.image_build import ImageBuild
from tunestack_cdk.image_repository import ImageRepository
from tunestack_cdk.image_signing import ImageSigning
from tunestack_cdk.log_retention import log_retention

from tunestack.layout import Image
from tunestack.settings.loading import Settings

TRAINING_CODE = Path(__file__).parents[1] / "training_code"


class ImagesStack(Stack):
    """A repository and a build for each image."""

    def __init__(
        self, scope: Construct, construct_id: str, *, settings: Settings, key: kms.IKey, **kwargs: Any
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        environment = settings.environment
        builds: list[ImageBuild] = []
        names = [settings.names.repository(image) for image in Image]
        signing = ImageSigning(self, "Signing", repository_names=names) if environment.images.signed else None

        def make(image: Image) -> JobImage:
            repository_name = settings.names.repository(image)
            repository = ImageRepository(
                self,
                f"{image}Images",
                repository_name=repository_name,
                key=key,
                keep_last=environment.images.keep_last,
                delete_with_stack=settings.deletes_data,
            ).repository
            build = ImageBuild(
                self,
                f"{image}Build",
                source=TRAINING_CODE,
                base_image=environment.images.base_image(image),
                torch_build=environment.images.torch_build(image),
                repository=repository,
                repository_name=repository_name,
                key=key,
                log_retention=log_retention(environment.log_retention_days),
                delete_with_stack=settings.deletes_data,
            )
            if signing:
                signing.sign_pushes_of(build)
            # One build at a time: more is more than a new account may do.
            if builds:
                build.node.add_dependency(builds[-1])
            builds.append(build)
            CfnOutput(self, image.output, value=build.image_uri)
            return JobImage(repository=repository, uri=build.image_uri)

        self.images = {image: make(image) for image in Image}
