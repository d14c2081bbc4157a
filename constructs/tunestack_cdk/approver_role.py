"""The role of people who approve: they read what a version was judged by, and decide."""

from collections.abc import Sequence

from constructs import Construct

from tunestack.layout import Place
from tunestack_cdk.person_role import PersonRole, Workplace


class ApproverRole(PersonRole):
    """Approves and rejects versions; it brings and runs nothing, and writes nothing that a version is judged by."""

    def __init__(self, scope: Construct, construct_id: str, *, workplace: Workplace, reads: Sequence[Place]) -> None:
        super().__init__(scope, construct_id, workplace=workplace)
        self._allow_reading(reads)
        self._allow(["UpdateModelPackage"], self._versions)

    def allow_asking_for_promotions(self, bus_name: str) -> None:
        """Let them ask for a version of another environment by hand: it must be approved there all the same."""
        self._allow(["events:PutEvents"], self._arn("events", "event-bus", bus_name))
