"""The SageMaker API of the local AWS: executions and jobs are ours and run for real, all else is moto's."""

import asyncio
import json
import secrets
import string
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from tunestack.local.address import LocalAws
from tunestack.local.emulator.moto_sagemaker import MotoSageMaker
from tunestack.local.runner.clients import Clients
from tunestack.local.runner.container import ContainerHost
from tunestack.local.runner.errors import ApiError
from tunestack.local.runner.execution import Execution
from tunestack.local.runner.job import Job
from tunestack.local.runner.parameters import parameter_values
from tunestack.local.runner.processing_job import ProcessingJob
from tunestack.local.runner.store import Store
from tunestack.local.runner.training_job import TrainingJob
from tunestack.local.runner.transform_job import TransformJob
from tunestack.pipeline.validation.service_model import sagemaker
from tunestack.pipeline.validation.shapes import check_shape

Request = dict[str, Any]
PROJECT_ROOT = Path(__file__).parents[3]
_JOBS: dict[str, type[Job]] = {
    "ProcessingJob": ProcessingJob,
    "TrainingJob": TrainingJob,
    "TransformJob": TransformJob,
}
_ARN_NOUNS = {"ProcessingJob": "processing-job", "TrainingJob": "training-job", "TransformJob": "transform-job"}
_ID_LETTERS = string.ascii_lowercase + string.digits


