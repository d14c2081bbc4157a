"""A template and a definition as a reviewer reads them: paths for logical ids, text for joins, a tree for the JSON.

What changes with every change of code is normalised: asset hashes, image tags, inline code, CDK's own metadata. An
environment's name becomes ENV, and its tags are said once, so that equal stacks of two environments are equal.
"""

import json
import re
import textwrap
from typing import Any

import yaml

from tunestack.layout import ENVIRONMENT_TAG, PROJECT_TAG
from tunestack.template.assembly import Assembly
from tunestack.template.text import text_of
from tunestack.template.values import as_list

WIDTH = 110
LONGEST_ROW = 170
_HASH = re.compile(r"[0-9a-f]{64}")
_IMAGE_TAG = re.compile(r"(?<=:)[0-9a-f]{16}\b|^[0-9a-f]{16}$")
# What CDK adds to every template by itself, and what stands in a definition under a path of its own.
_LEFT_OUT = ("Parameters", "Rules")
_SHORT = {"${AWS::Partition}": "PARTITION", "${AWS::Region}": "REGION", "${AWS::AccountId}": "ACCOUNT"}


class ReadableStack:
    """One stack of a synthesized environment, by what it is for (`storage`)."""

    def __init__(self, assembly: Assembly, env: str, kind: str) -> None:
        self._assembly, self._env = assembly, env
        stack = assembly.stack(kind)
        self._template, self._paths = stack.template, stack.paths

    def template(self) -> dict[str, Any]:
        """The template less the definition, by construct path."""
        told = {key: value for key, value in self._template.items() if key not in _LEFT_OUT}
        resources = {self._paths[name]: self._resource(item) for name, item in told.pop("Resources").items()}
        outputs = {name: item for name, item in told.pop("Outputs").items() if not name.startswith("PublishOutput")}
        return {
            **self._readable(told),
            "Outputs": {name: self._readable(item["Value"]) for name, item in sorted(outputs.items())},
            "Resources": dict(sorted(resources.items())),
        }

    def definition(self) -> Any:
        """The definition that the stack deploys, joins as text."""
        (pipeline,) = [
            item for item in self._template["Resources"].values() if item["Type"] == "AWS::SageMaker::Pipeline"
        ]
        body = self._text(pipeline["Properties"]["PipelineDefinition"]["PipelineDefinitionBody"])
        return _without_tags(_expressions(json.loads(self._normalised(body))))

    def statements(self) -> list[str]:
        """Every IAM statement, a row for each action and resource: roles' policies, trust, resources' own."""
        rows: set[str] = set()
        for name, item in self._template["Resources"].items():
            properties, path = (
                self._readable(item.get("Properties", {})),
                re.sub(r"(/Role|/Bucket/Policy)$", "", self._paths[name]),
            )
            if item["Type"] == "AWS::IAM::Policy":
                for role in properties["Roles"]:
                    rows |= _rows(role.strip("${}").removesuffix("/Role"), properties["PolicyDocument"])
            elif item["Type"] == "AWS::IAM::Role":
                rows |= _rows(f"{path} trusts", properties["AssumeRolePolicyDocument"])
                for policy in properties.get("Policies", []):
                    rows |= _rows(path, policy["PolicyDocument"])
                rows |= {f"{path} | managed policy | {arn}" for arn in properties.get("ManagedPolicyArns", [])}
            elif item["Type"] == "AWS::Events::EventBusPolicy":
                rows |= _rows(f"{path} lets", {"Statement": [properties["Statement"]]})
            else:
                for key in ("KeyPolicy", "PolicyDocument", "RepositoryPolicyText", "ModelPackageGroupPolicy"):
                    rows |= _rows(f"{path} lets", properties.get(key, {}))
        return sorted(rows)

    def _resource(self, item: dict[str, Any]) -> Any:
        told = dict(item)
        if item["Type"] == "AWS::SageMaker::Pipeline":
            body = {"PipelineDefinitionBody": "see definition.yaml"}
            told["Properties"] = {**item["Properties"], "PipelineDefinition": body}
        if "Code" in item.get("Properties", {}):
            code = dict.fromkeys(item["Properties"]["Code"], "CODE")
            told["Properties"] = {**item["Properties"], "Code": code}
        if "DependsOn" in told:
            told["DependsOn"] = sorted(self._paths[name] for name in told["DependsOn"])
        told.pop("Metadata", None)
        return _without_tags(self._readable(told))

    def _readable(self, value: Any) -> Any:
        if isinstance(value, dict):
            if len(value) == 1 and (next(iter(value)).startswith("Fn::") or "Ref" in value):
                return self._unpacked(self._normalised(self._text(value)))
            return {key: self._readable(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._readable(item) for item in value]
        if isinstance(value, str):
            return self._unpacked(self._normalised(value))
        return value

    def _unpacked(self, text: str) -> Any:
        """What a text of JSON holds, member by member."""
        return self._readable(json.loads(text)) if text.startswith('{"') else text

    def _text(self, value: Any) -> str:
        return text_of(value, self._reference)

    def _reference(self, name: str, argument: Any) -> str:
        """CloudFormation's functions as `${…}`, by the path of what they mean."""
        match name, argument:
            case "Ref", str():
                return f"${{{self._paths.get(argument, argument)}}}"
            case "Fn::GetAtt", [resource, attribute]:
                return f"${{{self._paths[resource]}.{attribute}}}"
            case "Fn::GetStackOutput", {"StackName": stack, "OutputName": output}:
                kind = stack.rpartition("-")[2]
                other = ReadableStack(self._assembly, self._env, kind)
                found = other._text(other._template["Outputs"][output]["Value"])
                return f"${{{kind}:{found.removeprefix('${')}"
            case "Fn::Select", [index, {"Fn::Split": [separator, inner]}]:
                return f"{self._text(inner)}.split({separator!r})[{index}]"
            case "Fn::Select", [index, {"Fn::GetAZs": _}]:
                return f"${{AvailabilityZone{index}}}"
        raise ValueError(f"a function that isn't read here: {name} of {argument}")

    def _normalised(self, text: str) -> str:
        text = _IMAGE_TAG.sub("TAG", _HASH.sub("HASH", text))
        text = text.replace(f"tunestack-{self._env}", "tunestack-ENV")
        for long, short in _SHORT.items():
            text = text.replace(long, short)
        return text


def difference(base: Any, other: Any) -> Any:
    """What the other has otherwise, as a part of the same tree; `(absent)` where it lacks a key."""
    if isinstance(base, dict) and isinstance(other, dict):
        keys = sorted(key for key in {*base, *other} if base.get(key) != other.get(key))
        both = base.keys() & other.keys()
        return {key: difference(base[key], other[key]) if key in both else other.get(key, "(absent)") for key in keys}
    if isinstance(base, list) and isinstance(other, list):
        if names := _names(base, other):
            return difference(*({item[names]: item for item in items} for items in (base, other)))
        if len(base) == len(other):
            pairs = enumerate(zip(base, other, strict=True))
            return {index: difference(*pair) for index, pair in pairs if pair[0] != pair[1]}
        changes = {
            "without": [item for item in base if item not in other],
            "with": [item for item in other if item not in base],
        }
        return {key: items for key, items in changes.items() if items}
    return other


def _names(*lists: list[Any]) -> str | None:
    """What names the items of lists, if something does: a difference speaks of `MaxSteps`, not of the seventh."""
    for key in ("Name", "InputName", "OutputName", "Id", "Sid"):
        if all(isinstance(item, dict) and isinstance(item.get(key), str) for items in lists for item in items) and all(
            len({item[key] for item in items}) == len(items) for items in lists
        ):
            return key
    return None


def as_yaml(value: Any) -> str:
    """A tree as YAML, long texts folded."""
    return yaml.dump(value, Dumper=_Dumper, width=WIDTH, sort_keys=False, allow_unicode=True)


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text_node(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    if "\n" in text:
        text = "\n".join(wrapped for line in text.splitlines() for wrapped in textwrap.wrap(line, WIDTH) or [""])
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text_node)


def _expressions(value: Any) -> Any:
    """The definition's own functions as text."""
    match value:
        case {"Get": str(path)} if len(value) == 1:
            return f"${{{path}}}"
        case {"Std:Join": join}:
            return str(join["On"]).join(str(_expressions(part)) for part in join["Values"])
        case {"Std:JsonGet": read}:
            return f"{_expressions(read['PropertyFile'])}[{read['Path']}]"
        case dict():
            return {key: _expressions(item) for key, item in value.items()}
        case list():
            return [_expressions(item) for item in value]
    return value


def _without_tags(value: Any) -> Any:
    """Without the tags that everything has; a test holds them."""
    if isinstance(value, list):
        return [_without_tags(item) for item in value if not _is_ours(item)]
    if isinstance(value, dict):
        told = {key: _without_tags(item) for key, item in value.items()}
        return {key: item for key, item in told.items() if key != "Tags" or item}
    return value


def _is_ours(tag: Any) -> bool:
    return isinstance(tag, dict) and tag.get("Key") in (ENVIRONMENT_TAG, PROJECT_TAG) and tag.keys() == {"Key", "Value"}


def _rows(who: str, document: dict[str, Any]) -> set[str]:
    """A policy's statements, a row for each action and resource, with whom they let in."""
    rows = set()
    for statement in document.get("Statement", []):
        principals = statement.get("Principal", {})
        whom = [
            _short_arn(one)
            for found in (principals.values() if isinstance(principals, dict) else [principals])
            for one in as_list(found)
        ]
        conditions = statement.get("Condition", {}).items()
        rest = [*whom, *(f"{test}: {_flow(values)}" for test, values in conditions)]
        apart = [*whom, *(f"{test}: {_flow({key: value})}" for test, keys in conditions for key, value in keys.items())]
        for action in as_list(statement["Action"]):
            for resource in as_list(statement.get("Resource", "")):
                cells = [who, statement["Effect"], action, _short_arn(resource), *rest]
                # One condition key a row where all of them are too long for one.
                row = " | ".join(cell for cell in cells if cell)
                extra = len(row) > LONGEST_ROW
                rows |= {" | ".join(filter(None, [*cells[:4], one])) for one in apart} if extra else {row}
    return rows


def _short_arn(arn: str) -> str:
    """An ARN of the environment's own account and region without them."""
    return re.sub(r"^arn:[\w-]+:(\w+):[\w-]*:ACCOUNT:", r"\1:", arn)


def _flow(value: Any) -> str:
    return json.dumps(value, separators=(",", ":")).replace('"', "")
