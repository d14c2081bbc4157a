"""The role of people on call: they see what runs, what failed and why."""

from aws_cdk import aws_iam as iam
from constructs import Construct

from tunestack_cdk.person_role import PersonRole, Workplace


class OperatorRole(PersonRole):
    """Looks at executions, jobs, logs and stacks; it reads no data and no model, and changes nothing."""

    def __init__(
        self, scope: Construct, construct_id: str, *, workplace: Workplace, assumed_by: iam.IPrincipal
    ) -> None:
        super().__init__(scope, construct_id, workplace=workplace, assumed_by=assumed_by)
        self._allow_jobs_and_logs()
        self._allow(["cloudformation:DescribeStackEvents", "cloudformation:DescribeStackResources"], self._stacks)
