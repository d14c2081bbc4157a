"""JobLogs: SageMaker's own log groups get their retention, and a key where it outlives the stack."""

from typing import Any

import pytest
from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk.assertions import Match
from tunestack_cdk.job_logs import JobLogs

from tests.tunestack_cdk.conftest import statements


def make(stack: Stack, key: kms.Key, policy: RemovalPolicy) -> None:
    JobLogs(
        stack, "JobLogs", names=["/aws/sagemaker/TrainingJobs"], retention_days=30, key=key,
        log_retention=logs.RetentionDays.ONE_WEEK, removal_policy=policy,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("policy", "encrypted"), [(RemovalPolicy.DESTROY, Match.absent()), (RemovalPolicy.RETAIN, Match.any_value())]
)
def test_they_end_as_settings_say_and_are_encrypted_where_the_key_stays(
    policy: RemovalPolicy, encrypted: Any, stack: Stack, key: kms.Key, template: Any
) -> None:
    make(stack, key, policy)
    wanted = {
        "log_group_names": ["/aws/sagemaker/TrainingJobs"],
        "retention_days": 30,
        "key_arn": encrypted,
        "change_others": False,
    }
    template().has_resource_properties("Custom::JobLogs", {"Settings": wanted})


def test_its_role_may_touch_these_groups_alone(stack: Stack, key: kms.Key, template: Any) -> None:
    make(stack, key, RemovalPolicy.RETAIN)
    (item,) = [
        item for item in statements(template(), "JobLogsKeeperRole") if "logs:PutRetentionPolicy" in item["Action"]
    ]
    assert all("log-group:/aws/sagemaker/TrainingJobs" in str(resource) for resource in item["Resource"])
