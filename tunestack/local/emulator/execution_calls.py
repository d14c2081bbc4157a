"""Pipeline executions: the SageMaker calls that start, stop and describe them."""

import json
import secrets
import string
import time
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from tunestack.local.authorization.credentials import Credentials
from tunestack.local.emulator.caller import Caller
from tunestack.local.emulator.list_calls import page
from tunestack.local.runner.errors import ApiError
from tunestack.local.runner.execution import Execution
from tunestack.local.runner.parameters import parameter_values

Request = dict[str, Any]
_ID_LETTERS = string.ascii_lowercase + string.digits


class ExecutionCalls:
    """The calls about executions, for one caller (an AccountSageMaker)."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def actions(self) -> dict[str, Callable[[Request], Request]]:
        """The calls by the API's names."""
        return {
            "DescribePipelineDefinitionForExecution": self._describe_definition,
            "DescribePipelineExecution": self._describe_execution,
            "ListPipelineExecutionSteps": self._list_steps,
            "ListPipelineExecutions": self._list_executions,
            "ListPipelineParametersForExecution": self._list_parameters,
            "RetryPipelineExecution": self._retry_execution,
            "StartPipelineExecution": self._start_execution,
            "StopPipelineExecution": self._stop_execution,
        }

    def _start_execution(self, request: Request) -> Request:
        name = request["PipelineName"]
        token = request.get("ClientRequestToken")
        for record in self._own_executions():
            if token and record.get("ClientRequestToken") == token:
                return {"PipelineExecutionArn": record["PipelineExecutionArn"]}
        pipeline = self._pipeline(name)
        definition = json.loads(pipeline["PipelineDefinition"])
        role = self._caller.assume(pipeline["RoleArn"], "SageMakerPipelines")
        values = parameter_values(definition.get("Parameters", []), request.get("PipelineParameters", []))
        execution_id = "".join(secrets.choice(_ID_LETTERS) for _ in range(12))
        arn = f"{pipeline['PipelineArn']}/execution/{execution_id}"
        now = time.time()
        self._caller.store.put(
            "executions",
            execution_id,
            {
                "PipelineExecutionArn": arn,
                "PipelineArn": pipeline["PipelineArn"],
                "PipelineName": name,
                "Account": self._caller.account,
                "Region": self._caller.region,
                "ClientRequestToken": token,
                "PipelineExecutionDisplayName": request.get("PipelineExecutionDisplayName"),
                "PipelineExecutionDescription": request.get("PipelineExecutionDescription"),
                "Definition": pipeline["PipelineDefinition"],
                "Parameters": values,
                "GivenParameters": request.get("PipelineParameters", []),
                "Status": "Executing",
                "CreationTime": now,
                "LastModifiedTime": now,
                "Steps": [],
            },
        )
        self._run(execution_id, role)
        return {"PipelineExecutionArn": arn}

    def _run(self, execution_id: str, role: Credentials) -> None:
        execution = Execution(
            execution_id,
            store=self._caller.store,
            sagemaker=self._caller.called_with(role.access_key),
            s3=self._caller.clients(role).s3,
        )
        self._caller.service.executions[execution_id] = execution
        execution.start()

    def _retry_execution(self, request: Request) -> Request:
        """What failed or was stopped runs again, with the definition and the parameters that it had."""
        record = self._execution(request)
        status, execution_id = record["Status"], _id_of(record["PipelineExecutionArn"])
        if status not in ("Failed", "Stopped"):
            raise ApiError("ConflictException", f"it is {status}, and only a failed or stopped execution is retried")
        role = self._caller.assume(self._pipeline(record["PipelineName"])["RoleArn"], "SageMakerPipelines")
        changes: Request = {"Status": "Executing", "FailureReason": None, "LastModifiedTime": time.time()}
        self._caller.store.update("executions", execution_id, **changes)
        self._run(execution_id, role)
        return {"PipelineExecutionArn": record["PipelineExecutionArn"]}

    def _stop_execution(self, request: Request) -> Request:
        record = self._execution(request)
        if record["Status"] != "Executing":
            raise ApiError("ConflictException", f"the execution is {record['Status']}, not Executing")
        # What has ended in this very moment is gone.
        if execution := self._caller.service.executions.get(_id_of(record["PipelineExecutionArn"])):
            execution.stop()
        return {"PipelineExecutionArn": record["PipelineExecutionArn"]}

    def _describe_execution(self, request: Request) -> Request:
        record = self._execution(request)
        answer = {
            "PipelineArn": record["PipelineArn"],
            "PipelineExecutionArn": record["PipelineExecutionArn"],
            "PipelineExecutionDisplayName": record["PipelineExecutionDisplayName"],
            "PipelineExecutionDescription": record.get("PipelineExecutionDescription"),
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
        name = request["PipelineName"]
        self._pipeline(name)
        records = [record for record in self._own_executions() if record["PipelineName"] == name]
        records.sort(key=lambda record: record["CreationTime"], reverse=request.get("SortOrder") != "Ascending")
        summaries = [
            {
                "PipelineExecutionArn": record["PipelineExecutionArn"],
                "StartTime": record["CreationTime"],
                "PipelineExecutionStatus": record["Status"],
                "PipelineExecutionDisplayName": record["PipelineExecutionDisplayName"],
                "PipelineExecutionDescription": record.get("PipelineExecutionDescription"),
            }
            for record in records
        ]
        given = [{key: value for key, value in item.items() if value is not None} for item in summaries]
        return page("PipelineExecutionSummaries", given, request)

    def _list_steps(self, request: Request) -> Request:
        steps = self._execution(request)["Steps"]
        if request.get("SortOrder") != "Ascending":
            steps = list(reversed(steps))
        return page("PipelineExecutionSteps", steps, request)

    def _list_parameters(self, request: Request) -> Request:
        return page("PipelineParameters", self._execution(request)["GivenParameters"], request)

    def _pipeline(self, name: str) -> Request:
        try:
            found: Request = self._caller.called_by_service().call("DescribePipeline", PipelineName=name)
        except ClientError:
            raise ApiError("ResourceNotFound", f"Pipeline '{name}' does not exist") from None
        return found

    def _own_executions(self) -> list[Request]:
        records = self._caller.store.all("executions")
        return [
            record
            for record in records
            if (record["Account"], record["Region"]) == (self._caller.account, self._caller.region)
        ]

    def _execution(self, request: Request) -> Request:
        arn = request["PipelineExecutionArn"]
        record: Request | None = self._caller.store.get("executions", _id_of(arn))
        if record is None or record["PipelineExecutionArn"] != arn or record["Account"] != self._caller.account:
            raise ApiError("ResourceNotFound", f"Pipeline execution '{arn}' does not exist")
        return record


def _id_of(arn: str) -> str:
    return str(arn).rpartition("/")[2]
