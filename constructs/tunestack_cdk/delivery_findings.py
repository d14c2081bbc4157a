"""What cdk-nag and the kit's rules find in CDK Pipelines' own resources, and the kit accepts: form by form.

A statement is accepted where its actions and its resources are those of a grant that CDK Pipelines is known to make.
Any other wildcard, in the same role, is found as everywhere.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from aws_cdk import Stack, pipelines
from aws_cdk import aws_iam as iam

from tunestack.template.text import in_dollars, text_of
from tunestack.template.values import as_list
from tunestack_cdk.acknowledge import HIPAA, PCI, acknowledge, acknowledge_in_packs, acknowledge_wildcard

_PARTITION = r"arn:(aws[a-z-]*|\*|\$\{AWS::Partition\})"
_BUILDS = rf"{_PARTITION}:codebuild:[^:]+:[^:]+:report-group/(\*|\$\{{\w+\}}-\*)"
_BUILD_LOGS = rf"{_PARTITION}:logs:[^:]+:[^:]+:log-group:/aws/codebuild/(\*|\$\{{\w+\}})(:\*)?"
_BOOTSTRAPPED = rf"{_PARTITION}:iam::[^:]+:role/\*"


@dataclass(frozen=True, kw_only=True)
class Grant:
    """A grant that CDK makes: actions, what each of its resources is, and why it may stand."""

    actions: frozenset[str]
    resource: re.Pattern[str]
    reason: str
    condition: str = ""
    """A key that the statement must be bounded by."""

    def covers(self, statement: Mapping[str, Any]) -> bool:
        """Whether a statement is this grant, or a part of it."""
        resources = [text_of(item, in_dollars) for item in as_list(statement.get("Resource"))]
        actions = as_list(statement.get("Action"))
        return (
            bool(actions)  # NotAction has none: it is everything but something
            and self.actions.issuperset(actions)
            and bool(resources)
            and all(self.resource.fullmatch(resource) for resource in resources)
            and self.condition in str(statement.get("Condition", ""))
        )


def accept_findings(
    stack: Stack, pipeline: pipelines.CodePipeline, *, key_arn: str, source_bucket: str | None = None
) -> None:
    """Accept what a built pipeline's roles are granted by CDK, and what its own projects and copies are found for."""
    reason = "The source comes from CodePipeline: a project has no repository to log in to."
    acknowledge_in_packs(pipeline, "CodeBuildProjectSourceRepoUrl", reason=reason, packs=(HIPAA, PCI))
    reason = "The policy is this role's alone: nobody else can be given it, and it is deleted with the role."
    acknowledge_in_packs(stack, "IAMNoInlinePolicy", reason=reason)
    copies = [support.stack for support in pipeline.pipeline.cross_region_support.values()]
    reason = "In another region lie copies of artifacts, which are kept, versioned and logged in the pipeline's own."
    for copy in copies:
        acknowledge(copy, "AwsSolutions-S1", reason=reason)
        for rule in ("S3BucketLoggingEnabled", "S3BucketVersioningEnabled", "S3BucketReplicationEnabled"):
            acknowledge_in_packs(copy, rule, reason=reason)
    grants = _grants(stack, pipeline, key_arn, source_bucket)
    for policy in stack.node.find_all():
        if isinstance(policy, iam.CfnPolicy) and Stack.of(policy).stack_name == stack.stack_name:
            for statement in stack.resolve(policy.policy_document)["Statement"]:
                _accept(policy, statement, grants)


def _accept(policy: iam.CfnPolicy, statement: Mapping[str, Any], grants: Iterable[Grant]) -> None:
    grant = next((grant for grant in grants if grant.covers(statement)), None)
    if grant is None:
        return
    for action in as_list(statement["Action"]):
        if "*" in action:
            acknowledge(policy, f"AwsSolutions-IAM5[Action::{action}]", reason=grant.reason)
    for resource in as_list(statement["Resource"]):
        if "*" in text_of(resource, in_dollars):
            acknowledge_wildcard(policy, resource, reason=grant.reason)


