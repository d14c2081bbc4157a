"""Who needs what: worked out from what is deployed, pipelines, rules, queues and functions, and never from policies."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

from tunestack.job_api import TRANSFORM_API
from tunestack.layout import CONSUMES_METADATA, PACKAGES, READ_BY_PROMOTION, S3Uri
from tunestack.local.authorization.job_role import needed_by_role
from tunestack.local.authorization.sagemaker_calls import Needed, needed_by
from tunestack.reachability.access import Access
from tunestack.reachability.pipeline_calls import Call, PropertyFile, calls_of
from tunestack.reachability.promotions import Promotion, group_of, promotions_of, source_of
from tunestack.reachability.world import World
from tunestack.template.assembly import Stack
from tunestack.template.resolver import URL_SUFFIXES

_LOGS = ("logs:CreateLogStream", "logs:PutLogEvents")
_JOB_LOGS = ("logs:CreateLogGroup", "logs:DescribeLogStreams", *_LOGS)
_PUSH = (
    "BatchCheckLayerAvailability", "BatchGetImage", "CompleteLayerUpload", "GetDownloadUrlForLayer",
    "InitiateLayerUpload", "PutImage", "UploadLayerPart",
)  # fmt: skip
# What a rule does to a target with a role, by the target's service.
_DELIVERY = {"codepipeline": "codepipeline:StartPipelineExecution", "events": "events:PutEvents"}
_SIGN = ("signer:SignPayload", "signer:GetSigningProfile")
_QUEUE = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
_SAGEMAKER = "sagemaker.amazonaws.com"
# The endpoints that a job in a VPC goes through, by the service of its action.
_ENDPOINTS = {"s3": "s3", "logs": "logs", "cloudwatch": "monitoring", "ecr": "ecr.api"}


def needs_of(world: World) -> Iterator[Access]:
    """Every access that anything deployed in the world needs."""
    promotions = list(promotions_of(world))
    for stack, logical_id, properties in world.resources("AWS::SageMaker::Pipeline"):
        if "PipelineDefinitionBody" not in properties.get("PipelineDefinition", {}):
            # It lies in S3: nobody knows what it does.
            continue
        for parameters in _parameters(properties, promotions):
            yield from PipelineNeeds(world, stack, properties, parameters).all()
        yield from _taken_on(world, f"{stack.name}: pipeline {logical_id}", properties["RoleArn"])
    yield from _of_rules(world)
    yield from _of_functions(world)
    yield from _of_builds(world)
    yield from _of_custom_resources(world)
    yield from _of_flow_logs(world)
    yield from _of_consumers(world)
    for promotion in promotions:
        yield from _of_promotion(world, promotion)


def _parameters(properties: Mapping[str, Any], promotions: list[Promotion]) -> list[dict[str, str]]:
    """The values that a pipeline's parameters without a default have: of a promotion's, one set for each image."""
    own = [item for item in promotions if item.pipeline == properties["PipelineName"]]
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
        yield from _taken_on(self._world, by, role)
        for needed in needed_by_role(image, vpc, request, **own):
            yield replace(self._access(by, role, needed), through=self._endpoint(vpc, needed.action))
        for access in (*self._files(call, by, role, model), *self._observation(call, by, role)):
            yield replace(access, through=self._endpoint(vpc, access.action))

    def _files(self, call: Call, by: str, role: str, model: Mapping[str, Any]) -> Iterator[Access]:
        request = call.request
        sources = [item["S3Input"]["S3Uri"] for item in request.get("ProcessingInputs", [])]
        sources += [item["DataSource"]["S3DataSource"]["S3Uri"] for item in request.get("InputDataConfig", [])]
        if call.api is TRANSFORM_API:
            sources.append(request["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"])
            yield from self._read(by, role, model["PrimaryContainer"]["ModelDataUrl"])
        for uri in sources:
            yield from self._read(by, role, uri)
        outputs = request.get("ProcessingOutputConfig", {})
        targets = [(item["S3Output"]["S3Uri"], outputs.get("KmsKeyId")) for item in outputs.get("Outputs", [])]
        for member in ("OutputDataConfig", "TransformOutput"):
            if found := request.get(member):
                targets.append((found["S3OutputPath"], found.get("KmsKeyId")))
        if checkpoints := request.get("CheckpointConfig"):
            uri = checkpoints["S3Uri"]
            yield from self._read(by, role, uri)
            yield Access(by=by, principal=role, action="s3:DeleteObject", resource=self._object(uri))
            targets.append((uri, None))
        for uri, key in targets:
            yield from self._write(by, role, uri, key)

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

    def _object(self, uri: str) -> str:
        return _object(self._stack, uri)

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


def read_accesses(world: World, stack: Stack, *, by: str, role: str, uri: str, listed: bool = True) -> Iterator[Access]:
    """What it takes to read what lies at a URI: list, get, and decrypt by way of S3."""
    bucket, key = S3Uri.parse(uri)
    if listed:
        arn = f"arn:{stack.partition}:s3:::{bucket}"
        yield Access(by=by, principal=role, action="s3:ListBucket", resource=arn, context={"s3:prefix": key})
    yield Access(by=by, principal=role, action="s3:GetObject", resource=_object(stack, uri))
    if owner_key := world.bucket_keys.get(bucket):
        yield _by_s3(stack, by, role, "kms:Decrypt", owner_key)


def write_accesses(world: World, stack: Stack, *, by: str, role: str, uri: str, key: str | None) -> Iterator[Access]:
    """What it takes to write under a URI, with a key or the bucket's own: large files go up in parts."""
    used = key or world.bucket_keys.get(S3Uri.parse(uri).bucket)
    context = {"s3:x-amz-server-side-encryption": "aws:kms"} if used else {}
    if used:
        context["s3:x-amz-server-side-encryption-aws-kms-key-id"] = used
    yield Access(by=by, principal=role, action="s3:PutObject", resource=_object(stack, uri), context=context)
    for action in ("s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"):
        yield Access(by=by, principal=role, action=action, resource=_object(stack, uri))
    if used:
        for action in ("kms:GenerateDataKey", "kms:Decrypt"):
            yield _by_s3(stack, by, role, action, used)


