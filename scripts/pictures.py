"""The pictures in README and docs, as Mermaid, made from the synthesized app."""

import json
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from tunestack.cli.synthesis import synthesize
from tunestack.definition.template import definition_of_template
from tunestack.layout import StackName

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


def synthesized(env: str) -> dict[str, dict[str, Any]]:
    """The templates and stack dependencies of an environment: stack → {template, dependencies}."""
    with tempfile.TemporaryDirectory() as folder:
        synthesize(env, Path(folder))
        artifacts = json.loads((Path(folder) / "manifest.json").read_text(encoding="utf-8"))["artifacts"]
        return {
            name: {
                "template": json.loads((Path(folder) / item["properties"]["templateFile"]).read_text(encoding="utf-8")),
                "dependencies": [other for other in item.get("dependencies", []) if not other.endswith(".assets")],
            }
            for name, item in artifacts.items()
            if item["type"] == "aws:cloudformation:stack"
        }


def architecture(stacks: dict[str, dict[str, Any]]) -> str:
    """The stacks, what is in each, and which builds on which."""
    lines = ["flowchart LR"]
    for name, stack in stacks.items():
        kinds = Counter(item["Type"] for item in stack["template"]["Resources"].values())
        parts = [_counted(kinds[kind], noun) for kind, noun in DRAWN.items() if kinds[kind]]
        lines.append(f'    {_short(name)}["<b>{_short(name)}</b><br/>{"<br/>".join(parts)}"]')
    for name, stack in stacks.items():
        lines += [f"    {_short(other)} --> {_short(name)}" for other in sorted(stack["dependencies"])]
    return "\n".join(lines)


def pipeline_graph(stacks: dict[str, dict[str, Any]]) -> str:
    """The deployed definition's steps, and what waits for what."""
    template = next(item["template"] for name, item in stacks.items() if name.endswith(f"-{StackName.PIPELINE}"))
    definition = json.loads(definition_of_template(template))
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


def _short(stack: str) -> str:
    return stack.rpartition("-")[2]


def _counted(count: int, noun: str) -> str:
    plural = noun.removesuffix("y") + "ies" if noun.endswith("y") and noun != "KMS key" else f"{noun}s"
    return noun if count == 1 else f"{count} {plural}"
