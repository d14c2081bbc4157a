"""The definition in a CloudFormation template, as text."""

from collections.abc import Mapping
from typing import Any

from tunestack.template.text import in_dollars, text_of


def definition_of_template(template: Mapping[str, Any]) -> str:
    """The definition's text in a template, CloudFormation's functions written as `${…}`."""
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::SageMaker::Pipeline":
            return body_as_text(resource["Properties"]["PipelineDefinition"]["PipelineDefinitionBody"])
    raise ValueError("the template has no AWS::SageMaker::Pipeline")


def body_as_text(value: Any) -> str:
    """A definition's body, CloudFormation's functions written as `${…}`."""
    return text_of(value, in_dollars)
