"""The SageMaker API of the local AWS: executions and jobs are ours and run for real, all else is moto's."""

import asyncio
import json
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

from botocore.exceptions import ClientError

from tunestack.local.address import LocalAws
from tunestack.local.authorization.credentials import Credentials, assume_as_service
from tunestack.local.authorization.enforcement import Enforcement
from tunestack.local.emulator.execution_calls import ExecutionCalls
from tunestack.local.emulator.job_calls import JobCalls
from tunestack.local.emulator.list_calls import ListCalls
from tunestack.local.emulator.model_calls import ModelCalls
from tunestack.local.emulator.moto_sagemaker import MotoSageMaker
from tunestack.local.emulator.requests import by_name, check_call, owner_of, shaped
from tunestack.local.emulator.tag_calls import TagCalls
from tunestack.local.runner.clients import Clients
from tunestack.local.runner.container import ContainerHost
from tunestack.local.runner.errors import ApiError
from tunestack.local.runner.execution import Execution
from tunestack.local.runner.job import Job
from tunestack.local.runner.store import Store
from tunestack.permissions.arn import Owner
from tunestack.permissions.calls import Needed, needed_by

PROJECT_ROOT = Path(__file__).parents[3]


class SageMakerService:
    """Mounted in ministack's router, so that one endpoint serves everything."""

    def __init__(self, local: LocalAws, port: int, *, enforcement: Enforcement, jobs_docker_host: str | None) -> None:
        self.enforcement = enforcement
        enforcement.group_policy = self._group_policy
        self.local = local
        self.port = port
        self.moto = MotoSageMaker(local.home / "state" / "moto-sagemaker.pickle")
        self.store = Store(local.executions_folder)
        self.store.fail_what_was_interrupted(time.time())
        self.host = ContainerHost(PROJECT_ROOT, docker_host=jobs_docker_host)
        # Those that run: their threads keep them.
        self.executions = WeakValueDictionary[str, Execution]()
        self.jobs = WeakValueDictionary[str, Job]()

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

    def _group_policy(self, arn: str) -> tuple[str, str] | None:
        """The policy of the group that a version or a group belongs to, with its owner."""
        kind, _, rest = arn.rpartition(":")[2].partition("/")
        if not kind.startswith("model-package"):
            return None
        owner = Owner.of(arn)
        assert owner is not None
        kept = self.store.get("group-policies", f"{owner.account}.{owner.region}.{rest.partition('/')[0]}") or {}
        return kept.get("ResourcePolicy", ""), owner.account

    async def _serve(self, method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
        from ministack.core.responses import get_account_id, get_region
        from ministack.core.router import extract_access_key_id

        target = headers.get("x-amz-target", "")
        caller = self.account(get_account_id(), get_region()).called_with(extract_access_key_id(headers, query))
        status, answer = await asyncio.to_thread(caller.answer, target, body)
        return status, {"Content-Type": "application/x-amz-json-1.1"}, answer


class AccountSageMaker:
    """One account's SageMaker in one region, as somebody calls it: with no access key, as the account's root."""

    def __init__(self, service: SageMakerService, account: str, region: str, *, access_key: str | None = None) -> None:
        self.service, self.account, self.region = service, account, region
        self._access_key = access_key
        self.store = service.store
        self._actions = {
            **ExecutionCalls(self).actions(),
            **JobCalls(self).actions(),
            **ListCalls(self).actions(),
            **ModelCalls(self).actions(),
            **TagCalls(self).actions(),
        }

    def called_with(self, access_key: str) -> "AccountSageMaker":
        """The same, authorized as the principal of an access key."""
        return AccountSageMaker(self.service, self.account, self.region, access_key=access_key)

    def called_by_service(self) -> "AccountSageMaker":
        """The same, as the service itself: nothing is authorized."""
        return AccountSageMaker(self.service, self.account, self.region)

    def assume(self, role_arn: str, session_name: str) -> Credentials:
        """A session of a role, as this service takes it on.

        Raises:
            ApiError: its trust policy doesn't let the service in.
        """
        if not self.service.enforcement.enabled:
            return Credentials.of_account(self.account)
        return assume_as_service(role_arn, account=self.account, region=self.region, session_name=session_name)

    def authorize(self, access_key: str, needed: Iterable[Needed]) -> None:
        """Refuse what a principal may not do.

        Raises:
            ApiError: AccessDeniedException.
        """
        for item in needed:
            self.service.enforcement.check(
                access_key, item.action, item.resource, account=self.account, region=self.region, context=item.context
            )

    def answer(self, target: str, body: bytes) -> tuple[int, bytes]:
        """Answer a raw request."""
        action = target.partition(".")[2]
        try:
            request = json.loads(body or b"{}")
            check_call(action, request)
            return 200, json.dumps(shaped(action, self.call(action, **request))).encode()
        except ApiError as error:
            code, message = error.code, str(error)
        except ClientError as error:
            code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
        return 400, json.dumps({"__type": code, "message": message}).encode()

    def call(self, action: str, **request: Any) -> dict[str, Any]:
        """Make a call from within.

        Raises:
            ApiError or ClientError: it is refused.
        """
        self._authorize_call(action, request)
        owner = owner_of(request) or (self.account, self.region)
        if owner != (self.account, self.region):
            return self.service.account(*owner).call(action, **request)
        request = by_name(request)
        if action in self._actions:
            return self._actions[action](request)
        return self.service.moto.call(action, account=self.account, region=self.region, **request)

    def clients(self, credentials: Credentials) -> Clients:
        """The runner's clients of the other services, with somebody's credentials."""
        return Clients(
            endpoint_url=f"http://localhost:{self.service.port}", credentials=credentials, region=self.region
        )

    def _authorize_call(self, action: str, request: dict[str, Any]) -> None:
        if self._access_key is not None:
            self.authorize(self._access_key, needed_by(action, request, account=self.account, region=self.region))
