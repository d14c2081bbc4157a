"""A second function like the promotion's is one new module: grants, proof and the test of its code read that alone."""

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import tunestack_functions
from aws_cdk import App, Environment, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from tunestack_cdk.kit_function import QUEUE, KitFunction

from tests.tunestack_cdk.test_declared_calls import undeclared
from tunestack.permissions.proof import Proof, prove
from tunestack.permissions.world import World

ACCOUNT, TOPIC = "111111111111", "arn:aws:sns:us-east-1:111111111111:decisions"
MODULE = '''
"""Tell a topic of each version that was rejected."""

import json
from dataclasses import dataclass

from tunestack_functions.aws import client
from tunestack_functions.declared import Call, FunctionSettings


@dataclass(frozen=True, kw_only=True)
class Settings(FunctionSettings):
    """Whom to tell, of which group."""

    topic_arn: str
    group: str


def calls(settings, here):
    """Every call of AWS that the function makes."""
    versions = here.arn("sagemaker", f"model-package/{settings.group}/*")
    yield Call(client="sagemaker", operation="describe_model_package", on=(versions,))
    yield Call(client="sns", operation="publish", on=(settings.topic_arn,))


def handler(event, context):
    """A message of the queue."""
    settings = Settings.read()
    for record in event["Records"]:
        arn = json.loads(record["body"])["detail"]["ModelPackageArn"]
        version = client("sagemaker").describe_model_package(ModelPackageName=arn)
        if version["ModelApprovalStatus"] == "Rejected":
            client("sns").publish(TopicArn=settings.topic_arn, Message=arn)
'''


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder whose modules are the package's, too."""
    monkeypatch.setattr(tunestack_functions, "__path__", [*tunestack_functions.__path__, str(tmp_path)])
    yield tmp_path
    sys.modules.pop("tunestack_functions.tell", None)


def tell(package: Path, text: str = MODULE) -> Any:
    (package / "tell.py").write_text(text)
    return import_module("tunestack_functions.tell")


def proven(module: Any, folder: Path, *, denied: str | None = None) -> Proof:
    """The proof of a stack that has the function, with an action that its role is denied."""
    app = App(outdir=str(folder / "out"))
    stack = Stack(app, "telling", env=Environment(account=ACCOUNT, region="us-east-1"))
    function = KitFunction(
        stack, "Tell", module=module, settings=module.Settings(topic_arn=TOPIC, group="tunestack-dev-models"),
        caller=QUEUE, description="Tells a topic of rejected versions", key=kms.Key(stack, "Key"),
        log_retention=logs.RetentionDays.ONE_WEEK, removal_policy=RemovalPolicy.DESTROY,
    )  # fmt: skip
    if denied:
        statement = iam.PolicyStatement(effect=iam.Effect.DENY, actions=[denied], resources=["*"])
        function.role.add_to_policy(statement)
    return prove(World.read([Path(app.synth().directory)]))


def test_its_grants_are_made_and_proven_from_its_module_alone(package: Path, tmp_path: Path) -> None:
    proof = proven(tell(package), tmp_path)
    asked = {(item.action, item.resource) for item in proof.accesses if item.action.startswith(("sns:", "sagemaker:"))}
    version = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:model-package/tunestack-dev-models/1"
    assert asked == {("sns:Publish", TOPIC), ("sagemaker:DescribeModelPackage", version)}
    assert proof.holds and not proof.unneeded


def test_what_it_may_not_do_is_named(package: Path, tmp_path: Path) -> None:
    (broken,) = proven(tell(package), tmp_path, denied="sns:Publish").broken
    assert str(broken).startswith("telling: function Tell") and "sns:Publish" in str(broken)


@pytest.mark.parametrize(
    ("there", "instead", "named"),
    [
        ("client(\"sns\").publish(", "client(\"sns\").list_topics(); client(\"sns\").publish(", {"list_topics"}),
        ("client(\"sns\").publish(TopicArn=settings.topic_arn, Message=arn)", "client(\"sns\")", {"publish"}),
    ],
    ids=["calls what it doesn't declare", "declares what it doesn't call"],
)  # fmt: skip
def test_a_call_without_its_declaration_is_found_in_the_code(
    there: str, instead: str, named: set[str], package: Path
) -> None:
    assert there in MODULE
    module = tell(package, MODULE.replace(there, instead))
    assert undeclared(module, module.Settings(topic_arn=TOPIC, group="g")) == named
    sys.modules.pop("tunestack_functions.tell")
    module = tell(package)
    assert undeclared(module, module.Settings(topic_arn=TOPIC, group="g")) == set()


def test_a_service_that_it_doesn_t_declare_is_found(package: Path) -> None:
    module = tell(package, MODULE.replace('client("sagemaker")', 'client("dynamodb")'))
    with pytest.raises(AssertionError, match="dynamodb"):
        undeclared(module, module.Settings(topic_arn=TOPIC, group="g"))