def _grants(stack: Stack, pipeline: pipelines.CodePipeline, key_arn: str, source_bucket: str | None) -> list[Grant]:
    buckets = [
        pipeline.pipeline.artifact_bucket.bucket_arn,
        *(support.replication_bucket.bucket_arn for support in pipeline.pipeline.cross_region_support.values()),
    ]
    names = "|".join(re.escape(text_of(stack.resolve(arn), in_dollars)) for arn in buckets)
    key = re.escape(text_of(stack.resolve(key_arn), in_dollars))
    # The key of another region's copies has no name that is known here.
    keys = rf"{key}|\*" if len(buckets) > 1 else key
    source = Grant(
        actions=frozenset({"s3:GetBucket*", "s3:GetObject*", "s3:List*"}),
        resource=re.compile(rf"{_PARTITION}:s3:::{re.escape(source_bucket or '?')}(/.*)?"),
        reason="CDK's grant to read the source: the forms of reading, of one bucket and one key.",
    )
    return [
        *([source] if source_bucket else []),
        Grant(
            actions=frozenset(
                {"s3:Abort*", "s3:DeleteObject*", "s3:GetBucket*", "s3:GetObject*", "s3:List*", "s3:PutObject"}
                | {f"s3:PutObject{part}" for part in ("Acl", "LegalHold", "Retention", "Tagging", "VersionTagging")}
                | {"s3:PutObjectVersionAcl"}
            ),
            resource=re.compile(rf"({names})(/\*)?"),
            reason="CDK's grant on the artifacts' bucket and its copies: CodePipeline names the objects itself.",
        ),
        Grant(
            actions=frozenset(
                {"kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"}
            ),
            resource=re.compile(keys),
            reason="CDK's grant on the artifacts' key, and on the one of the copies, which has no name here.",
        ),
        Grant(
            actions=frozenset({"logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"}),
            resource=re.compile(_BUILD_LOGS),
            reason="CodeBuild names the log streams of its own projects after their builds.",
        ),
        Grant(
            actions=frozenset(
                {"codebuild:BatchPutCodeCoverages", "codebuild:BatchPutTestCases", "codebuild:CreateReport"}
                | {"codebuild:CreateReportGroup", "codebuild:UpdateReport"}
            ),
            resource=re.compile(_BUILDS),
            reason="CodeBuild names the report groups of its own projects after their reports.",
        ),
        Grant(
            actions=frozenset({"sts:AssumeRole"}),
            resource=re.compile(_BOOTSTRAPPED),
            condition="iam:ResourceTag/aws-cdk:bootstrap-role",
            reason="The roles of CDK's bootstrap alone, by the tag that it gives them.",
        ),
        Grant(
            actions=frozenset({"cloudformation:DescribeStacks", "s3:ListBucket"}),
            resource=re.compile(r"\*"),
            reason="`cdk deploy` looks for the stacks and the bucket that it is to change, and changes none by it.",
        ),
        Grant(
            actions=frozenset({"codebuild:BatchGetBuilds", "codebuild:StartBuild", "codebuild:StopBuild"}),
            resource=re.compile(r"\*"),
            reason="CodePipeline's own grant to start the project that publishes assets, which CDK makes after it.",
        ),
    ]


# The same in the form that the kit's own rules take: rule, resource and property, and what is said of it.
_READ_ARTIFACTS = "The bootstrap's roles in the stages' accounts, each by its ARN, read the artifacts that they deploy."
ACCEPTED = {
    "bucket *CrossRegionCodePipelineReplicationBucket*": "Copies of what the pipeline's own bucket keeps and logs.",
    "bucket ArtifactsBucket*: expires whatever is in the bucket*": "An artifact is made anew from its source.",
    "narrowed DeliveryPipelineSource*: names arn:*:s3:::*": "It is the bucket that the settings name.",
    "bucket_wildcard Delivery*": "CodePipeline hands artifacts from stage to stage in folders that it names itself.",
    "allow_anywhere DeliveryUpdatePipelineSelfMutationRole*: allows cloudformation:DescribeStacks on *": (
        "`cdk deploy` looks for the stacks that it is to change."
    ),
    "allow_anywhere DeliveryUpdatePipelineSelfMutationRole*: allows s3:ListBucket on *": (
        "`cdk deploy` looks for the bootstrap's bucket."
    ),
    "allow_anywhere DeliveryPipelineRole*: allows kms:*": (
        "The key of another region's copies has no name that is known here."
    ),
    "allow_anywhere DeliveryAssetsFileRole*: allows codebuild:*": (
        "CodePipeline's own grant to start the project that publishes assets."
    ),
    **{
        f"foreign_access *: lets another account do {action}*": _READ_ARTIFACTS
        for action in ("s3:GetObject[*],", "s3:GetBucket[*],", "s3:List[*],", "kms:Decrypt without")
    },
    "privilege* DeliveryPipelineSource*": "The source action writes one artifact, and owns what it writes.",
}
