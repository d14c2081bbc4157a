"""What the stacks make, as the definition names it: first by placeholders, then by what they stand for."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tunestack.jobs import JOBS
from tunestack.layout import ENVIRONMENT_TAG, PROJECT_TAG, Bucket, Image, Place, S3Uri
from tunestack.pipeline.job_defaults import JobDefaults, Vpc
from tunestack.settings.loading import Settings
from tunestack.settings.network import Network

KEY, SECURITY_GROUP = "Key", "JobSecurityGroup"
# No text of a user's looks like it, and `${` marks what CloudFormation fills in for every check.
_PLACEHOLDER = re.compile(r"\$\{tunestack:([^}]+)\}")


@dataclass(frozen=True, kw_only=True)
class Resources:
    """What the stacks provide: buckets' names, images' URIs, the execution roles' ARNs by the key of their job."""

    buckets: Mapping[Bucket, str]
    images: Mapping[Image, str]
    roles: Mapping[str, str]
    model_package_group_name: str
    job: JobDefaults

    def uri(self, place: Place) -> str:
        """The S3 URI of a place."""
        return str(S3Uri(bucket=self.buckets[place.bucket], key=place.prefix))


def placeholders(settings: Settings) -> Resources:
    """Every resource as `${tunestack:Name}`: what is known of an environment before its stacks are built."""
    return Resources(
        buckets={bucket: _placeholder(bucket.output) for bucket in Bucket},
        images={image: _placeholder(image.output) for image in Image},
        roles={job.key: _placeholder(job.role) for job in JOBS},
        model_package_group_name=settings.names.model_package_group,
        job=JobDefaults(
            kms_key=_placeholder(KEY),
            vpc=_vpc(settings.environment.network),
            tags=job_tags(settings),
        ),
    )


def _vpc(network: Network) -> Vpc | None:
    if existing := network.existing:
        return Vpc(subnet_ids=tuple(existing.subnet_ids), security_group_ids=tuple(existing.security_group_ids))
    if not network.is_made:
        return None
    return Vpc(
        subnet_ids=tuple(_placeholder(subnet_name(index)) for index in range(network.availability_zones)),
        security_group_ids=(_placeholder(SECURITY_GROUP),),
    )


def job_tags(settings: Settings) -> dict[str, str]:
    """The tags of every resource and every job of an environment."""
    return {**settings.environment.tags, **own_tags(settings)}


def own_tags(settings: Settings) -> dict[str, str]:
    """Those of the kit itself, which say whose something is; the month's budget counts by them."""
    prefix = settings.environment.tag_prefix
    return {f"{prefix}{PROJECT_TAG}": settings.environment.project, f"{prefix}{ENVIRONMENT_TAG}": settings.name}


def subnet_name(index: int) -> str:
    """The placeholder's name of the network's subnets, counted from 0."""
    return f"Subnet{index}"


def filled_in(value: Any, values: Mapping[str, str]) -> Any:
    """A definition with each placeholder replaced by what it stands for.

    Raises:
        KeyError: a placeholder that nothing is given for.
    """
    if isinstance(value, dict):
        return {key: filled_in(item, values) for key, item in value.items()}
    if isinstance(value, list):
        return [filled_in(item, values) for item in value]
    if isinstance(value, str):
        return _PLACEHOLDER.sub(lambda found: values[found.group(1)], value)
    return value


def _placeholder(name: str) -> str:
    return f"${{tunestack:{name}}}"
