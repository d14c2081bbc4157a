"""What the stacks made, as the definition names it."""

from dataclasses import dataclass

from tunestack.pipeline.job_defaults import JobDefaults


@dataclass(frozen=True, kw_only=True)
class Roles:
    """The ARNs of the execution roles, one per kind of job."""

    prepare: str
    train: str
    evaluate: str
    register: str
    transform: str


@dataclass(frozen=True, kw_only=True)
class Resources:
    """What the stacks provide; every value may be a token that CloudFormation fills in."""

    raw_data_bucket: str
    artifacts_bucket: str
    results_bucket: str
    training_image_uri: str
    inference_image_uri: str
    model_package_group_name: str
    roles: Roles
    job: JobDefaults
