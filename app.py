"""The CDK app: settings → stacks. `cdk deploy --all -c env=dev`."""

import gc
import sys

from aws_cdk import App
from tunestack_cdk.synthesis_checks import add_checks

from stacks.environment import accounts_named_by, add_environment
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
        from tunestack.settings.delivery import load_delivery

        delivery, delivered = load_delivery()
        named = accounts_named_by(delivered.values())
        add_checks(app, accepted=ACCEPTED, known_accounts=named.known, consumer_accounts=named.consumers)
        add_delivery(app, delivery, delivered)
        return app
    environments = [load_settings(name) for name in str(app.node.get_context("env")).split(",")]
    named = accounts_named_by(environments)
    add_checks(app, known_accounts=named.known, consumer_accounts=named.consumers)
    for settings in environments:
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
