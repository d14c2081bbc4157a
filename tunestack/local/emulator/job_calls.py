"""Jobs: the SageMaker calls that create, describe and stop them. They run for real, on this machine."""

from collections.abc import Callable
from functools import partial
from typing import Any

from tunestack.definition.service_model import sagemaker
from tunestack.local.emulator.caller import Caller
from tunestack.local.emulator.requests import check_request
from tunestack.local.runner.errors import ApiError
from tunestack.local.runner.job import Job
from tunestack.local.runner.processing_job import ProcessingJob
from tunestack.local.runner.training_job import TrainingJob
from tunestack.local.runner.transform_job import TransformJob
from tunestack.permissions.job_role import needed_by_role

Request = dict[str, Any]
_JOBS: dict[str, type[Job]] = {job.api.noun: job for job in (ProcessingJob, TrainingJob, TransformJob)}

_RUNNING, _ENDED = ("InProgress", "Stopping"), ("Completed", "Failed", "Stopped")


class JobCalls:
    """The calls about jobs, for one caller (an AccountSageMaker)."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def actions(self) -> dict[str, Callable[[Request], Request]]:
        """The calls by the API's names."""
        calls = {
            "Create": self._create_job,
            "Delete": self._delete_job,
            "Describe": self._describe_job,
            "Stop": self._stop_job,
        }
        # Transform jobs can't be deleted.
        return {
            f"{verb}{noun}": partial(call, noun)
            for verb, call in calls.items()
            for noun in _JOBS
            if f"{verb}{noun}" in sagemaker().operation_names
        }

    def _create_job(self, noun: str, request: Request) -> Request:
        name = request[f"{noun}Name"]
        model = self._model(noun, request)
        check_request(f"Create{noun}", request, model=model)
        if self._caller.store.get(noun, name) is not None:
            raise ApiError("ResourceInUse", f"{noun} {name} already exists")
        arn = f"arn:aws:sagemaker:{self._caller.region}:{self._caller.account}:{_JOBS[noun].api.resource}/{name}"
        options: dict[str, Any] = {"model": model} if noun == "TransformJob" else {}
        role = self._caller.assume(request.get("RoleArn") or model["ExecutionRoleArn"], "SageMaker")
        needed = tuple(
            needed_by_role(
                image_of(noun, request, model),
                request.get("VpcConfig") or request.get("NetworkConfig", {}).get("VpcConfig") or model.get("VpcConfig"),
                request,
                account=self._caller.account,
                region=self._caller.region,
            )
        )
        request = {key: value for key, value in request.items() if key != f"{noun}Name"}
        job = _JOBS[noun](
            name,
            request,
            arn=arn,
            store=self._caller.store,
            clients=self._caller.clients(role),
            authorize=partial(self._caller.authorize, role.access_key, needed),
            host=self._caller.service.host,
            folder=self._caller.service.local.jobs_folder / name,
            **options,
        )
        self._caller.service.jobs[name] = job
        job.start()
        return {f"{noun}Arn": arn}

    def _model(self, noun: str, request: Request) -> Request:
        """The model that a transform uses; the service looks it up itself, without asking what the caller may do."""
        if noun != "TransformJob" or "ModelName" not in request:
            return {}
        found: Request = self._caller.called_by_service().call("DescribeModel", ModelName=request["ModelName"])
        return found

    def _describe_job(self, noun: str, request: Request) -> Request:
        name = request[f"{noun}Name"]
        record: Request | None = self._caller.store.get(noun, name)
        if record is None:
            raise ApiError("ValidationException", f"Requested resource not found: {noun} {name}")
        return record

    def _stop_job(self, noun: str, request: Request) -> Request:
        self._expect(noun, request, _RUNNING)
        job = self._caller.service.jobs.get(request[f"{noun}Name"])
        if job is not None:
            job.stop()
        return {}

    def _delete_job(self, noun: str, request: Request) -> Request:
        self._expect(noun, request, _ENDED)
        self._caller.store.delete(noun, request[f"{noun}Name"])
        return {}

    def _expect(self, noun: str, request: Request, statuses: tuple[str, ...]) -> None:
        status = self._describe_job(noun, request)[f"{noun}Status"]
        if status not in statuses:
            raise ApiError("ValidationException", f"The request was rejected because the {noun} is in status {status}.")


def image_of(noun: str, request: Request, model: Request) -> str:
    """The image that a job's container is started from."""
    if noun == "TransformJob":
        return str(model["PrimaryContainer"]["Image"])
    if noun == "ProcessingJob":
        return str(request["AppSpecification"]["ImageUri"])
    return str(request["AlgorithmSpecification"].get("TrainingImage", ""))