def _by_s3(stack: Stack, by: str, role: str, action: str, key: str) -> Access:
    region = key.split(":")[3]
    context = {"kms:ViaService": f"s3.{region}.{URL_SUFFIXES[stack.partition]}"}
    return Access(by=by, principal=role, action=action, resource=key, context=context)


def _object(stack: Stack, uri: str) -> str:
    bucket, key = S3Uri.parse(uri)
    name = key.rpartition("/")[2]
    whole = key if "." in name and name.endswith((".gz", ".json")) else f"{key.rstrip('/')}/file"
    return f"arn:{stack.partition}:s3:::{bucket}/{whole}"


def _taken_on(world: World, by: str, role: str, service: str = _SAGEMAKER) -> Iterator[Access]:
    """A role's trust is a policy on the role: the service must be let in."""
    if role in world.roles:
        account = world.roles[role].account
        yield Access(
            by=by, principal=service, action="sts:AssumeRole", resource=role, context={"aws:SourceAccount": account}
        )


def _of_rules(world: World) -> Iterator[Access]:
    """EventBridge delivers: to a bus with the target's role, to a queue as itself."""
    for stack, logical_id, properties in world.resources("AWS::Events::Rule"):
        by = f"{stack.name}: rule {logical_id}"
        for target in properties.get("Targets", []):
            if ":sqs:" in target["Arn"]:
                context = {"aws:SourceArn": world.resolver(stack).arn_of(logical_id)}
                yield Access(
                    by=by,
                    principal="events.amazonaws.com",
                    action="sqs:SendMessage",
                    resource=target["Arn"],
                    context=context,
                )
            if role := target.get("RoleArn"):
                yield from _taken_on(world, by, role, "events.amazonaws.com")
                service = str(target["Arn"]).split(":")[2]
                if action := _DELIVERY.get(service):
                    yield Access(by=by, principal=role, action=action, resource=target["Arn"])


