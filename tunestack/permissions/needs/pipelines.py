"""What a pipeline's execution needs: its own role's calls, and what each job's role does."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from tunestack.definition.job_files import files_read, files_written
from tunestack.job_api import TRANSFORM_API
from tunestack.permissions.access import Access
from tunestack.permissions.calls import SAGEMAKER, Needed, needed_by
from tunestack.permissions.job_role import needed_by_role
from tunestack.permissions.needs.common import LOG_ACTIONS, taken_on
from tunestack.permissions.needs.files import object_arn, read_accesses, write_accesses
from tunestack.permissions.needs.pipeline_calls import Call, PropertyFile, calls_of
from tunestack.permissions.needs.promotions import Promotion, promotions_of
from tunestack.permissions.world import World
from tunestack.template.assembly import Stack

_JOB_LOGS = ("logs:CreateLogGroup", "logs:DescribeLogStreams", *LOG_ACTIONS)
# The endpoints that a job in a VPC goes through, by the service of its action.
_ENDPOINTS = {"s3": "s3", "logs": "logs", "cloudwatch": "monitoring", "ecr": "ecr.api"}


def needs(world: World) -> Iterator[Access]:
    """What each pipeline needs whose definition is in its template."""
    promotions = list(promotions_of(world))
    for stack, logical_id, properties in world.resources("AWS::SageMaker::Pipeline"):
        if "PipelineDefinitionBody" not in properties.get("PipelineDefinition", {}):
            # It lies in S3: nobody knows what it does.
            continue
        for parameters in _parameters(properties, promotions):
            yield from PipelineNeeds(world, stack, properties, parameters).all()
        yield from taken_on(world, f"{stack.name}: pipeline {logical_id}", properties["RoleArn"], SAGEMAKER)


def _parameters(properties: Mapping[str, Any], promotions: list[Promotion]) -> list[dict[str, str]]:
    """The values that a pipeline's parameters without a default have: of a promotion's, one set for each image."""
    own = [item for item in promotions if item.settings.pipeline == properties["PipelineName"]]
    return [parameters for promotion in own for parameters in promotion.parameters()] or [{}]


class PipelineNeeds:
    """What a pipeline's role and its jobs' roles need for an execution."""

    def __init__(
        self, world: World, stack: Stack, properties: Mapping[str, Any], parameters: Mapping[str, str]
    ) -> None:
        self._world, self._stack, self._parameters = world, stack, parameters
        self._definition = json.loads(properties["PipelineDefinition"]["PipelineDefinitionBody"])
        self._role = properties["RoleArn"]
        self._models: dict[str, Mapping[str, Any]] = {}

    def all(self) -> Iterator[Access]:
        """Every access of an execution."""
        for item in calls_of(self._definition, self._parameters):
            if isinstance(item, PropertyFile):
                yield from self._read(self._by(item.step, "the pipeline"), self._role, item.uri, listed=False)
                continue
            yield from self._of_call(item)

    def _by(self, step: str, who: str = "the job") -> str:
        return f"{self._stack.name}: {who} of step {step}"

    def _of_call(self, call: Call) -> Iterator[Access]:
        yield from self._asked(call, call.action, call.request)
        if call.action == "CreateModel":
            self._models[call.request["ModelName"]] = call.request
            yield from self._asked(call, "DescribeModel", {"ModelName": call.request["ModelName"]})
        if call.action == "CreateModelPackage":
            group = call.request["ModelPackageGroupName"]
            yield from self._asked(call, "DescribeModelPackageGroup", {"ModelPackageGroupName": group})
            version = f"arn:aws:sagemaker:{self._stack.region}:{self._stack.account}:model-package/{group}/1"
            yield from self._asked(call, "DescribeModelPackage", {"ModelPackageName": version})
            yield from self._looked_up(call)
        if call.api is None:
            return
        name = {f"{call.api.noun}Name": call.request[f"{call.api.noun}Name"]}
        for action in ("Describe", "Stop"):
            yield from self._asked(call, f"{action}{call.api.noun}", name)
        yield from self._of_job(call)

    def _looked_up(self, call: Call) -> Iterator[Access]:
        """Of an image of another account, whose registration looks up its digest."""
        for container in call.request.get("InferenceSpecification", {}).get("Containers", []):
            host, _, path = str(container.get("Image", "")).partition("/")
            account, _, _, region, *_ = [*host.split("."), "", "", "", ""]
            if account.isdigit() and account != self._stack.account:
                name = path.partition("@")[0].partition(":")[0]
                arn = f"arn:{self._stack.partition}:ecr:{region}:{account}:repository/{name}"
                for action in ("ecr:BatchGetImage", "ecr:DescribeImages"):
                    yield Access(
                        by=self._by(call.step, "the pipeline"), principal=self._role, action=action, resource=arn
                    )

    def _asked(self, call: Call, action: str, request: Mapping[str, Any]) -> Iterator[Access]:
        for needed in needed_by(action, request, account=self._stack.account, region=self._stack.region):
            yield self._access(self._by(call.step, "the pipeline"), self._role, needed)

    def _access(self, by: str, role: str, needed: Needed) -> Access:
        resource = needed.resource.replace("arn:aws:", f"arn:{self._stack.partition}:", 1)
        return Access(by=by, principal=role, action=needed.action, resource=resource, context=needed.context)

    def _of_job(self, call: Call) -> Iterator[Access]:
        request, by = call.request, self._by(call.step)
        model = self._models.get(request.get("ModelName", ""), {})
        role = request.get("RoleArn") or model.get("ExecutionRoleArn")
        assert role is not None and call.api is not None
        vpc = request.get("VpcConfig") or request.get("NetworkConfig", {}).get("VpcConfig") or model.get("VpcConfig")
        image = (
            request.get("AlgorithmSpecification", {}).get("TrainingImage")
            or request.get("AppSpecification", {}).get("ImageUri")
            or model.get("PrimaryContainer", {}).get("Image")
        )
        own = {"account": self._stack.account, "region": self._stack.region}
        yield from taken_on(self._world, by, role, SAGEMAKER)
        for needed in needed_by_role(image, vpc, request, **own):
            yield replace(self._access(by, role, needed), through=self._endpoint(vpc, needed.action))
        for access in (*self._files(call, by, role, model), *self._observation(call, by, role)):
            yield replace(access, through=self._endpoint(vpc, access.action))

    def _files(self, call: Call, by: str, role: str, model: Mapping[str, Any]) -> Iterator[Access]:
        request = call.request
        if call.api is TRANSFORM_API:
            yield from self._read(by, role, model["PrimaryContainer"]["ModelDataUrl"])
        for files in files_read(request):
            yield from self._read(by, role, files.uri)
        for files in files_written(request):
            yield from self._write(by, role, files.uri, files.kms_key)
        if checkpoints := request.get("CheckpointConfig"):
            uri = checkpoints["S3Uri"]
            yield from self._read(by, role, uri)
            yield Access(by=by, principal=role, action="s3:DeleteObject", resource=object_arn(self._stack, uri))
            yield from self._write(by, role, uri, None)

    def _observation(self, call: Call, by: str, role: str) -> Iterator[Access]:
        assert call.api is not None
        stack = self._stack
        group = f"arn:{stack.partition}:logs:{stack.region}:{stack.account}:log-group:{call.api.log_group}"
        for action in _JOB_LOGS:
            resource = group if action.endswith("Group") else f"{group}:log-stream:a/algo-1"
            yield Access(by=by, principal=role, action=action, resource=resource)
        context = {"cloudwatch:namespace": call.api.log_group}
        yield Access(by=by, principal=role, action="cloudwatch:PutMetricData", resource="*", context=context)

    def _read(self, by: str, role: str, uri: str, *, listed: bool = True) -> Iterator[Access]:
        yield from read_accesses(self._world, self._stack, by=by, role=role, uri=uri, listed=listed)

    def _write(self, by: str, role: str, uri: str, key: str | None) -> Iterator[Access]:
        yield from write_accesses(self._world, self._stack, by=by, role=role, uri=uri, key=key)

    def _endpoint(self, vpc: Mapping[str, Any] | None, action: str) -> tuple[Stack, str] | None:
        """The endpoint that an action's service is reached by from the job's subnets."""
        service = _ENDPOINTS.get(action.partition(":")[0])
        if not vpc or service is None:
            return None
        subnets = {
            self._world.resolver(stack).name_of(name): properties["VpcId"]
            for stack, name, properties in self._world.resources("AWS::EC2::Subnet")
        }
        network = subnets.get(vpc["Subnets"][0])
        for stack, name, properties in self._world.resources("AWS::EC2::VPCEndpoint"):
            if str(properties["ServiceName"]).endswith(f".{service}") and properties["VpcId"] == network:
                return stack, name
        return None
