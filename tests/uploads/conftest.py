"""An environment's buckets, at the network's edge."""

from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from tunestack.aws import Aws
from tunestack.layout import KEY_ARN_OUTPUT, Bucket, StackName
from tunestack.settings.loading import load_settings


class Deployed(Aws):
    """An environment whose storage stack made these."""

    def outputs(self, stack: StackName) -> dict[str, str] | None:
        return {**{bucket.output: bucket.lower() for bucket in Bucket}, KEY_ARN_OUTPUT: self.__dict__["key"]}


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        found = Deployed(load_settings("dev"))
        found.__dict__["key"] = boto3.client("kms", region_name="us-east-1").create_key()["KeyMetadata"]["Arn"]
        for bucket in Bucket:
            found.s3.create_bucket(Bucket=bucket.lower())
        yield found