def _of_functions(world: World) -> Iterator[Access]:
    """A function writes its log, and takes from the queue that it is fed by."""
    for stack, logical_id, properties in world.resources("AWS::Lambda::Function"):
        by, role = f"{stack.name}: function {logical_id}", properties["Role"]
        group = properties.get("LoggingConfig", {}).get("LogGroup")
        yield from _taken_on(world, by, role, "lambda.amazonaws.com")
        if group:
            arn = f"arn:{stack.partition}:logs:{stack.region}:{stack.account}:log-group:{group}:log-stream:a"
            for action in _LOGS:
                yield Access(by=by, principal=role, action=action, resource=arn)
        for other, _, mapping in world.resources("AWS::Lambda::EventSourceMapping"):
            fed = mapping.get("FunctionName") == world.resolver(stack).name_of(logical_id)
            if other is stack and fed and ":sqs:" in str(mapping.get("EventSourceArn")):
                for action in _QUEUE:
                    yield Access(by=by, principal=role, action=action, resource=mapping["EventSourceArn"])


def _signing(world: World, stack: Stack, repository: str) -> Iterator[str]:
    """The profiles that a push to a repository is signed by."""
    for owner, _, properties in world.resources("AWS::ECR::SigningConfiguration"):
        for rule in properties["Rules"] if (owner.account, owner.region) == (stack.account, stack.region) else ():
            filters = [item["Filter"] for item in rule.get("RepositoryFilters", [{"Filter": "*"}])]
            if any(fnmatchcase(repository, pattern) for pattern in filters):
                yield rule["SigningProfileArn"]


def _of_builds(world: World) -> Iterator[Access]:
    """A build takes its source, writes its log, pulls what it builds on, and pushes its image."""
    for stack, logical_id, properties in world.resources("AWS::CodeBuild::Project"):
        by, role, here = f"{stack.name}: build {logical_id}", properties["ServiceRole"], _here(stack)
        yield from _taken_on(world, by, role, "codebuild.amazonaws.com")
        log = properties.get("LogsConfig", {}).get("CloudWatchLogs", {}).get("GroupName")
        repository = _variables(properties).get("REPOSITORY_URI", "").partition("/")[2]
        source = properties["Source"]
        bucket, _, key = (source.get("Location", "") if source.get("Type") == "S3" else "").partition("/")
        prefix = f"arn:{stack.partition}"
        accesses = [(action, f"{prefix}:logs:{here}:log-group:{log}:log-stream:a") for action in _LOGS if log]
        if repository:
            accesses += [(f"ecr:{action}", f"{prefix}:ecr:{here}:repository/{repository}") for action in _PUSH]
            accesses.append(("ecr:GetAuthorizationToken", "*"))
            accesses += [(action, profile) for profile in _signing(world, stack, repository) for action in _SIGN]
        if key:
            accesses.append(("s3:GetObject", f"{prefix}:s3:::{bucket}/{key}"))
            accesses.append(("s3:GetBucketLocation", f"{prefix}:s3:::{bucket}"))
        for action, resource in accesses:
            yield Access(by=by, principal=role, action=action, resource=resource)


def _here(stack: Stack) -> str:
    return f"{stack.region}:{stack.account}"


def _variables(project: Mapping[str, Any]) -> dict[str, str]:
    return {item["Name"]: str(item["Value"]) for item in project["Environment"].get("EnvironmentVariables", [])}


