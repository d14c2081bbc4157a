"""The side that versions are promoted to: what was decided on them arrives, is kept until done, and is acted on."""

import json
from collections.abc import Mapping, Sequence

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from tunestack.layout import (
    BASE_MODELS,
    PROMOTED,
    PROMOTION_REQUEST,
    PROMOTION_REQUEST_SOURCE,
    READ_BY_PROMOTION,
    Bucket,
)
from tunestack.pipeline.gate import BASE
from tunestack.pipeline.promotion import PARAMETER_OF, SOURCE_VERSION_KEY
from tunestack_cdk.acknowledge import acknowledge_checkov, acknowledge_wildcard
from tunestack_cdk.kit_function import QUEUE, KitFunction
from tunestack_cdk.prefix_access import PrefixAccess
from tunestack_cdk.promotion_partner import PromotionPartner

SCAN_ACTION, SIGNATURE_ACTION = "ecr:DescribeImageScanFindings", "ecr:DescribeImageSigningStatus"
# A copy of hundreds of GB goes on in the next of them.
_ATTEMPTS = 10
_LAMBDA_TIMEOUT = Duration.minutes(15)


class PromotionReceiver(Construct):
    """Bus → queue → function. What fails is tried again, and after the last time kept for a person to look at."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        source: PromotionPartner,
        origins: Sequence[PromotionPartner],
        max_critical_findings: int | None,
        signed_images: bool,
        group_name: str,
        buckets: Mapping[Bucket, s3.IBucket],
        key: kms.IKey,
        log_retention: logs.RetentionDays,
        removal_policy: RemovalPolicy,
    ) -> None:
        super().__init__(scope, construct_id)
        self._source, self._origins, self._group_name = source, origins, group_name
        looked_at = {SCAN_ACTION: max_critical_findings is not None, SIGNATURE_ACTION: signed_images}
        self._looked_at = [action for action, wanted in looked_at.items() if wanted]
        self.bus = self._bus(name)
        queue = self._queue()
        function = KitFunction(
            self,
            "Promote",
            role_name=name,
            module="promote",
            caller=QUEUE,
            description="Takes in a version that another environment approved, and takes back what it rejected",
            key=key,
            log_retention=log_retention,
            removal_policy=removal_policy,
            timeout=_LAMBDA_TIMEOUT,
            environment={
                "PIPELINE": name,
                "GROUP": group_name,
                "SOURCE_VERSIONS": source.versions_arn(Stack.of(self)).removesuffix("*"),
                "SOURCE_VERSION_KEY": SOURCE_VERSION_KEY,
                "ORIGIN_REPOSITORIES": json.dumps([origin.repository_uri(Stack.of(self)) for origin in origins]),
                "MAX_CRITICAL_FINDINGS": "" if max_critical_findings is None else str(max_critical_findings),
                "SIGNED_IMAGES": "yes" if signed_images else "",
                "BUCKET": buckets[PROMOTED.bucket].bucket_name,
                "PREFIX": PROMOTED.prefix,
                "KEY": key.key_arn,
                # What is one for many versions is copied once, to where it lies there.
                "SHARED": json.dumps({BASE: BASE_MODELS.prefix}),
                "PARAMETERS": json.dumps(PARAMETER_OF),
            },
        )
        self._allow_reading_source(function.role)
        self._allow_own(function.role, name, buckets, key)
        function.role.add_to_policy(
            iam.PolicyStatement(
                actions=["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
                resources=[queue.queue_arn],
            )
        )
        mapping = lambda_.CfnEventSourceMapping(
            self,
            "Decisions",
            function_name=function.function.function_name,
            event_source_arn=queue.queue_arn,
            batch_size=1,
        )
        mapping.node.add_dependency(function.role)

    def _bus(self, name: str) -> events.EventBus:
        bus = events.EventBus(self, "Bus", event_bus_name=name)
        if self._source.account != Stack.of(self).account:
            bus.add_to_resource_policy(
                iam.PolicyStatement(
                    sid="FromSource",
                    principals=[iam.AccountPrincipal(self._source.account)],
                    actions=["events:PutEvents"],
                    resources=[bus.event_bus_arn],
                )
            )
        return bus

    def _queue(self) -> sqs.Queue:
        failed = sqs.Queue(
            self,
            "Failed",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=Duration.days(14),
        )
        queue = sqs.Queue(
            self,
            "Queue",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            visibility_timeout=_LAMBDA_TIMEOUT.plus(Duration.minutes(1)),
            dead_letter_queue=sqs.DeadLetterQueue(queue=failed, max_receive_count=_ATTEMPTS),
        )
        for each in (failed, queue):
            resource = each.node.default_child
            assert isinstance(resource, sqs.CfnQueue)
            reason = "A message names a version by its ARN, and nothing of what is in it; SQS's own key encrypts it."
            acknowledge_checkov(resource, {"CKV_AWS_27": reason})
        rule = events.CfnRule(
            self,
            "Arrived",
            description="Decisions on versions of the environment that models come from",
            event_bus_name=self.bus.event_bus_name,
            event_pattern={
                "source": ["aws.sagemaker", PROMOTION_REQUEST_SOURCE],
                "detail-type": ["SageMaker Model Package State Change", PROMOTION_REQUEST],
            },
            targets=[events.CfnRule.TargetProperty(id="Queue", arn=queue.queue_arn)],
        )
        queue.add_to_resource_policy(
            iam.PolicyStatement(
                sid="FromBus",
                principals=[iam.ServicePrincipal("events.amazonaws.com")],
                actions=["sqs:SendMessage"],
                resources=[queue.queue_arn],
                conditions={"ArnEquals": {"aws:SourceArn": rule.attr_arn}},
            )
        )
        return queue

    def _allow_reading_source(self, role: iam.Role) -> None:
        """What the function reads of the source: the version, its image's digest, its files."""
        stack, source = Stack.of(self), self._source
        versions, keys = source.versions_arn(stack), source.keys_arn(stack)
        objects = [
            stack.format_arn(service="s3", account="", region="", resource="*", resource_name=place.key(pattern))
            for place, pattern in READ_BY_PROMOTION
        ]
        buckets = stack.format_arn(service="s3", account="", region="", resource="*")
        owner = {"StringEquals": {"aws:ResourceAccount": source.account}}
        prefixes = {"StringLike": {"s3:prefix": [place.key(pattern) for place, pattern in READ_BY_PROMOTION]}}
        via_s3 = {"StringEquals": {"kms:ViaService": f"s3.{source.region}.{stack.url_suffix}"}}
        for actions, resources, conditions in (
            (["sagemaker:DescribeModelPackage"], [versions], None),
            # A version keeps the image that it was made with: of the environment that trained it.
            (
                ["ecr:BatchGetImage", *self._looked_at],
                [origin.repository_arn(stack) for origin in self._origins],
                None,
            ),
            (["s3:GetObject"], objects, owner),
            (["s3:ListBucket"], [buckets], owner | prefixes),
            (["kms:Decrypt"], [keys], via_s3),
        ):
            role.add_to_policy(iam.PolicyStatement(actions=actions, resources=resources, conditions=conditions))
        reason = (
            "What another environment's stacks make gets its name there: its account, the places' prefixes and its own "
            "policies bound it."
        )
        for arn in (versions, keys, buckets, *objects):
            acknowledge_wildcard(role, arn, reason=reason)

    def _allow_own(
        self, role: iam.Role, pipeline_name: str, buckets: Mapping[Bucket, s3.IBucket], key: kms.IKey
    ) -> None:
        """What the function does here: copy, start the pipeline, and take approvals back. It can't approve."""
        stack = Stack.of(self)
        access = PrefixAccess(role, key=key)
        for place in (PROMOTED, BASE_MODELS):
            bucket = buckets[place.bucket]
            access.write(bucket, place.prefix)
            access.read(bucket, place.prefix)
        role.add_to_policy(
            iam.PolicyStatement(
                # An upload that was interrupted is found again.
                actions=["s3:ListBucketMultipartUploads"],
                resources=[buckets[PROMOTED.bucket].bucket_arn],
            )
        )

        def sagemaker(resource: str, name: str) -> str:
            return stack.format_arn(service="sagemaker", resource=resource, resource_name=name)

        versions = sagemaker("model-package", f"{self._group_name}/*")
        group = sagemaker("model-package-group", self._group_name)
        pipeline = sagemaker("pipeline", pipeline_name)
        for actions, resources, conditions in (
            (["ListModelPackages"], [group, versions], None),
            (["DescribeModelPackage"], [versions], None),
            (["UpdateModelPackage"], [versions], {"StringEquals": {"sagemaker:ModelApprovalStatus": "Rejected"}}),
            (["StartPipelineExecution", "ListPipelineExecutions"], [pipeline], None),
        ):
            named = [f"sagemaker:{action}" for action in actions]
            role.add_to_policy(iam.PolicyStatement(actions=named, resources=resources, conditions=conditions))
        acknowledge_wildcard(role, versions, reason="The service numbers the versions when it makes them.")
