"""The runner's own clients of the emulator, as the role that a job or a pipeline has."""

from functools import cache, cached_property
from threading import Lock
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from types_boto3_cloudwatch import CloudWatchClient
    from types_boto3_logs import CloudWatchLogsClient
    from types_boto3_s3 import S3Client

    from tunestack.local.authorization.credentials import Credentials

# A session makes one client at a time.
_ONE_AT_A_TIME = Lock()


class Clients:
    """S3, CloudWatch Logs and CloudWatch of the local AWS, with somebody's credentials, in one region."""

    def __init__(self, *, endpoint_url: str, credentials: "Credentials", region: str) -> None:
        self._endpoint_url, self._credentials, self._region = endpoint_url, credentials, region

    @cached_property
    def s3(self) -> "S3Client":
        client: S3Client = self._client("s3")
        return client

    @cached_property
    def logs(self) -> "CloudWatchLogsClient":
        client: CloudWatchLogsClient = self._client("logs")
        return client

    @cached_property
    def cloudwatch(self) -> "CloudWatchClient":
        client: CloudWatchClient = self._client("cloudwatch")
        return client

    def _client(self, service: str) -> Any:
        config = Config(retries={"max_attempts": 5, "mode": "standard"}, s3={"addressing_style": "path"})
        with _ONE_AT_A_TIME:
            return _session().client(
                service,
                endpoint_url=self._endpoint_url,
                config=config,
                region_name=self._region,
                aws_access_key_id=self._credentials.access_key,
                aws_secret_access_key=self._credentials.secret_key,
                aws_session_token=self._credentials.session_token,
            )


@cache
def _session() -> boto3.Session:
    """One for all: each keeps the services' models that it has read, some megabytes of them."""
    return boto3.Session()
