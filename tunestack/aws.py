"""How commands reach an environment: a real account, or the AWS on this machine, through the same calls."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from tunestack.errors import UserError
from tunestack.layout import KEY_ARN_OUTPUT, Bucket, StackName
from tunestack.local import LOCAL_ENVIRONMENT, lifecycle, local_aws
from tunestack.local.address import ACCOUNT
from tunestack.settings import Settings

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_sagemaker import SageMakerClient


class NotDeployedError(UserError):
    """The environment's stacks aren't there; the text says how to deploy them."""


@dataclass(frozen=True)
class Aws:
    """The clients of one environment, and what its stacks made."""

    settings: Settings

    def client(self, service: str) -> Any:
        """A boto3 client of a service."""
        config = Config(retries={"max_attempts": 5, "mode": "standard"})
        if self.is_local:
            url = lifecycle.running(local_aws()).endpoint_url
            return self._session.client(service, endpoint_url=url, config=config)
        return self._session.client(service, config=config)

    @property
    def is_local(self) -> bool:
        return self.settings.name == LOCAL_ENVIRONMENT

    @property
    def pipeline_name(self) -> str:
        return self.settings.names.pipeline

    @property
    def model_package_group_name(self) -> str:
        return self.settings.names.model_package_group

    @cached_property
    def sagemaker(self) -> "SageMakerClient":
        client: SageMakerClient = self.client("sagemaker")
        return client

    @cached_property
    def s3(self) -> "S3Client":
        client: S3Client = self.client("s3")
        return client

    @cached_property
    def storage(self) -> dict[str, str]:
        """The outputs of the storage stack.

        Raises:
            NotDeployedError: there is no such stack.
        """
        found = self.outputs(StackName.STORAGE)
        if found is None:
            name = self.settings.names.stack(StackName.STORAGE)
            raise NotDeployedError(f"no stack {name!r}: deploy it with `cdk deploy --all -c env={self.settings.name}`")
        return found

    def bucket(self, bucket: Bucket) -> str:
        """The name of one of the environment's buckets.

        Raises:
            NotDeployedError: there is no storage stack.
        """
        return self.storage[bucket.output]

    @property
    def key_arn(self) -> str:
        """The environment's key.

        Raises:
            NotDeployedError: there is no storage stack.
        """
        return self.storage[KEY_ARN_OUTPUT]

    def outputs(self, stack: StackName) -> dict[str, str] | None:
        """The outputs of one of the environment's stacks, or None where there is no such stack."""
        name = self.settings.names.stack(stack)
        try:
            stacks = self.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "ValidationError":
                raise
            return None
        return {item["OutputKey"]: item["OutputValue"] for item in stacks[0].get("Outputs", [])}

    @cached_property
    def _session(self) -> boto3.Session:
        region = self.settings.environment.region
        if self.is_local:
            return boto3.Session(aws_access_key_id=ACCOUNT, aws_secret_access_key="local", region_name=region)
        return boto3.Session(region_name=region)
