"""ministack's ASGI application with the SageMaker service, our resource handlers and crash-safe state."""

import asyncio
from typing import Any

from tunestack.local.address import LocalAws


def build_application(local: LocalAws, port: int, *, enforce: bool, jobs_docker_host: str | None) -> Any:
    """Put the emulator together. ministack's settings must be in the environment already."""
    import ministack.app as ministack

    from tunestack.local.authorization.enforcement import Enforcement
    from tunestack.local.authorization.ledger import Ledger
    from tunestack.local.authorization.other_accounts import reach_other_accounts
    from tunestack.local.authorization.s3_encryption import ask_kms
    from tunestack.local.cloudformation import register_handlers
    from tunestack.local.emulator.events import deliver_to_other_accounts
    from tunestack.local.emulator.logs import amend_logs
    from tunestack.local.emulator.s3 import amend_s3
    from tunestack.local.emulator.sagemaker_service import SageMakerService
    from tunestack.local.emulator.state import EmulatorState

    enforcement = Enforcement(Ledger(local.ledger_file), enabled=enforce)
    enforcement.install()
    service = SageMakerService(local, port, enforcement=enforcement, jobs_docker_host=jobs_docker_host)
    service.mount()
    reach_other_accounts(enforcement)
    deliver_to_other_accounts(enforcement)
    amend_logs(local.logs_folder)
    amend_s3()
    ask_kms(enforcement)
    register_handlers(service, enforcement)
    state = EmulatorState()
    state.repair_interrupted_stacks_on_load()

    async def application(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await ministack.app(scope, receive, _lifespan_send(state, service, send))
            return
        try:
            await ministack.app(scope, receive, send)
        finally:
            if scope.get("method") not in ("GET", "HEAD"):
                state.mark_changed()

    return application


def _lifespan_send(state: Any, service: Any, send: Any) -> Any:
    tasks: list[asyncio.Task[None]] = []

    async def wrapped(message: Any) -> None:
        if message["type"] == "lifespan.startup.complete":
            tasks.append(asyncio.create_task(state.save_regularly()))
        elif message["type"] == "lifespan.shutdown.complete":
            for task in tasks:
                task.cancel()
            service.shut_down()
            state.save()
        await send(message)

    return wrapped
