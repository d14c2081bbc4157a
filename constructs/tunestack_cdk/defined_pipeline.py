"""The resource that every pipeline of ours is: a definition that the service would take, inline, after its roles."""

from collections.abc import Mapping
from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct, IDependable

from tunestack.definition.validation import refused
from tunestack.pipeline.resources import filled_in
from tunestack_cdk.pipeline_role import PipelineRole


def refuse_invalid(definition: Mapping[str, Any]) -> None:
    """See that the service would take a definition.

    Raises:
        ValueError: it wouldn't; a line per problem.
    """
    if problems := refused(definition):
        raise ValueError("the pipeline definition would be refused:\n" + "\n".join(problems))


def define_pipeline(
    scope: Construct,
    *,
    name: str,
    description: str,
    definition: Mapping[str, Any],
    values: Mapping[str, str],
    role: PipelineRole,
    after: tuple[IDependable, ...] = (),
) -> sagemaker.CfnPipeline:
    """Deploy a definition as `Pipeline` of a scope; `values` are what its placeholders stand for."""
    body = Stack.of(scope).to_json_string(filled_in(definition, values))
    pipeline = sagemaker.CfnPipeline(
        scope,
        "Pipeline",
        pipeline_name=name,
        pipeline_description=description,
        role_arn=role.role.role_arn,
        pipeline_definition={"PipelineDefinitionBody": body},
    )
    # The first execution can start the moment the pipeline is there: its role must be able to.
    pipeline.node.add_dependency(role, *after)
    return pipeline
