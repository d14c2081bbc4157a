"""`AWS::SageMaker::Pipeline` and `AWS::SageMaker::ModelPackageGroup`, kept by moto."""

import json
import uuid
from typing import Any

from botocore.exceptions import ClientError

from tunestack.definition.validation import refused
from tunestack.local.emulator.caller import Service

Properties = dict[str, Any]
# What CloudFormation replaces the resource for; the first is its name.
REPLACED_BY = {
    "AWS::SageMaker::Pipeline": ("PipelineName",),
    "AWS::SageMaker::ModelPackageGroup": ("ModelPackageGroupName", "ModelPackageGroupDescription"),
}
_PIPELINE_TEXTS = ("PipelineDescription", "PipelineDisplayName")


def sagemaker_handlers(service: Service) -> dict[str, dict[str, Any]]:
    """The handlers of both types, over a SageMakerService."""
    return {
        "AWS::SageMaker::Pipeline": _PipelineHandlers(service).table(),
        "AWS::SageMaker::ModelPackageGroup": _GroupHandlers(service).table(),
    }


class _PipelineHandlers:
    def __init__(self, service: Service) -> None:
        self._service = service

    def table(self) -> dict[str, Any]:
        return {"create": self.create, "update": self.update, "delete": self.delete}

    def create(self, logical_id: str, properties: Properties, stack: str) -> tuple[str, Properties]:
        name = properties["PipelineName"]
        if self._service.exists("DescribePipeline", PipelineName=name):
            raise ValueError(f"Pipeline {name} already exists")
        self._service.call(
            "CreatePipeline",
            PipelineName=name,
            PipelineDefinition=_definition(properties),
            RoleArn=properties["RoleArn"],
            ClientRequestToken=uuid.uuid4().hex,
            Tags=properties.get("Tags", []),
            **{key: properties[key] for key in _PIPELINE_TEXTS if key in properties},
        )
        return name, {}

    def update(self, physical_id: str, old: Properties, new: Properties, stack: str) -> tuple[str, Properties]:
        self._service.call(
            "UpdatePipeline",
            PipelineName=physical_id,
            PipelineDefinition=_definition(new),
            RoleArn=new["RoleArn"],
            **{key: new[key] for key in _PIPELINE_TEXTS if key in new},
        )
        return physical_id, {}

    def delete(self, physical_id: str, properties: Properties) -> None:
        if self._service.exists("DescribePipeline", PipelineName=physical_id):
            self._service.call("DeletePipeline", PipelineName=physical_id, ClientRequestToken=uuid.uuid4().hex)


class _GroupHandlers:
    def __init__(self, service: Service) -> None:
        self._service = service

    def table(self) -> dict[str, Any]:
        return {"create": self.create, "update": self.update, "delete": self.delete}

    def create(self, logical_id: str, properties: Properties, stack: str) -> tuple[str, Properties]:
        name = properties["ModelPackageGroupName"]
        if self._service.exists("DescribeModelPackageGroup", ModelPackageGroupName=name):
            raise ValueError(f"Model Package Group already exists: {name}")
        made = self._service.call(
            "CreateModelPackageGroup",
            ModelPackageGroupName=name,
            ModelPackageGroupDescription=properties.get("ModelPackageGroupDescription", ""),
            Tags=properties.get("Tags", []),
        )
        self._set_policy(name, properties)
        arn = made["ModelPackageGroupArn"]
        return arn, {"ModelPackageGroupArn": arn, "ModelPackageGroupStatus": "Completed"}

    def update(self, physical_id: str, old: Properties, new: Properties, stack: str) -> tuple[str, Properties]:
        self._set_policy(new["ModelPackageGroupName"], new)
        return physical_id, {"ModelPackageGroupArn": physical_id, "ModelPackageGroupStatus": "Completed"}

    def delete(self, physical_id: str, properties: Properties) -> None:
        name = properties["ModelPackageGroupName"]
        listed = self._service.call("ListModelPackages", ModelPackageGroupName=name)
        if listed.get("ModelPackageSummaryList"):
            raise ValueError(f"Model Package Group {name} can't be deleted: it has model versions")
        self._service.forget_group(name)

    def _set_policy(self, name: str, properties: Properties) -> None:
        policy = properties.get("ModelPackageGroupPolicy")
        if policy is None:
            self._service.call("DeleteModelPackageGroupPolicy", ModelPackageGroupName=name)
            return
        text = policy if isinstance(policy, str) else json.dumps(policy)
        self._service.call("PutModelPackageGroupPolicy", ModelPackageGroupName=name, ResourcePolicy=text)


def _definition(properties: Properties) -> str:
    """The definition's text, refused as the service would refuse it: before anything is changed."""
    text: str = properties["PipelineDefinition"]["PipelineDefinitionBody"]
    if problems := refused(json.loads(text)):
        code = "ValidationException"
        raise ClientError({"Error": {"Code": code, "Message": "; ".join(problems)}}, "CreatePipeline")
    return text
