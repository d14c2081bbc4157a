"""The server process: `python -m tunestack.local.emulator.serve HOME PORT [--no-enforce]`."""

import asyncio
import os
import sys
from pathlib import Path

from tunestack.local.address import OF_A_REAL_ACCOUNT, LocalAws, around_proxies


def configure_ministack(local: LocalAws, port: int, *, enforce: bool) -> None:
    """Set what ministack reads at import. State lies under the local AWS's folder; no Docker, one port."""
    state = local.home / "state"
    state.mkdir(parents=True, exist_ok=True)
    os.environ.update(
        around_proxies(),
        AUTH=str(enforce).lower(),
        BIND_HOST="127.0.0.1",
        GATEWAY_PORT=str(port),
        IOT_MTLS_ENABLED="0",
        SFTP_ENABLED="0",
        LAMBDA_EXECUTOR="local",
        PERSIST_STATE="1",
        STATE_DIR=str(state),
        S3_PERSIST="1",
        S3_DATA_DIR=str(state / "s3"),
    )


def main() -> None:
    """Serve until SIGTERM; state is saved while serving and at the end."""
    local, port = LocalAws(home=Path(sys.argv[1])), int(sys.argv[2])
    enforce = "--no-enforce" not in sys.argv[3:]
    for name in OF_A_REAL_ACCOUNT:
        os.environ.pop(name, None)
    configure_ministack(local, port, enforce=enforce)
    # The jobs' Docker is ours; ministack must not look for containers of its own.
    jobs_docker_host = os.environ.pop("DOCKER_HOST", None)
    os.environ["DOCKER_HOST"] = "unix:///nonexistent"

    from hypercorn.asyncio import serve
    from hypercorn.config import Config

    from tunestack.local.emulator.application import build_application

    application = build_application(local, port, enforce=enforce, jobs_docker_host=jobs_docker_host)
    config = Config()
    config.bind = [f"127.0.0.1:{port}"]
    config.keep_alive_timeout = 75
    asyncio.run(serve(application, config))


if __name__ == "__main__":
    main()
