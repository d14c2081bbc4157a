"""Who a delivery pipeline starts a run as after a deployment: a trainer, whom one role of its account can take on."""

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from tunestack.layout import PLACES_FILLED_BY_JOBS, PLACES_FILLED_BY_PEOPLE
from tunestack_cdk.person_role import Workplace
from tunestack_cdk.trainer_role import TrainerRole


class SmokeRunRole(TrainerRole):
    """A trainer's role under a given name; `runner_name`, with its path, is the delivery's role that takes it on."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        workplace: Workplace,
        role_name: str,
        delivery_account: str,
        runner_name: str,
    ) -> None:
        runner = Stack.of(scope).format_arn(
            service="iam", region="", account=delivery_account, resource="role", resource_name=runner_name
        )
        only = {"ArnEquals": {"aws:PrincipalArn": runner}}
        super().__init__(
            scope,
            construct_id,
            workplace=workplace,
            brings=PLACES_FILLED_BY_PEOPLE,
            reads=PLACES_FILLED_BY_JOBS,
            role_name=role_name,
            assumed_by=iam.PrincipalWithConditions(iam.AccountPrincipal(delivery_account), only),
        )
