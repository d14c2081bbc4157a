"""The role of people on call: they see what runs, what failed and why."""

from constructs import Construct

from tunestack_cdk.person_role import PersonRole, Workplace


class OperatorRole(PersonRole):
    """Looks at executions, jobs, logs and stacks; it reads no data and no model, and changes nothing."""

    def __init__(self, scope: Construct, construct_id: str, *, workplace: Workplace) -> None:
        super().__init__(scope, construct_id, workplace=workplace)
        self._allow_jobs_and_logs()
        self._allow(["cloudformation:DescribeStackEvents", "cloudformation:DescribeStackResources"], self._stacks)
