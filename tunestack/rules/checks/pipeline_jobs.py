"""The jobs in a pipeline's definition must keep the kit's policies, and the service must accept the definition."""

import json
from collections.abc import Iterator

from tunestack.definition.finding import Level
from tunestack.definition.template import body_as_text
from tunestack.definition.validation import validate
from tunestack.layout import ENVIRONMENT_TAG
from tunestack.rules.finding import Problem
from tunestack.template.resources import Resource, Resources
from tunestack.template.values import as_mappings

KINDS = frozenset({"AWS::SageMaker::Pipeline"})
_WHERE = "PipelineDefinition.PipelineDefinitionBody"


def check(resource: Resource, resources: Resources) -> Iterator[Problem]:
    body = resource.part("PipelineDefinition").get("PipelineDefinitionBody")
    if body is None:
        return
    definition = json.loads(body_as_text(body))
    networks = (vpc for vpc in resources.of_kind("AWS::EC2::VPC") if _may_be_of_one_environment(vpc, resource))
    for finding in validate(definition, vpc_expected=any(networks)):
        if finding.level is not Level.NOTE:
            rule = f"{finding.rule}: " if finding.rule else ""
            yield f"{_WHERE}.{finding.where}", f"{rule}{finding.message}"


def _may_be_of_one_environment(vpc: Resource, pipeline: Resource) -> bool:
    """Whether a VPC could be meant for a pipeline: not where their tags name two environments."""
    named = [
        tag["Value"]
        for resource in (vpc, pipeline)
        for tag in as_mappings(resource.properties.get("Tags"))
        if tag.get("Key") == ENVIRONMENT_TAG and "Value" in tag
    ]
    return len({str(name) for name in named}) <= 1
