"""How commands reach an environment: a real account, or the AWS on this machine, through the same calls."""

from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Literal

import boto3
import botocore.session
from botocore.config import Config
from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials
from botocore.exceptions import ClientError

from tunestack.errors import UserError
from tunestack.layout import (
    APPROVER_ROLE_ARN_OUTPUT,
    KEY_ARN_OUTPUT,
    TRAINER_ROLE_ARN_OUTPUT,
    Bucket,
    StackName,
)
from tunestack.local import LOCAL_ENVIRONMENT, lifecycle, local_aws
from tunestack.local.address import ACCOUNT
from tunestack.local.people import role_of
from tunestack.settings.loading import Settings

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_sagemaker import SageMakerClient


Person = Literal["trainer", "approver", "deployer"]
_ROLE_OUTPUTS: dict[Person, str] = {
    "trainer": TRAINER_ROLE_ARN_OUTPUT,
    "approver": APPROVER_ROLE_ARN_OUTPUT,
}


# AWS_PROFILE is of a real account: the AWS on this machine doesn't look at it, and there may be no such profile.
_NO_PROFILE = {"profile": (None, None, None, None)}


class NotDeployedError(UserError):
    """The environment's stacks aren't there; the text says how to deploy them."""


@dataclass(frozen=True)
class Aws:
    """The clients of one environment, and what its stacks made.

    A real account is reached with the caller's own credentials. On this machine a command has the session of the role
    that `acts_as` names, as its user has; the deployer's, or where there is none yet, is the account's own.
    """

    settings: Settings
    acts_as: Person = "trainer"

    def client(self, service: str) -> Any:
        """A boto3 client of a service."""
        return self._client_of(self._session, service)

    def client_of_role(self, service: str, role_arn: str | None, *, region: str | None = None) -> Any:
        """A client of a service in the session of a role, or without one the caller's own.

        `region`: another than the environment's.
        """
        options = {"region_name": region} if region else {}
        session = self._session_of(role_arn, self._session) if role_arn else self._session
        return self._client_of(session, service, **options)

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
        return self._outputs(self.client("cloudformation"), stack)

    def _outputs(self, cloudformation: Any, stack: StackName) -> dict[str, str] | None:
        try:
            stacks = cloudformation.describe_stacks(StackName=self.settings.names.stack(stack))["Stacks"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "ValidationError":
                raise
            return None
        return {item["OutputKey"]: item["OutputValue"] for item in stacks[0].get("Outputs", [])}

    def _client_of(self, session: boto3.Session, service: str, **options: Any) -> Any:
        config = Config(retries={"max_attempts": 5, "mode": "standard"})
        if self.is_local:
            options["endpoint_url"] = lifecycle.running(local_aws()).endpoint_url
            # No proxy reaches this machine from within.
            config = config.merge(Config(proxies={}))
        try:
            return session.client(service, config=config, **options)
        except ValueError as error:
            # botocore's word for an AWS_ENDPOINT_URL that is none.
            raise UserError(f"{error}: AWS_ENDPOINT_URL must be http://HOST… or https://HOST…, or not set") from None

    @cached_property
    def _session(self) -> boto3.Session:
        region = self.settings.environment.region
        if not self.is_local:
            return boto3.Session(region_name=region)
        core = botocore.session.Session(session_vars=_NO_PROFILE)
        account = boto3.Session(
            aws_access_key_id=ACCOUNT, aws_secret_access_key="local", region_name=region, botocore_session=core
        )
        if self.acts_as == "deployer":
            return account
        outputs = self._outputs(self._client_of(account, "cloudformation"), StackName.PIPELINE)
        role_arn = (outputs or {}).get(_ROLE_OUTPUTS[self.acts_as])
        if not role_arn:
            return account
        person = role_of(self._client_of(account, "iam"), self.settings.names, self.acts_as)
        return self._session_of(role_arn, self._session_of(person, account))

    def _session_of(self, role_arn: str, source: boto3.Session) -> boto3.Session:
        """A session of a role, taken on again before it ends: a run may be followed for longer."""
        fetcher = AssumeRoleCredentialFetcher(
            client_creator=partial(self._client_of, source),
            source_credentials=source.get_credentials(),
            role_arn=role_arn,
            extra_args={"RoleSessionName": "tunestack"},
        )
        core = botocore.session.Session(session_vars=_NO_PROFILE if self.is_local else None)
        core._credentials = DeferredRefreshableCredentials(
            method="assume-role", refresh_using=fetcher.fetch_credentials
        )
        return boto3.Session(botocore_session=core, region_name=source.region_name)
