"""The versions of another environment, taken in."""

from typing import Any

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_ecr as ecr
from constructs import Construct
from tunestack_cdk.log_retention import log_retention
from tunestack_cdk.promotion_pipeline import PromotionPipeline
from tunestack_cdk.promotion_receiver import PromotionReceiver
from tunestack_cdk.retention import removal_policy

from stacks.pipeline import PipelineStack
from stacks.promotion_partner import promotion_partner
from stacks.storage import StorageStack
from tunestack.layout import PROMOTION_BUS_OUTPUT, PROMOTION_LOG_OUTPUT
from tunestack.pipeline.promotion import copied_parameters, jobs_of_promotion, readers_of_copies
from tunestack.planning.blueprint import Blueprint


class PromotionStack(Stack):
    """What arrives from the source, and the pipeline that it goes through."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        blueprint: Blueprint,
        storage: StorageStack,
        pipeline: PipelineStack,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        settings = blueprint.settings
        assert settings.promoted_from is not None and blueprint.promotion is not None
        source = promotion_partner(settings.promoted_from)
        origins = [promotion_partner(neighbour) for neighbour in settings.origins]
        receiver = PromotionReceiver(
            self,
            "Receiver",
            name=settings.names.promotion,
            source=source,
            origins=origins,
            max_critical_findings=settings.environment.promotion.max_critical_findings,
            signed_images=settings.environment.promotion.signed_images,
            group_name=settings.names.model_package_group,
            copied=copied_parameters(settings),
            with_exam=settings.takes_exams_along,
            buckets=storage.buckets,
            key=storage.key,
            log_retention=log_retention(settings.environment.log_retention_days),
            removal_policy=removal_policy(delete_with_stack=settings.deletes_data),
        )
        PromotionPipeline(
            self,
            "Promotion",
            pipeline_name=settings.names.promotion,
            description=f"Judge and register versions of {settings.promoted_from.names.environment}",
            definition=blueprint.promotion.definition,
            fine_tuning=pipeline.fine_tuning,
            jobs=jobs_of_promotion(settings),
            readers=readers_of_copies(settings),
            origin_images=[
                ecr.Repository.from_repository_arn(
                    self, f"{origin.repository_name}-images", origin.repository_arn(self)
                )
                for origin in origins
            ],
        )
        CfnOutput(self, PROMOTION_BUS_OUTPUT, value=receiver.bus.event_bus_name)
        CfnOutput(self, PROMOTION_LOG_OUTPUT, value=receiver.log_group.log_group_name)
