"""The definition in a CloudFormation template, as text."""

import json
from typing import Any


def definition_of_template(template: dict[str, Any]) -> str:
    """The definition's text in a template, CloudFormation's functions written as `${…}`."""
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::SageMaker::Pipeline":
            return body_as_text(resource["Properties"]["PipelineDefinition"]["PipelineDefinitionBody"])
    raise ValueError("the template has no AWS::SageMaker::Pipeline")


def body_as_text(value: Any) -> str:
    """A definition's body, CloudFormation's functions written as `${…}`."""
    if isinstance(value, str):
        return value
    if "Fn::Join" in value:
        separator, parts = value["Fn::Join"]
        return str(separator).join(body_as_text(part) for part in parts)
    if "Ref" in value:
        return f"${{{value['Ref']}}}"
    if "Fn::GetAtt" in value:
        return f"${{{'.'.join(value['Fn::GetAtt'])}}}"
    if "Fn::GetStackOutput" in value:
        output = value["Fn::GetStackOutput"]
        return f"${{{output['StackName']}.{output['OutputName']}}}"
    # Fn::Select over Fn::Split takes an ARN apart: name it by what it is taken from.
    inner = json.dumps(value, separators=(",", ":")).replace('"', "'")
    return f"${{{inner}}}"
