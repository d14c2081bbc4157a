"""What the source of a promotion grants, statement by statement, and each taken away for a while."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tunestack.aws import Aws
from tunestack.layout import Bucket, Image

RECEIVER = "222222222222"


@dataclass(frozen=True, kw_only=True)
class Grant:
    """A statement of a resource's policy, by its sid, and what is refused without it."""

    kind: str
    sid: str
    refusal: str
    bucket: Bucket | None = None

    def __str__(self) -> str:
        return f"{self.bucket or self.kind}-{self.sid}"

    @contextmanager
    def taken_away(self, source: Aws, target: Aws) -> Iterator[None]:
        """The policy without the statement."""
        whole = self._get(source, target)
        rest = [item for item in whole["Statement"] if item.get("Sid") != self.sid]
        assert len(rest) == len(whole["Statement"]) - 1, whole
        self._put(source, target, whole | {"Statement": rest})
        try:
            yield
        finally:
            self._put(source, target, whole)

    def _get(self, source: Aws, target: Aws) -> Any:
        match self.kind:
            case "bucket":
                assert self.bucket is not None
                text = source.s3.get_bucket_policy(Bucket=source.bucket(self.bucket))["Policy"]
            case "key":
                text = source.client("kms").get_key_policy(KeyId=source.key_arn)["Policy"]
            case "repository":
                name = source.settings.names.repository(Image.INFERENCE)
                text = source.client("ecr").get_repository_policy(repositoryName=name)["policyText"]
            case "group":
                name = source.model_package_group_name
                answer = source.sagemaker.get_model_package_group_policy(ModelPackageGroupName=name)
                text = answer["ResourcePolicy"]
            case _:
                name = target.settings.names.promotion
                text = target.client("events").describe_event_bus(Name=name)["Policy"]
        return json.loads(text)

    def _put(self, source: Aws, target: Aws, policy: Any) -> None:
        text = json.dumps(policy)
        match self.kind:
            case "bucket":
                assert self.bucket is not None
                source.s3.put_bucket_policy(Bucket=source.bucket(self.bucket), Policy=text)
            case "key":
                source.client("kms").put_key_policy(KeyId=source.key_arn, PolicyName="default", Policy=text)
            case "repository":
                name = source.settings.names.repository(Image.INFERENCE)
                source.client("ecr").set_repository_policy(repositoryName=name, policyText=text)
            case "group":
                name = source.model_package_group_name
                source.sagemaker.put_model_package_group_policy(ModelPackageGroupName=name, ResourcePolicy=text)
            case _:
                self._put_on_bus(target, policy)

    def _put_on_bus(self, target: Aws, policy: Any) -> None:
        events, bus = target.client("events"), target.settings.names.promotion
        for item in policy["Statement"]:
            events.put_permission(
                EventBusName=bus, StatementId=item["Sid"], Principal=item["Principal"]["AWS"].split(":")[4],
                Action="events:PutEvents",
            )  # fmt: skip
        if not policy["Statement"]:
            events.remove_permission(EventBusName=bus, RemoveAllPermissions=True)


GRANTS = (
    Grant(kind="bus", sid="cdk-FromSource", refusal="111111111111 events:PutEvents"),
    Grant(kind="group", sid="LookForPromotion", refusal=f"{RECEIVER} sagemaker:DescribeModelPackage"),
    Grant(kind="repository", sid="PullPromoted", refusal=f"{RECEIVER} ecr:BatchGetImage"),
    Grant(kind="key", sid="DecryptForPromotion", refusal=f"{RECEIVER} kms:Decrypt"),
    *(
        # Nothing of the data and the results: the exam is the target's own.
        Grant(kind="bucket", bucket=Bucket.ARTIFACTS, sid=sid, refusal=f"{RECEIVER} {action}")
        for sid, action in (("ReadForPromotion", "s3:GetObject"), ("ListForPromotion", "s3:ListBucket"))
    ),
)
