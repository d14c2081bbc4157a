"""The SageMaker API of the local AWS: executions and jobs are ours and run for real, all else is moto's."""

import asyncio
import json
import time
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from tunestack.local.address import LocalAws
from tunestack.local.emulator.execution_calls import ExecutionCalls
from tunestack.local.emulator.job_calls import JobCalls
from tunestack.local.emulator.model_calls import ModelCalls
from tunestack.local.emulator.moto_sagemaker import MotoSageMaker
from tunestack.local.runner.clients import Clients
from tunestack.local.runner.container import ContainerHost
from tunestack.local.runner.errors import ApiError
from tunestack.local.runner.execution import Execution
from tunestack.local.runner.job import Job
from tunestack.local.runner.store import Store

PROJECT_ROOT = Path(__file__).parents[3]


class SageMakerService:
    """Mounted in ministack's router, so that one endpoint serves everything."""

    def __init__(self, local: LocalAws, port: int, *, jobs_docker_host: str | None) -> None:
        self.local = local
        self.port = port
        self.moto = MotoSageMaker()
        self.store = Store(local.executions_folder)
        self.store.fail_what_was_interrupted(time.time())
        self.host = ContainerHost(PROJECT_ROOT, docker_host=jobs_docker_host)
        self.executions: dict[str, Execution] = {}
        self.jobs: dict[str, Job] = {}

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
        for execution in self.executions.values():
            execution.stop()
        for job in self.jobs.values():
            job.stopping.set()
        for execution in self.executions.values():
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
        self.service, self.account, self.region = service, account, region
        self.store = service.store
        self._actions = {
            **ExecutionCalls(self).actions(),
            **JobCalls(self).actions(),
            **ModelCalls(self).actions(),
        }

    def answer(self, target: str, body: bytes) -> tuple[int, bytes]:
        """Answer a raw request."""
        action = target.partition(".")[2]
        if action not in self._actions:
            return self.service.moto.raw(target, body, account=self.account, region=self.region)
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
        return self.service.moto.call(action, account=self.account, region=self.region, **request)

    def clients(self) -> Clients:
        """The runner's clients of the other services, as this account."""
        url = f"http://localhost:{self.service.port}"
        return Clients(endpoint_url=url, account=self.account, region=self.region)
