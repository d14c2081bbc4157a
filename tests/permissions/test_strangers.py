"""Templates that nobody here wrote: they are read, and what they don't tell is not called broken."""

import json
from pathlib import Path
from typing import Any

import pytest

from tunestack.permissions.evaluator import Request, resource_decision
from tunestack.permissions.proof import prove
from tunestack.permissions.world import World
from tunestack.template.assembly import Stack


def test_a_strangers_template_is_read(tmp_path: Path) -> None:
    template = {
        "Resources": {
            "Function": {
                "Type": "AWS::Lambda::Function",
                "Properties": {"Role": {"Fn::FindInMap": ["a", "b", "c"]}, "Handler": "x"},
            },
            "Bucket": {"Type": "AWS::S3::Bucket"},
            "Policy": {
                "Type": "AWS::S3::BucketPolicy",
                "Properties": {"Bucket": {"Ref": "Gone"}, "PolicyDocument": {"Statement": []}},
            },
        }
    }
    (tmp_path / "a.template.json").write_text(json.dumps(template))
    artifact = {"type": "aws:cloudformation:stack", "properties": {"templateFile": "a.template.json"}}
    (tmp_path / "manifest.json").write_text(json.dumps({"artifacts": {"a": artifact}}))
    assert prove(World.read([tmp_path])).broken == ()


def stack_of(account: str = "111111111111", name: str = "theirs", **resources: Any) -> Stack:
    made = {
        name: {"Type": kind.replace("_", "::"), "Properties": properties}
        for name, (kind, properties) in resources.items()
    }
    return Stack(name=name, account=account, region="us-east-1", template={"Resources": made})


LAMBDA_ROLE = {
    "AssumeRolePolicyDocument": {
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]
    }
}
BASIC = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
HOST = {"Fn::Select": [1, {"Fn::Split": [":", {"Fn::Select": [0, {"Fn::GetAtt": ["E", "DnsEntries"]}]}]}]}


@pytest.mark.parametrize(
    "stack",
    [
        # A managed policy may allow what no template says.
        stack_of(
            Role=("AWS_IAM_Role", {**LAMBDA_ROLE, "ManagedPolicyArns": [BASIC]}),
            F=(
                "AWS_Lambda_Function",
                {"Role": {"Fn::GetAtt": ["Role", "Arn"]}, "LoggingConfig": {"LogGroup": "g"}, "Environment": HOST},
            ),
        ),
        # An imported role, an imported queue, a stream, a source that isn't in S3.
        stack_of(
            F=("AWS_Lambda_Function", {"Role": "arn:aws:iam::111111111111:role/imported", "Handler": "x"}),
            M=("AWS_Lambda_EventSourceMapping", {"FunctionName": {"Ref": "F"}, "EventSourceArn": "arn:aws:kinesis:r:1:s"}),
            K=("AWS_Lambda_EventSourceMapping", {"FunctionName": {"Ref": "F"}}),
            R=("AWS_Events_Rule", {"Targets": [{"Arn": "arn:aws:sqs:us-east-1:111111111111:imported", "Id": "q"}]}),
            B=(
                "AWS_CodeBuild_Project",
                {
                    "ServiceRole": "arn:aws:iam::111111111111:role/imported",
                    "Environment": {},
                    "Source": {"Type": "GITHUB", "Location": "https://github.com/o/r"},
                },
            ),
        ),
        stack_of(
            P=("AWS_SageMaker_Pipeline", {"RoleArn": "arn:r", "PipelineDefinition": {"PipelineDefinitionS3Location": {}}}),
            E=("AWS_Events_EventBusPolicy", {"StatementId": "a", "Action": "events:PutEvents", "Principal": "1"}),
            T=("AWS_IAM_Role", {**LAMBDA_ROLE, "PermissionsBoundary": {"Fn::If": ["C", {"Ref": "AWS::NoValue"}, "arn:b/x"]}}),
        ),
    ],
    ids=["managed", "imported", "other forms"],
)  # fmt: skip
def test_what_no_template_tells_is_not_called_broken(stack: Stack) -> None:
    assert prove(World([stack])).broken == ()


def test_a_stack_name_that_two_accounts_have_is_two_stacks() -> None:
    world = World(
        [stack_of("111111111111", B=("AWS_S3_Bucket", {})), stack_of("222222222222", B=("AWS_S3_Bucket", {}))]
    )
    assert {stack.account for stack in world.stacks.values()} == {"111111111111", "222222222222"}


@pytest.mark.parametrize("let_in", [True, False])
def test_a_rule_reaches_a_topic_that_lets_it_in(let_in: bool) -> None:
    allowed = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": "*",
    }
    stack = stack_of(
        Topic=("AWS_SNS_Topic", {"TopicName": "told"}),
        Policy=("AWS_SNS_TopicPolicy", {"Topics": [{"Ref": "Topic"}], "PolicyDocument": {"Statement": [allowed] if let_in else []}}),
        Rule=("AWS_Events_Rule", {"Targets": [{"Arn": {"Ref": "Topic"}, "Id": "t"}]}),
    )  # fmt: skip
    broken = [str(item) for item in prove(World([stack])).broken]
    told = "arn:aws:sns:us-east-1:111111111111:told"
    reason = f"theirs: rule Rule: sns:Publish on {told}: the policy of {told} doesn't let events.amazonaws.com in"
    assert broken == ([] if let_in else [reason])


@pytest.mark.parametrize(
    ("action", "decision"),
    [("ecr:BatchGetImage", "Allow"), ("s3:GetObject", "ImplicitDeny"), ("sqs:SendMessage", "ImplicitDeny")],
)
def test_a_statement_without_a_resource_is_of_the_policys_own_where_aws_takes_one(action: str, decision: str) -> None:
    request = Request(
        principal="arn:aws:iam::111111111111:role/a", kind="AssumedRole", account="111111111111", action=action,
        resource=f"arn:aws:{action.partition(':')[0]}:us-east-1:111111111111:thing",
    )  # fmt: skip
    statement = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111111111111:root"}, "Action": action}
    assert resource_decision({"Statement": [statement]}, request) == decision