class SageMakerService:
    """Mounted in ministack's router, so that one endpoint serves everything."""

    def __init__(self, local: LocalAws, port: int, *, jobs_docker_host: str | None) -> None:
        self._local = local
        self._port = port
        self._moto = MotoSageMaker()
        self._store = Store(local.executions_folder)
        self._store.fail_what_was_interrupted(time.time())
        self._host = ContainerHost(PROJECT_ROOT, docker_host=jobs_docker_host)
        self._executions: dict[str, Execution] = {}
        self._jobs: dict[str, Job] = {}

    def mount(self) -> None:
        """Let ministack's router send the SageMaker API here."""
        import ministack.app as ministack
        from ministack.core import router

        ministack.SERVICE_HANDLERS["sagemaker"] = self._serve
        router.SERVICE_PATTERNS["sagemaker"] = {
            "target_prefixes": ["SageMaker."],
            "host_patterns": [r"sagemaker\."],
        }

    def shut_down(self) -> None:
        """Stop what runs; jobs get their grace period."""
        for execution in self._executions.values():
            execution.stop()
        for job in self._jobs.values():
            job.stopping.set()
        for execution in self._executions.values():
            execution.join(timeout=10)

    # For the CloudFormation handlers, which run in a request's context.

    def call(self, action: str, **request: Any) -> dict[str, Any]:
        """One call as the account of the request that is being served."""
        from ministack.core.responses import get_account_id, get_region

        return self.account(get_account_id(), get_region()).call(action, **request)

    def exists(self, action: str, **request: Any) -> bool:
        """Whether a Describe call finds something."""
        try:
            self.call(action, **request)
        except (ApiError, ClientError):
            return False
        return True

    def forget_group(self, name: str) -> None:
        """Delete a model package group of the account of the request that is being served."""
        self.call("DeleteModelPackageGroup", ModelPackageGroupName=name)

    def account(self, account: str, region: str) -> "AccountSageMaker":
        """The API as one account in one region sees it."""
        return AccountSageMaker(self, account, region)

    async def _serve(self, method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
        from ministack.core.responses import get_account_id, get_region

        target = headers.get("x-amz-target", "")
        caller = self.account(get_account_id(), get_region())
        status, answer = await asyncio.to_thread(caller.answer, target, body)
        return status, {"Content-Type": "application/x-amz-json-1.1"}, answer


class AccountSageMaker:
    """One account's SageMaker in one region."""

    def __init__(self, service: SageMakerService, account: str, region: str) -> None:
        self._service, self._account, self._region = service, account, region
        self._store = service._store
        self._actions: dict[str, Callable[[Request], Request]] = {
            "CreateModel": self._create_model,
            "DeleteModelPackageGroup": self._delete_group,
            "DeleteModelPackageGroupPolicy": self._delete_group_policy,
            "DescribeModel": self._describe_model,
            "DescribePipelineDefinitionForExecution": self._describe_definition,
            "DescribePipelineExecution": self._describe_execution,
            "GetModelPackageGroupPolicy": self._get_group_policy,
            "ListPipelineExecutionSteps": self._list_steps,
            "ListPipelineExecutions": self._list_executions,
            "ListPipelineParametersForExecution": self._list_parameters,
            "PutModelPackageGroupPolicy": self._put_group_policy,
            "StartPipelineExecution": self._start_execution,
            "StopPipelineExecution": self._stop_execution,
        }
        for noun in _JOBS:
            self._actions[f"Create{noun}"] = partial(self._create_job, noun)
            self._actions[f"Describe{noun}"] = partial(self._describe_job, noun)
            self._actions[f"Stop{noun}"] = partial(self._stop_job, noun)

    def answer(self, target: str, body: bytes) -> tuple[int, bytes]:
        """Answer a raw request."""
        action = target.partition(".")[2]
        if action not in self._actions:
            return self._service._moto.raw(target, body, account=self._account, region=self._region)
        try:
            return 200, json.dumps(self._actions[action](json.loads(body or b"{}"))).encode()
        except ApiError as error:
            return 400, json.dumps({"__type": error.code, "message": str(error)}).encode()

    def call(self, action: str, **request: Any) -> dict[str, Any]:
        """Make a call from within.

        Raises:
            ApiError or ClientError: it is refused.
        """
        if action in self._actions:
            return self._actions[action](request)
        return self._service._moto.call(action, account=self._account, region=self._region, **request)

    # Pipeline executions

    def _start_execution(self, request: Request) -> Request:
        name = request["PipelineName"].rpartition("/")[2]
        token = request.get("ClientRequestToken")
        for record in self._own_executions():
            if token and record.get("ClientRequestToken") == token:
                return {"PipelineExecutionArn": record["PipelineExecutionArn"]}
        try:
            pipeline = self.call("DescribePipeline", PipelineName=name)
        except ClientError:
            raise ApiError("ResourceNotFound", f"Pipeline '{name}' does not exist") from None
        definition = json.loads(pipeline["PipelineDefinition"])
        values = parameter_values(definition.get("Parameters", []), request.get("PipelineParameters", []))
        execution_id = "".join(secrets.choice(_ID_LETTERS) for _ in range(12))
        arn = f"{pipeline['PipelineArn']}/execution/{execution_id}"
        now = time.time()
        self._store.put(
            "executions",
            execution_id,
            {
                "PipelineExecutionArn": arn,
                "PipelineArn": pipeline["PipelineArn"],
                "PipelineName": name,
                "Account": self._account,
                "Region": self._region,
                "ClientRequestToken": token,
                "PipelineExecutionDisplayName": request.get("PipelineExecutionDisplayName"),
                "Definition": pipeline["PipelineDefinition"],
                "Parameters": values,
                "GivenParameters": request.get("PipelineParameters", []),
                "Status": "Executing",
                "CreationTime": now,
                "LastModifiedTime": now,
                "Steps": [],
            },
        )
        execution = Execution(execution_id, store=self._store, sagemaker=self, s3=self._clients().s3)
        self._service._executions[execution_id] = execution
        execution.start()
        return {"PipelineExecutionArn": arn}

    def _stop_execution(self, request: Request) -> Request:
        record = self._execution(request)
        if record["Status"] != "Executing":
            raise ApiError("ConflictException", f"the execution is {record['Status']}, not Executing")
        self._service._executions[_id_of(record["PipelineExecutionArn"])].stop()
        return {"PipelineExecutionArn": record["PipelineExecutionArn"]}

    def _describe_execution(self, request: Request) -> Request:
        record = self._execution(request)
        answer = {
            "PipelineArn": record["PipelineArn"],
            "PipelineExecutionArn": record["PipelineExecutionArn"],
            "PipelineExecutionDisplayName": record["PipelineExecutionDisplayName"],
            "PipelineExecutionStatus": record["Status"],
            "FailureReason": record.get("FailureReason"),
            "CreationTime": record["CreationTime"],
            "LastModifiedTime": record["LastModifiedTime"],
        }
        return {key: value for key, value in answer.items() if value is not None}

    def _describe_definition(self, request: Request) -> Request:
        record = self._execution(request)
        return {"PipelineDefinition": record["Definition"], "CreationTime": record["CreationTime"]}

    def _list_executions(self, request: Request) -> Request:
        name = request["PipelineName"].rpartition("/")[2]
        records = [record for record in self._own_executions() if record["PipelineName"] == name]
        records.sort(key=lambda record: record["CreationTime"], reverse=request.get("SortOrder") != "Ascending")
        summaries = [
            {
                "PipelineExecutionArn": record["PipelineExecutionArn"],
                "StartTime": record["CreationTime"],
                "PipelineExecutionStatus": record["Status"],
            }
            for record in records[: request.get("MaxResults", 100)]
        ]
        return {"PipelineExecutionSummaries": summaries}

    def _list_steps(self, request: Request) -> Request:
        steps = self._execution(request)["Steps"]
        if request.get("SortOrder") != "Ascending":
            steps = list(reversed(steps))
        return {"PipelineExecutionSteps": [{k: v for k, v in step.items() if k != "StepType"} for step in steps]}

    def _list_parameters(self, request: Request) -> Request:
        return {"PipelineParameters": self._execution(request)["GivenParameters"]}

    def _own_executions(self) -> list[Request]:
        records = self._store.all("executions")
        return [record for record in records if (record["Account"], record["Region"]) == (self._account, self._region)]

    def _execution(self, request: Request) -> Request:
        arn = request["PipelineExecutionArn"]
        record = self._store.get("executions", _id_of(arn))
        if record is None or record["PipelineExecutionArn"] != arn or record["Account"] != self._account:
            raise ApiError("ResourceNotFound", f"Pipeline execution '{arn}' does not exist")
        return record

    # Jobs

    def _create_job(self, noun: str, request: Request) -> Request:
        name = request[f"{noun}Name"]
        shape = sagemaker().operation_model(f"Create{noun}").input_shape
        assert shape is not None
        problems = [str(finding) for finding in check_shape(shape, request, noun, {})]
        if problems:
            raise ApiError("ValidationException", "; ".join(problems))
        if self._store.get(noun, name) is not None:
            raise ApiError("ResourceInUse", f"{noun} {name} already exists")
        arn = f"arn:aws:sagemaker:{self._region}:{self._account}:{_ARN_NOUNS[noun]}/{name}"
        options: dict[str, Any] = {}
        if noun == "TransformJob":
            options["describe_model"] = lambda model: self.call("DescribeModel", ModelName=model)
        request = {key: value for key, value in request.items() if key != f"{noun}Name"}
        job = _JOBS[noun](
            name,
            request,
            arn=arn,
            store=self._store,
            clients=self._clients(),
            host=self._service._host,
            folder=self._service._local.jobs_folder / name,
            **options,
        )
        self._service._jobs[name] = job
        job.start()
        return {f"{noun}Arn": arn}

    def _describe_job(self, noun: str, request: Request) -> Request:
        name = request[f"{noun}Name"]
        record = self._store.get(noun, name)
        if record is None:
            raise ApiError("ValidationException", f"Requested resource not found: {noun} {name}")
        return record

    def _stop_job(self, noun: str, request: Request) -> Request:
        self._describe_job(noun, request)
        job = self._service._jobs.get(request[f"{noun}Name"])
        if job is not None:
            job.stop()
        return {}

    def _clients(self) -> Clients:
        url = f"http://localhost:{self._service._port}"
        return Clients(endpoint_url=url, account=self._account, region=self._region)

    # What moto's models and groups lack

    def _moto_call(self, action: str, request: Request) -> Request:
        try:
            return self._service._moto.call(action, account=self._account, region=self._region, **request)
        except ClientError as error:
            raise ApiError(error.response["Error"]["Code"], error.response["Error"]["Message"]) from None

    def _create_model(self, request: Request) -> Request:
        made = self._moto_call("CreateModel", request)
        isolated = {"EnableNetworkIsolation": request.get("EnableNetworkIsolation", False)}
        self._store.put("models", self._key(request["ModelName"]), isolated)
        return made

    def _describe_model(self, request: Request) -> Request:
        return self._moto_call("DescribeModel", request) | (
            self._store.get("models", self._key(request["ModelName"])) or {}
        )

    def _put_group_policy(self, request: Request) -> Request:
        name = request["ModelPackageGroupName"]
        self._store.put("group-policies", self._key(name), {"ResourcePolicy": request["ResourcePolicy"]})
        described = self._moto_call("DescribeModelPackageGroup", {"ModelPackageGroupName": name})
        return {"ModelPackageGroupArn": described["ModelPackageGroupArn"]}

    def _get_group_policy(self, request: Request) -> Request:
        policy = self._store.get("group-policies", self._key(request["ModelPackageGroupName"]))
        if policy is None:
            raise ApiError("ValidationException", "Cannot find a resource policy of the model package group")
        return policy

    def _delete_group_policy(self, request: Request) -> Request:
        self._store.delete("group-policies", self._key(request["ModelPackageGroupName"]))
        return {}

    def _delete_group(self, request: Request) -> Request:
        self._delete_group_policy(request)
        name = request["ModelPackageGroupName"]
        self._service._moto.forget_group(name, account=self._account, region=self._region)
        return {}

    def _key(self, name: str) -> str:
        return f"{self._account}.{self._region}.{name}"


def _id_of(arn: str) -> str:
    return str(arn).rpartition("/")[2]
