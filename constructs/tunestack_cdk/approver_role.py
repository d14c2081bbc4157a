"""The role of people who approve: they read what a version was judged by, and decide."""

from collections.abc import Sequence

from aws_cdk import aws_iam as iam
from constructs import Construct

from tunestack.layout import Place
from tunestack_cdk.person_role import PersonRole, Workplace


class ApproverRole(PersonRole):
    """Approves and rejects versions; it brings and runs nothing, and writes nothing that a version is judged by.

    `metadata_keys` are what a version says of itself: the role can't change them. Of a version's containers IAM knows
    no condition.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        workplace: Workplace,
        reads: Sequence[Place],
        metadata_keys: Sequence[str],
        assumed_by: iam.IPrincipal,
    ) -> None:
        super().__init__(scope, construct_id, workplace=workplace, assumed_by=assumed_by)
        self._allow_reading(reads)
        unchanged = [f"sagemaker:CustomerMetadataProperties/{key}" for key in metadata_keys]
        unchanged += ["sagemaker:CustomerMetadataPropertiesToRemove", "sagemaker:ModelLifeCycle:Stage"]
        self._allow(
            ["UpdateModelPackage"],
            self._versions,
            conditions={
                "StringEquals": {"sagemaker:ModelApprovalStatus": ["Approved", "Rejected"]},
                "Null": dict.fromkeys(unchanged, "true"),
            },
        )

    def allow_asking_for_promotions(self, bus_name: str) -> None:
        """Let them ask for a version of another environment by hand: it must be approved there all the same."""
        self._allow(["events:PutEvents"], self._arn("events", "event-bus", bus_name))