def _of_custom_resources(world: World) -> Iterator[Access]:
    """What the functions behind the kit's own custom resources do for them."""
    functions = {
        world.resolver(stack).arn_of(name): (f"{stack.name}: function {name}", properties)
        for stack, name, properties in world.resources("AWS::Lambda::Function")
    }
    for stack, _, properties in world.resources("Custom::ImageBuild"):
        by, function = functions[properties["ServiceToken"]]
        role, key = function["Role"], function["Environment"]["Variables"]["KEY_ARN"]
        project = f"arn:{stack.partition}:codebuild:{_here(stack)}:project/{properties['ProjectName']}"
        repository = f"arn:{stack.partition}:ecr:{_here(stack)}:repository/{properties['RepositoryName']}"
        for action in ("codebuild:StartBuild", "codebuild:BatchGetBuilds"):
            yield Access(by=by, principal=role, action=action, resource=project)
        yield Access(by=by, principal=role, action="ecr:DescribeImages", resource=repository)
        for action in ("kms:Encrypt", "kms:Decrypt"):
            yield Access(by=by, principal=role, action=action, resource=key)
    for stack, _, properties in world.resources("Custom::JobLogs"):
        by, function = functions[properties["ServiceToken"]]
        role = function["Role"]
        yield Access(by=by, principal=role, action="logs:DescribeLogGroups", resource="*")
        actions = ["logs:CreateLogGroup", "logs:PutRetentionPolicy"]
        actions += ["logs:AssociateKmsKey"] if properties.get("KmsKeyId") else []
        for name in properties["LogGroupNames"]:
            arn = f"arn:{stack.partition}:logs:{_here(stack)}:log-group:{name}"
            for action in actions:
                yield Access(by=by, principal=role, action=action, resource=arn)


def _of_flow_logs(world: World) -> Iterator[Access]:
    """A flow log writes to its group, as the service."""
    for stack, logical_id, properties in world.resources("AWS::EC2::FlowLog"):
        role, group = properties.get("DeliverLogsPermissionArn"), properties.get("LogGroupName")
        if not role or not group:
            continue
        by = f"{stack.name}: flow log {logical_id}"
        yield from _taken_on(world, by, role, "vpc-flow-logs.amazonaws.com")
        arn = f"arn:{stack.partition}:logs:{_here(stack)}:log-group:{group}:log-stream:a"
        for action in ("logs:DescribeLogStreams", *_LOGS):
            yield Access(by=by, principal=role, action=action, resource=arn)


def _of_consumers(world: World) -> Iterator[Access]:
    """A role that serves another account's versions reads their archives and pulls their image."""
    for stack in world.stacks.values():
        for logical_id, resource in stack.template.get("Resources", {}).items():
            consumed = world.resolver(stack).value(resource.get("Metadata", {}).get(CONSUMES_METADATA))
            if not consumed:
                continue
            by, role = f"{stack.name}: consumer {logical_id}", world.resolver(stack).arn_of(logical_id)
            yield from _taken_on(world, by, role)
            for action in ("BatchCheckLayerAvailability", "BatchGetImage", "GetDownloadUrlForLayer"):
                yield Access(by=by, principal=role, action=f"ecr:{action}", resource=consumed["Repository"])
            yield Access(by=by, principal=role, action="ecr:GetAuthorizationToken", resource="*")
            source = source_of(world, group_of(consumed["Versions"]))
            if source is not None:
                bucket = source.buckets[PACKAGES.bucket]
                uri = str(S3Uri(bucket=bucket, key=PACKAGES.key("a", "model.tar.gz")))
                yield from read_accesses(world, source.stack, by=by, role=role, uri=uri, listed=False)


def _of_promotion(world: World, promotion: Promotion) -> Iterator[Access]:
    """The receiving function looks at the version, copies its files, and starts the pipeline or takes it back."""
    stack, by, role = promotion.stack, promotion.by, promotion.role
    for action, resource, context in promotion.calls():
        yield Access(by=by, principal=role, action=action, resource=resource, context=context)
    source = promotion.source
    if source is not None:
        for place, pattern in READ_BY_PROMOTION:
            uri = str(S3Uri(bucket=source.buckets[place.bucket], key=place.key(pattern.replace("*", "a"))))
            yield from read_accesses(world, source.stack, by=by, role=role, uri=uri)
    for uri in promotion.targets():
        yield from write_accesses(world, stack, by=by, role=role, uri=uri, key=promotion.key)
        yield from read_accesses(world, stack, by=by, role=role, uri=uri, listed=False)
