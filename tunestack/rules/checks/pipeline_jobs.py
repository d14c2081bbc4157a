"""The jobs inside a pipeline's definition keep the kit's policies, and the definition is one that the service takes."""

import json
from collections.abc import Iterator

from tunestack.definition import Level, validate
from tunestack.definition.template import body_as_text
from tunestack.rules.assembly import Assembly, Resource
from tunestack.rules.finding import Problem

KINDS = frozenset({"AWS::SageMaker::Pipeline"})
_WHERE = "PipelineDefinition.PipelineDefinitionBody"


def check(resource: Resource, assembly: Assembly) -> Iterator[Problem]:
    body = resource.part("PipelineDefinition").get("PipelineDefinitionBody")
    if body is None:
        return
    definition = json.loads(body_as_text(body))
    for finding in validate(definition, vpc_expected=any(assembly.of_kind("AWS::EC2::VPC"))):
        if finding.level is not Level.NOTE:
            rule = f"{finding.rule}: " if finding.rule else ""
            yield f"{_WHERE}.{finding.where}", f"{rule}{finding.message}"
