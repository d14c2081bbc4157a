"""The fine-tuning pipeline."""

from typing import Any

from aws_cdk import CfnOutput, Stack
from constructs import Construct
from tunestack_cdk.approver_role import ApproverRole
from tunestack_cdk.fine_tuning_pipeline import FineTuningPipeline
from tunestack_cdk.job_logs import JobLogs
from tunestack_cdk.log_retention import log_retention
from tunestack_cdk.operator_role import OperatorRole
from tunestack_cdk.person_role import Workplace, people
from tunestack_cdk.retention import removal_policy
from tunestack_cdk.smoke_run_role import SmokeRunRole
from tunestack_cdk.trainer_role import TrainerRole

from stacks.images import ImagesStack
from stacks.network import NetworkStack
from stacks.registry import RegistryStack
from stacks.storage import StorageStack
from tunestack.definition.graph import registered_metadata
from tunestack.job_api import APIS
from tunestack.layout import (
    APPROVER_ROLE_ARN_OUTPUT,
    OPERATOR_ROLE_ARN_OUTPUT,
    PIPELINE_NAME_OUTPUT,
    PLACES_FILLED_BY_JOBS,
    PLACES_FILLED_BY_PEOPLE,
    PLACES_OF_JUDGEMENT,
    TRAINER_ROLE_ARN_OUTPUT,
)
from tunestack.planning.blueprint import Blueprint


class PipelineStack(Stack):
    """The pipeline and its roles, over what the other stacks provide."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        blueprint: Blueprint,
        storage: StorageStack,
        network: NetworkStack | None,
        images: ImagesStack,
        registry: RegistryStack,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        settings = blueprint.settings
        self.fine_tuning = pipeline = FineTuningPipeline(
            self,
            "FineTuning",
            pipeline_name=settings.names.pipeline,
            description=f"Fine-tune {settings.recipe.model.name_or_path}, gate and register it",
            definition=blueprint.definition,
            buckets=storage.buckets,
            key=storage.key,
            network=network.network if network else settings.environment.network.existing,
            images=images.images,
            model_package_group_name=registry.group_name,
        )
        JobLogs(
            self,
            "JobLogs",
            names=[api.log_group for api in APIS],
            retention_days=settings.environment.log_retention_days,
            key=storage.key,
            log_retention=log_retention(settings.environment.log_retention_days),
            removal_policy=removal_policy(delete_with_stack=settings.deletes_data),
            change_others=not settings.environment.log_groups_are_shared,
        )
        workplace = Workplace(
            pipeline_name=pipeline.pipeline_name,
            promotion_pipeline_name=settings.names.promotion if settings.promoted_from else None,
            model_package_group_name=settings.names.model_package_group,
            stack_prefix=settings.names.prefix,
            buckets=storage.buckets,
            key=storage.key,
        )
        definitions = [blueprint.definition, *([blueprint.promotion.definition] if blueprint.promotion else [])]
        chosen = settings.environment.security.people
        self.approver = ApproverRole(
            self,
            "Approver",
            workplace=workplace,
            assumed_by=people(chosen.approvers, tag=settings.names.prefix, value="approver"),
            reads=PLACES_OF_JUDGEMENT,
            metadata_keys=registered_metadata(*definitions),
        )
        if settings.promoted_from:
            self.approver.allow_asking_for_promotions(settings.names.promotion)
        roles = {
            TRAINER_ROLE_ARN_OUTPUT: TrainerRole(
                self,
                "Trainer",
                workplace=workplace,
                assumed_by=people(chosen.trainers, tag=settings.names.prefix, value="trainer"),
                brings=PLACES_FILLED_BY_PEOPLE,
                reads=PLACES_FILLED_BY_JOBS,
            ),
            APPROVER_ROLE_ARN_OUTPUT: self.approver,
            OPERATOR_ROLE_ARN_OUTPUT: OperatorRole(
                self,
                "Operator",
                workplace=workplace,
                assumed_by=people(chosen.operators, tag=settings.names.prefix, value="operator"),
            ),
        }
        if delivery_account := settings.environment.security.delivery_account:
            SmokeRunRole(
                self,
                "SmokeRun",
                workplace=workplace,
                role_name=settings.names.smoke_run_role,
                delivery_account=delivery_account,
                runner_name=settings.names.role(settings.names.smoke_runner),
            )
        # Group and images are known by their names alone, which say nothing of an order.
        self.add_stack_dependency(registry)
        self.add_stack_dependency(images)
        CfnOutput(self, PIPELINE_NAME_OUTPUT, value=pipeline.pipeline_name)
        for output, person in roles.items():
            CfnOutput(self, output, value=person.role.role_arn)
