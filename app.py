"""The CDK app: settings → stacks. `cdk deploy --all -c env=dev`."""

import gc
import sys

from aws_cdk import App
from tunestack_cdk.synthesis_checks import add_checks

from stacks.environment import add_environment
from tunestack.errors import UserError
from tunestack.planning.blueprint import blueprint_of
from tunestack.settings.loading import load_settings


def build(app: App) -> App:
    """Add the stacks of the environments that the context names (`-c env=dev`, `-c env=staging,prod`).

    `-c delivery=on` adds the pipeline that takes changes through them instead, `-c github=on` the roles of GitHub
    Actions.
    `-c allow=memory,budget,deadline` waives checks that would stop the synthesis, and records it. `-c packs=all` holds
    the stacks to every pack of rules (`make check`).
    """
    allow = [name for name in str(app.node.try_get_context("allow") or "").split(",") if name]
    if app.node.try_get_context("delivery"):
        # It brings a second of imports along, for what is deployed once.
        from tunestack_cdk.delivery_findings import ACCEPTED

        from stacks.delivery import add_delivery

        add_checks(app, accepted=ACCEPTED)
        add_delivery(app)
        return app
    add_checks(app)
    for name in str(app.node.get_context("env")).split(","):
        settings = load_settings(name)
        add_environment(app, blueprint_of(settings), allow=allow)
        if app.node.try_get_context("github"):
            from stacks.github import add_github_roles

            add_github_roles(app, settings)
    return app


def main() -> None:
    """What the CDK CLI runs."""
    try:
        build(App()).synth()
    except (UserError, ValueError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    # A process of four seconds that keeps what it makes: looking for garbage, now or at the end, is a tenth of it.
    gc.disable()
    main()
    gc.freeze()
