"""`tunestack quotas`: exact codes and names, and the request to paste."""

import json

import boto3
import pytest
from botocore.stub import Stubber
from click.testing import CliRunner

from tunestack.catalogue.quotas import find_quota
from tunestack.cli.quotas import account_value, quotas_command
from tunestack.job_api import PROCESSING_API
from tunestack.jobs import JOBS


def test_each_job_s_quota_has_its_code_and_a_request_to_paste() -> None:
    done = CliRunner().invoke(quotas_command, ["--env", "dev"], catch_exceptions=False)
    assert "train: ml.g5.2xlarge for spot training job usage (L-CAEE7DB7): needs 1, default 0" in done.output
    assert "--quota-code L-CAEE7DB7 --desired-value 1 --region us-east-1" in done.output
    rows = json.loads(CliRunner().invoke(quotas_command, ["--env", "prod", "--json"]).output)
    assert {row["job"] for row in rows if row["instance_type"]} == {job.key for job in JOBS}
    assert {"ml.g5.2xlarge", "ml.g6e.4xlarge"} <= {row["instance_type"] for row in rows if row["job"] == "train"}


def test_the_totals_of_each_kind_of_job_are_listed_and_not_asked_for_while_their_default_is_enough() -> None:
    done = CliRunner().invoke(quotas_command, ["--env", "dev"], catch_exceptions=False)
    processing = ", ".join(job.key for job in JOBS if job.api is PROCESSING_API)
    assert (
        f"{processing}: Number of instances across all processing jobs (L-F311B08F): needs 1, default 4" in done.output
    )
    assert "train: Number of instances across all spot training jobs (L-93958082): needs 1, default 4" in done.output
    assert "--quota-code L-F311B08F" not in done.output


@pytest.mark.parametrize(("code", "known"), [("AccessDeniedException", "unknown"), ("NoSuchResourceException", 0.0)])
def test_a_refused_look_up_is_unknown_and_an_unset_quota_is_its_default(
    code: str, known: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = boto3.client("service-quotas", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="y")
    stub = Stubber(client)
    stub.add_client_error("get_service_quota", code)
    stub.activate()
    monkeypatch.setattr(boto3, "client", lambda *_, **__: client)
    quota = find_quota("ml.g5.2xlarge", "training job")
    assert quota is not None and account_value(quota, "us-east-1") == known
