"""What the API's calls see of the service and of who calls it."""

from collections.abc import Iterable, MutableMapping
from typing import Any, Protocol

from tunestack.local.address import LocalAws
from tunestack.local.authorization.credentials import Credentials
from tunestack.local.emulator.moto_sagemaker import MotoSageMaker
from tunestack.local.runner.clients import Clients
from tunestack.local.runner.container import ContainerHost
from tunestack.local.runner.execution import Execution
from tunestack.local.runner.job import Job
from tunestack.local.runner.store import Store
from tunestack.permissions.calls import Needed


class Service(Protocol):
    """The SageMaker service of the local AWS: what all accounts share."""

    @property
    def local(self) -> LocalAws: ...
    @property
    def moto(self) -> MotoSageMaker: ...
    @property
    def host(self) -> ContainerHost: ...
    @property
    def executions(self) -> MutableMapping[str, Execution]: ...
    @property
    def jobs(self) -> MutableMapping[str, Job]: ...

    def call(self, action: str, **request: Any) -> dict[str, Any]:
        """One call as the account of the request that is being served."""
        ...

    def exists(self, action: str, **request: Any) -> bool:
        """Whether a Describe call finds something."""
        ...

    def forget_group(self, name: str) -> None:
        """Delete a model package group of that account."""
        ...


class Caller(Protocol):
    """One account in one region, which calls the service."""

    @property
    def service(self) -> Service: ...
    @property
    def account(self) -> str: ...
    @property
    def region(self) -> str: ...
    @property
    def store(self) -> Store: ...

    def call(self, action: str, **request: Any) -> dict[str, Any]:
        """Make a call from within."""
        ...

    def clients(self, credentials: Credentials) -> Clients:
        """Clients of the other services, with somebody's credentials."""
        ...

    def called_with(self, access_key: str) -> "Caller":
        """The same, authorized as the principal of an access key."""
        ...

    def called_by_service(self) -> "Caller":
        """The same, as the service itself."""
        ...

    def assume(self, role_arn: str, session_name: str) -> Credentials:
        """A session of a role, as this service takes it on."""
        ...

    def authorize(self, access_key: str, needed: Iterable[Needed]) -> None:
        """Refuse what a principal may not do."""
        ...
