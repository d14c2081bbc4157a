"""How the training and inference images are built."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from tunestack.layout import Image
from tunestack.settings.section import Section

# The public copy of Docker's own image: Docker Hub limits anonymous pulls, and shared addresses reach that soon.
PYTHON_BASE = (
    "public.ecr.aws/docker/library/python:3.11-slim-bookworm"
    "@sha256:a36c24f9cbdf4fd0f52d67f0823eeac19c2028c637cecc392d97f980d4fec56b"
)
_PINNED = re.compile(r"[A-Za-z0-9_.:/-]+@sha256:[0-9a-f]{64}")


def _pinned(image: str) -> str:
    if not _PINNED.fullmatch(image):
        raise ValueError(
            "must be pinned by digest, NAME@sha256:… as `docker buildx imagetools inspect NAME` prints it, "
            f"got {image!r}"
        )
    return image


BaseImage = Annotated[str, Field(max_length=300), AfterValidator(_pinned)]
TorchBuild = Literal["cu126", "cu130"]


class Images(Section):
    """How the training and inference images are built."""

    training_base_image: BaseImage = PYTHON_BASE
    """What `training_code/Dockerfile` builds on, pinned by digest (`NAME@sha256:…`, as
    `docker buildx imagetools inspect NAME` prints it): a public image with Python 3.11 and a Debian package manager,
    or one of an ECR registry that your account may read, such as an AWS deep learning container."""
    inference_base_image: BaseImage = PYTHON_BASE
    """The same of the serving image."""
    training_torch_build: TorchBuild = "cu126"
    """PyTorch's build for CUDA 12.6 or 13.0. 12.6 runs on every host's driver, but not on Blackwell GPUs (ml.p6,
    ml.g7e): they need cu130, and a driver of 580 or newer."""
    inference_torch_build: TorchBuild = "cu126"
    """The same of the serving image; the hosts of a batch transform run CUDA 12 at most."""
    signed: bool = False
    """Sign each image when it is pushed (ECR's managed signing, with a profile of AWS Signer's). A registry has one
    signing configuration, which this stack then owns: where yours has one already, add the repositories there."""
    keep_last: Annotated[int, Field(ge=2, le=1000)] | None = None
    """Older images are deleted, and with them what the versions that were registered with them are served by; null:
    every image is kept, at about a dollar a month for ten GB."""

    def base_image(self, image: Image) -> str:
        """What an image is built on."""
        return {Image.TRAINING: self.training_base_image, Image.INFERENCE: self.inference_base_image}[image]

    def torch_build(self, image: Image) -> TorchBuild:
        """PyTorch's build in an image, where its base hasn't brought it."""
        return {Image.TRAINING: self.training_torch_build, Image.INFERENCE: self.inference_torch_build}[image]
