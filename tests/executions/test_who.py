"""Nobody approves what they made: who started the run is asked of SageMaker, and compared."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from tunestack.errors import UserError
from tunestack.executions.versions import Version
from tunestack.executions.who import refuse_own_work, started_by
from tunestack.layout import Names

HERE = "arn:aws:sagemaker:us-east-1:111111111111"
ASSUMED = "arn:aws:sts::111111111111:assumed-role"


def version(**metadata: str) -> Version:
    return Version(
        number=3, arn=f"{HERE}:model-package/kit-dev-models/3", approval="PendingManualApproval", approval_reason=None,
        created="now", model_data_url="s3://b/a", image_uri="i", evaluation_uri=None, metadata=metadata,
    )  # fmt: skip


class Asking:
    """An environment whose caller is somebody, with SageMaker's answers given beforehand."""

    def __init__(self, caller: str) -> None:
        self.settings = SimpleNamespace(names=Names(project="kit", environment="dev"))
        given: dict[str, Any] = {"aws_access_key_id": "x", "aws_secret_access_key": "x", "region_name": "us-east-1"}
        self.sagemaker, self.sts = (boto3.client(name, **given) for name in ("sagemaker", "sts"))
        self.stubs = [Stubber(self.sagemaker), Stubber(self.sts)]
        self.stubs[1].add_response("get_caller_identity", {"Arn": caller, "UserId": "A:b", "Account": "111111111111"})

    def client(self, name: str) -> Any:
        return getattr(self, name)

    def execution(self, pipeline: str, answer: dict[str, Any] | None) -> None:
        wanted = {"PipelineExecutionArn": f"{HERE}:pipeline/{pipeline}/execution/abcdefghijkl"}
        if answer is None:
            self.stubs[0].add_client_error("describe_pipeline_execution", "ResourceNotFound", expected_params=wanted)
        else:
            self.stubs[0].add_response("describe_pipeline_execution", answer, wanted)


@pytest.fixture
def asking() -> Iterator[Any]:
    made: list[Asking] = []

    def asked(caller: str) -> Asking:
        made.append(Asking(caller))
        for stub in made[0].stubs:
            stub.activate()
        return made[0]

    yield asked
    made[0].stubs[0].assert_no_pending_responses()


RUN = {"pipeline_execution_id": "abcdefghijkl"}


@pytest.mark.parametrize(
    ("identity", "caller", "refused"),
    [
        ({"Arn": f"{ASSUMED}/Trainer/anna@x.org"}, f"{ASSUMED}/Approver/anna@x.org", True),
        ({"Arn": f"{ASSUMED}/Trainer/anna@x.org"}, f"{ASSUMED}/Approver/ben@x.org", False),
        ({"Arn": f"{ASSUMED}/Trainer/s1", "SourceIdentity": "anna"}, "arn:aws:iam::111111111111:user/anna", True),
        ({"Arn": "arn:aws:iam::111111111111:user/anna"}, "arn:aws:iam::111111111111:user/anna", True),
        ({}, f"{ASSUMED}/Approver/anna@x.org", False),
    ],
)
def test_who_started_the_run_does_not_approve_what_came_of_it(
    identity: dict[str, str], caller: str, refused: bool, asking: Any
) -> None:
    aws = asking(caller)
    aws.execution("kit-dev-fine-tuning", {"CreatedBy": {"IamIdentity": identity}})
    if not refused:
        refuse_own_work(aws, version(**RUN))
        return
    with pytest.raises(UserError, match="version 3 came from a run that anna.* started, and nobody approves what they"):
        refuse_own_work(aws, version(**RUN))


def test_of_a_promoted_version_it_is_the_function_that_started_its_promotion(asking: Any) -> None:
    aws = asking(f"{ASSUMED}/Approver/ben")
    identity = {"Arn": f"{ASSUMED}/kit-dev-promotion/Promote"}
    aws.execution("kit-dev-promotion", {"CreatedBy": {"IamIdentity": identity}})
    assert started_by(aws, version(**RUN, source_version_arn="arn:other")) == "Promote"


def test_what_nobody_knows_is_not_somebody(asking: Any) -> None:
    aws = asking(f"{ASSUMED}/Approver/ben")
    assert started_by(aws, version()) is None
    aws.execution("kit-dev-fine-tuning", None)
    assert started_by(aws, version(**RUN)) is None
