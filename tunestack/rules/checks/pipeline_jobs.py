"""The jobs in a pipeline's definition must keep the kit's policies, and the service must accept the definition."""

import json
from collections.abc import Iterator

from tunestack.definition.finding import Level
from tunestack.definition.template import body_as_text
from tunestack.definition.validation import validate
from tunestack.rules.environments import environment_of
from tunestack.rules.finding import Problem
from tunestack.template.resources import Resource, Resources

KINDS = frozenset({"AWS::SageMaker::Pipeline"})
_WHERE = "PipelineDefinition.PipelineDefinitionBody"


def check(resource: Resource, resources: Resources) -> Iterator[Problem]:
    body = resource.part("PipelineDefinition").get("PipelineDefinitionBody")
    if body is None:
        return
    definition = json.loads(body_as_text(body))
    networks = (vpc for vpc in resources.of_kind("AWS::EC2::VPC") if _is_for(vpc, resource))
    for finding in validate(definition, vpc_expected=any(networks)):
        if finding.level is not Level.NOTE:
            rule = f"{finding.rule}: " if finding.rule else ""
            yield f"{_WHERE}.{finding.where}", f"{rule}{finding.message}"


def _is_for(vpc: Resource, pipeline: Resource) -> bool:
    """Whether a VPC is meant for a pipeline: it is in its template, or is tagged as of the same environment.

    Another team's VPC, in a stack of its own beside the kit's, is for that team.
    """
    return vpc.template == pipeline.template or bool(
        environment_of(vpc) and environment_of(vpc) == environment_of(pipeline)
    )
