"""The side that versions are promoted to: what was decided on them arrives, is kept until done, and is acted on."""

from collections.abc import Mapping, Sequence

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from constructs import Construct
from tunestack_functions import promote

from tunestack.layout import (
    BASE,
    PROMOTED,
    PROMOTION_REQUEST,
    PROMOTION_REQUEST_SOURCE,
    Bucket,
    Place,
    read_by_promotion,
)
from tunestack.pipeline.promotion import DIGEST_PARAMETERS, SOURCE_VERSION_KEY
from tunestack_cdk.acknowledge import acknowledge_checkov, acknowledge_in_packs, acknowledge_wildcard
from tunestack_cdk.kit_function import QUEUE, KitFunction
from tunestack_cdk.prefix_access import PrefixAccess
from tunestack_cdk.promotion_partner import PromotionPartner

# A copy of hundreds of GB goes on in the next of them.
_ATTEMPTS = 10
_WHAT_TO_DO = "See `When a promotion fails` in docs/accounts.md."
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
        copied: Mapping[str, str],
        with_exam: bool,
        buckets: Mapping[Bucket, s3.IBucket],
        key: kms.IKey,
        log_retention: logs.RetentionDays,
        removal_policy: RemovalPolicy,
    ) -> None:
        super().__init__(scope, construct_id)
        stack, self._source = Stack.of(self), source
        self.bus = self._bus(name)
        queue = self._queue()
        self._alarm(name)
        function = KitFunction(
            self,
            "Promote",
            role_name=name,
            module=promote,
            settings=promote.Settings(
                pipeline=name,
                group=group_name,
                source_versions=source.versions_arn(stack),
                source_version_key=SOURCE_VERSION_KEY,
                origin_repositories=[origin.repository_uri(stack) for origin in origins],
                max_critical_findings=max_critical_findings,
                signed_images=signed_images,
                signers=[origin.signing_profiles(stack) for origin in origins],
                bucket=buckets[PROMOTED.bucket].bucket_name,
                prefix=PROMOTED.prefix,
                key_arn=key.key_arn,
                shared=[BASE],
                copied=dict(copied),
                digests=dict(DIGEST_PARAMETERS),
            ),
            caller=QUEUE,
            description="Takes in a version that another environment approved, and takes back what it rejected",
            key=key,
            log_retention=log_retention,
            removal_policy=removal_policy,
            timeout=_LAMBDA_TIMEOUT,
        )
        self.log_group = function.log_group
        self._allow_reading_source(function.role, read_by_promotion(with_exam=with_exam))
        self._allow_own(function.role, group_name, name, buckets, key)
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
        failed = self._failed = sqs.Queue(
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

    def _alarm(self, name: str) -> None:
        """Rings while a decision lies in the queue of those that failed: nobody would look there."""
        alarm = cloudwatch.Alarm(
            self,
            "NotTakenIn",
            alarm_name=f"{name}-failed",
            alarm_description=f"A decision on a version could not be carried out. {_WHAT_TO_DO}",
            metric=self._failed.metric_approximate_number_of_messages_visible(period=Duration.minutes(5)),
            threshold=1,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        reason = "The alarm is seen in the console; whom it tells is the team's to say."
        acknowledge_in_packs(alarm, "CloudWatchAlarmAction", reason=reason)

    def _allow_reading_source(self, role: iam.Role, read: Sequence[tuple[Place, str]]) -> None:
        """What the function reads of the source's files; what it calls else, it declares."""
        stack, source = Stack.of(self), self._source
        versions, keys = source.versions_arn(stack), source.keys_arn(stack)
        objects = [
            stack.format_arn(service="s3", account="", region="", resource="*", resource_name=place.key(pattern))
            for place, pattern in read
        ]
        buckets = stack.format_arn(service="s3", account="", region="", resource="*")
        owner = {"StringEquals": {"aws:ResourceAccount": source.account}}
        prefixes = {"StringLike": {"s3:prefix": [place.key(pattern) for place, pattern in read]}}
        via_s3 = {"StringEquals": {"kms:ViaService": f"s3.{source.region}.{stack.url_suffix}"}}
        for actions, resources, conditions in (
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
        self,
        role: iam.Role,
        group_name: str,
        pipeline_name: str,
        buckets: Mapping[Bucket, s3.IBucket],
        key: kms.IKey,
    ) -> None:
        """What the function reads and writes here."""
        access = PrefixAccess(role, key=key)
        bucket = buckets[PROMOTED.bucket]
        access.write(bucket, PROMOTED.prefix)
        access.read(bucket, PROMOTED.prefix)
        versions = Stack.of(self).format_arn(
            service="sagemaker", resource="model-package", resource_name=f"{group_name}/*"
        )
        acknowledge_wildcard(role, versions, reason="The service numbers the versions when it makes them.")
        executions = Stack.of(self).format_arn(
            service="sagemaker", resource="pipeline", resource_name=f"{pipeline_name}/execution/*"
        )
        acknowledge_wildcard(role, executions, reason="An execution gets its id when it is started.")
