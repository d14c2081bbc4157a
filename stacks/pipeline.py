"""The fine-tuning pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import CfnOutput, Stack
from constructs import Construct
from tunestack_cdk.cost_annotation import annotate_costs
from tunestack_cdk.fine_tuning_pipeline import FineTuningPipeline

if TYPE_CHECKING:
    from stacks.network import NetworkStack

from stacks.images import ImagesStack
from stacks.registry import RegistryStack
from stacks.storage import StorageStack
from tunestack.costs import run_cost
from tunestack.costs.usage import pipeline_usage
from tunestack.settings import Settings


class PipelineStack(Stack):
    """The pipeline and its roles, over what the other stacks provide."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        storage: StorageStack,
        network: NetworkStack | None,
        images: ImagesStack,
        registry: RegistryStack,
        overrides: tuple[str, ...],
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        pipeline = FineTuningPipeline(
            self,
            "FineTuning",
            settings=settings,
            raw_data_bucket=storage.raw_data,
            artifacts_bucket=storage.artifacts,
            results_bucket=storage.results,
            key=storage.key,
            network=network.network if network else None,
            training_image=images.training_repository,
            training_image_uri=images.training_image_uri,
            inference_image=images.inference_repository,
            inference_image_uri=images.inference_image_uri,
            model_package_group_name=registry.group_name,
        )
        # Group and images are known by their names alone, which say nothing of an order.
        self.add_stack_dependency(registry)
        self.add_stack_dependency(images)
        CfnOutput(self, "PipelineName", value=pipeline.pipeline_name)
        self.cost = annotate_costs(
            self,
            region=settings.environment.region,
            usage=pipeline_usage(settings),
            run=run_cost(settings),
            overrides=overrides,
        )
