"""The runner's own clients of the emulator, as the account that a job belongs to."""

from functools import cached_property
from typing import Any

import boto3
from botocore.config import Config


class Clients:
    """S3, CloudWatch Logs and CloudWatch of the local AWS, for one account and region."""

    def __init__(self, *, endpoint_url: str, account: str, region: str) -> None:
        self._endpoint_url = endpoint_url
        self._session = boto3.Session(aws_access_key_id=account, aws_secret_access_key="local", region_name=region)

    @cached_property
    def s3(self) -> Any:
        return self._client("s3")

    @cached_property
    def logs(self) -> Any:
        return self._client("logs")

    @cached_property
    def cloudwatch(self) -> Any:
        return self._client("cloudwatch")

    def _client(self, service: str) -> Any:
        config = Config(retries={"max_attempts": 5, "mode": "standard"}, s3={"addressing_style": "path"})
        return self._session.client(service, endpoint_url=self._endpoint_url, config=config)
