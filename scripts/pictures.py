"""The pictures in README and docs, as Mermaid, made from the synthesized app."""

import json
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from tunestack.cli.synthesis import synthesize
from tunestack.definition.template import definition_of_template
from tunestack.layout import StackName
from tunestack.template.assembly import Assembly, Stack

# What a reader looks for; policies, log groups and associations aren't drawn.
DRAWN = {
    "AWS::Budgets::Budget": "AWS Budget",
    "AWS::CodeBuild::Project": "CodeBuild project",
    "AWS::EC2::VPC": "VPC without internet",
    "AWS::EC2::VPCEndpoint": "VPC endpoint",
    "AWS::ECR::Repository": "ECR repository",
    "AWS::IAM::Role": "IAM role",
    "AWS::KMS::Key": "KMS key",
    "AWS::S3::Bucket": "S3 bucket",
    "AWS::SageMaker::ModelPackageGroup": "model package group",
    "AWS::SageMaker::Pipeline": "SageMaker pipeline",
}


def synthesized(env: str) -> list[Stack]:
    """The stacks of an environment."""
    with tempfile.TemporaryDirectory() as folder:
        synthesize(env, Path(folder))
        return list(Assembly.read(Path(folder)).stacks)


def architecture(stacks: list[Stack]) -> str:
    """The stacks, what is in each, and which builds on which."""
    lines = ["flowchart LR"]
    for stack in stacks:
        kinds = Counter(item["Type"] for item in stack.template["Resources"].values())
        parts = [_counted(kinds[kind], noun) for kind, noun in DRAWN.items() if kinds[kind]]
        lines.append(f'    {stack.kind}["<b>{stack.kind}</b><br/>{"<br/>".join(parts)}"]')
    for stack in stacks:
        lines += [f"    {other.rpartition('-')[2]} --> {stack.kind}" for other in sorted(stack.dependencies)]
    return "\n".join(lines)


def pipeline_graph(stacks: list[Stack]) -> str:
    """The deployed definition's steps, and what waits for what."""
    (pipeline,) = [stack for stack in stacks if stack.kind == StackName.PIPELINE]
    definition = json.loads(definition_of_template(pipeline.template))
    lines = ["flowchart TD"]
    _draw(definition["Steps"], lines)
    return "\n".join(lines)


def _draw(steps: list[dict[str, Any]], lines: list[str], condition: str | None = None, label: str = "") -> None:
    names = {step["Name"] for step in steps}
    for step in steps:
        shape = "{{{}}}" if step["Type"] == "Condition" else "[{}]"
        lines.append(f"    {step['Name']}{shape.format(step['Name'])}")
        text = json.dumps(
            {key: value for key, value in step["Arguments"].items() if key not in ("IfSteps", "ElseSteps")}
        )
        before = sorted(name for name in names if f"Steps.{name}." in text and name != step["Name"])
        lines += [f"    {name} --> {step['Name']}" for name in before]
        if condition and not before:
            lines.append(f"    {condition} -- {label} --> {step['Name']}")
        if step["Type"] == "Condition":
            _draw(step["Arguments"]["IfSteps"], lines, step["Name"], "good enough")
            _draw(step["Arguments"]["ElseSteps"], lines, step["Name"], "not")


def _counted(count: int, noun: str) -> str:
    plural = noun.removesuffix("y") + "ies" if noun.endswith("y") and noun != "KMS key" else f"{noun}s"
    return noun if count == 1 else f"{count} {plural}"
