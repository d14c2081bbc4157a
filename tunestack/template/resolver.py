"""CloudFormation's functions in a template, as values: names and ARNs as they could be."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from tunestack.template.assembly import Stack
from tunestack.template.values import branch_taken

_REFERENCE = re.compile(r"\$\{([A-Za-z0-9:]+)(?:\.([A-Za-z0-9]+))?\}")
URL_SUFFIXES = {"aws": "amazonaws.com", "aws-us-gov": "amazonaws.com", "aws-cn": "amazonaws.com.cn"}
# Type → the property that names it, and its ARN's service and resource; `{}` is the name.
_NAMED: Mapping[str, tuple[str, str]] = {
    "AWS::CodeBuild::Project": ("Name", "codebuild:project/{}"),
    "AWS::CodePipeline::Pipeline": ("Name", "codepipeline:{}"),
    "AWS::ECR::Repository": ("RepositoryName", "ecr:repository/{}"),
    "AWS::Events::EventBus": ("Name", "events:event-bus/{}"),
    "AWS::Events::Rule": ("Name", "events:rule/{}"),
    "AWS::IAM::Role": ("RoleName", "iam:role/{}"),
    "AWS::KMS::Key": ("", "kms:key/{}"),
    "AWS::Lambda::Function": ("FunctionName", "lambda:function:{}"),
    "AWS::Logs::LogGroup": ("LogGroupName", "logs:log-group:{}:*"),
    "AWS::S3::Bucket": ("BucketName", "s3:{}"),
    "AWS::SNS::Topic": ("TopicName", "sns:{}"),
    "AWS::SQS::Queue": ("QueueName", "sqs:{}"),
    "AWS::SageMaker::ModelPackageGroup": ("ModelPackageGroupName", "sagemaker:model-package-group/{}"),
    "AWS::SageMaker::Pipeline": ("PipelineName", "sagemaker:pipeline/{}"),
    "AWS::SecretsManager::Secret": ("Name", "secretsmanager:secret:{}"),
}
# Their ARNs have no region, or neither region nor account.
_GLOBAL, _OF_NO_ACCOUNT = ("iam",), ("s3",)
# What `Ref` gives where it isn't the name.
_REF_IS_ARN = frozenset({"AWS::SNS::Topic", "AWS::SageMaker::ModelPackageGroup", "AWS::SecretsManager::Secret"})


class Resolver:
    """Values of one stack; `output` gives what another stack's output is."""

    def __init__(self, stack: Stack, output: Callable[[str, str], Any]) -> None:
        self.stack, self._output = stack, output
        self._pseudo = {
            "AWS::AccountId": stack.account,
            "AWS::Region": stack.region,
            "AWS::Partition": stack.partition,
            "AWS::URLSuffix": URL_SUFFIXES[stack.partition],
            "AWS::StackName": stack.name,
            "AWS::StackId": f"arn:{stack.partition}:cloudformation:{stack.region}:{stack.account}:stack/{stack.name}/1",
        }

    def value(self, value: Any) -> Any:
        """A value with its functions worked out; what this doesn't know stands as its name in question marks."""
        if isinstance(value, list):
            return [self.value(item) for item in value if item != {"Ref": "AWS::NoValue"}]
        if not isinstance(value, Mapping):
            return value
        if len(value) == 1:
            ((name, argument),) = value.items()
            if name == "Ref" or name.startswith("Fn::"):
                return self._call(name, argument)
        return {key: self.value(item) for key, item in value.items() if item != {"Ref": "AWS::NoValue"}}

    def name_of(self, logical_id: str) -> str:
        """A resource's name, as its template or, if it doesn't, CloudFormation gives it."""
        resource = self._resource(logical_id)
        member, _ = _NAMED.get(resource["Type"], ("", ""))
        chosen = self.value(resource.get("Properties", {}).get(member)) if member else None
        made = f"{self.stack.name}-{logical_id}"
        return str(chosen or (made.lower() if resource["Type"] == "AWS::S3::Bucket" else made))

    def arn_of(self, logical_id: str) -> str:
        """A resource's ARN."""
        resource, name = self._resource(logical_id), self.name_of(logical_id)
        _, form = _NAMED.get(resource["Type"], ("", ""))
        service, _, rest = form.partition(":")
        if resource["Type"] == "AWS::Events::Rule":
            bus = self.value(resource.get("Properties", {}).get("EventBusName")) or "default"
            name = name if bus == "default" else f"{bus}/{name}"
        if resource["Type"] == "AWS::IAM::Role":
            name = f"{str(resource.get('Properties', {}).get('Path', '/')).lstrip('/')}{name}"
        if not form:
            service, rest = resource["Type"].split("::")[1].lower(), "{}"
        region = "" if service in (*_GLOBAL, *_OF_NO_ACCOUNT) else self.stack.region
        account = "" if service in _OF_NO_ACCOUNT else self.stack.account
        return f"arn:{self.stack.partition}:{service}:{region}:{account}:{rest.format(name)}"

    def _resource(self, logical_id: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.stack.template.get("Resources", {}).get(logical_id, {"Type": "?::?"})
        return found

    def _call(self, name: str, argument: Any) -> Any:
        known: dict[str, Callable[[Any], Any]] = {
            "Ref": self._ref,
            "Fn::GetAtt": self._get_att,
            "Fn::Join": lambda given: str(given[0]).join(str(part) for part in self.value(given[1])),
            "Fn::Select": self._select,
            "Fn::Split": lambda given: str(self.value(given[1])).split(given[0]),
            "Fn::Sub": self._sub,
            "Fn::GetAZs": lambda given: [f"{self.stack.region}{letter}" for letter in "abcdef"],
            "Fn::If": lambda given: self.value(branch_taken(given)),
            "Fn::GetStackOutput": lambda given: self._output(given["StackName"], given["OutputName"]),
            "Fn::ImportValue": lambda given: self._output("", str(self.value(given))),
        }
        return known[name](argument) if name in known else f"?{name}?"

    def _select(self, given: Any) -> Any:
        values, index = self.value(given[1]), int(given[0])
        return values[index] if isinstance(values, list) and index < len(values) else "?Fn::Select?"

    def _ref(self, name: str) -> Any:
        if name in self._pseudo:
            return self._pseudo[name]
        if name in self.stack.template.get("Parameters", {}):
            return self.stack.template["Parameters"][name].get("Default", name)
        kind = self._resource(name)["Type"]
        if kind == "AWS::SQS::Queue":
            return f"https://sqs.{self.stack.region}/{self.stack.account}/{self.name_of(name)}"
        return self.arn_of(name) if kind in _REF_IS_ARN else self.name_of(name)

    def _get_att(self, given: Any) -> str:
        logical_id, attribute = given if isinstance(given, list) else str(given).split(".", 1)
        if attribute == "Arn" or attribute.endswith("Arn"):
            return self.arn_of(logical_id)
        if attribute == "RepositoryUri":
            host = f"{self.stack.account}.dkr.ecr.{self.stack.region}.{self._pseudo['AWS::URLSuffix']}"
            return f"{host}/{self.name_of(logical_id)}"
        return self.name_of(logical_id) if attribute.endswith("Name") else f"{logical_id}.{attribute}"

    def _sub(self, given: Any) -> str:
        text, variables = given if isinstance(given, list) else (given, {})

        def filled(found: re.Match[str]) -> str:
            name, attribute = found.groups()
            if name in variables:
                return str(self.value(variables[name]))
            return str(self._get_att([name, attribute]) if attribute else self._ref(name))

        return _REFERENCE.sub(filled, text)
