"""What binds every role of an environment, and who may take on those for people."""

from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from tunestack.settings.section import Section
from tunestack.settings.values import (
    CDK_QUALIFIER,
    Account,
    BoundaryName,
    PersonArn,
    Qualifier,
    RoleArn,
    RolePath,
    each_once,
)


class People(Section):
    """Who may take on the roles for people: IAM roles and users of the account, by ARN; what IAM Identity Center makes
    by its beginning (`arn:aws:iam::ACCOUNT:role/aws-reserved/sso.amazonaws.com/REGION/AWSReservedSSO_Approver_*`).

    Empty: whoever has the tag PROJECT-ENVIRONMENT (`tunestack-dev`) with the role's name as its value. A principal has
    one value of it: nobody is two of them in an environment.
    """

    trainers: Annotated[list[PersonArn], Field(max_length=20), AfterValidator(each_once)] = []
    """Who brings data and models and runs the pipeline. Tag: `trainer`."""
    approvers: Annotated[list[PersonArn], Field(max_length=20), AfterValidator(each_once)] = []
    """Who approves and rejects versions. Tag: `approver`."""
    operators: Annotated[list[PersonArn], Field(max_length=20), AfterValidator(each_once)] = []
    """Who looks at what runs and what failed. Tag: `operator`."""

    @model_validator(mode="after")
    def _nobody_approves_what_they_made(self) -> "People":
        both = [arn for arn in self.approvers if _covered(arn, self.trainers)]
        both += [arn for arn in self.trainers if _covered(arn, self.approvers)]
        if both:
            raise ValueError(f"trainers and approvers: {both[0]} is both, and would approve what it made")
        return self


def _covered(arn: str, patterns: list[str]) -> bool:
    """Whether one of the patterns takes in all of what an ARN, or a pattern, stands for."""
    return any(arn == pattern or (pattern.endswith("*") and arn.startswith(pattern[:-1])) for pattern in patterns)


class Security(Section):
    """What binds every role of an environment."""

    permissions_boundary: BoundaryName | None = None
    """The IAM policy in the account that bounds every role, by its name, after its path if it has one
    (`landing-zone/TeamBoundary`)."""
    role_path: RolePath = "/"
    """The path of every role that the stacks make, where one is prescribed. Names begin with `project`."""
    key_administrators: Annotated[list[RoleArn], Field(max_length=20), AfterValidator(each_once)] = []
    """Roles, by ARN, that alone may change, switch off or delete the environment's key, beside the bootstrap's own for
    CloudFormation; they can't use it by that. Empty: whoever the account's IAM lets."""
    bootstrap_qualifier: Qualifier = CDK_QUALIFIER
    """The qualifier that the account was bootstrapped with (`cdk bootstrap --qualifier`)."""
    people: People = People()
    """Who may take on which of the roles for people."""
    delivery_account: Account | None = None
    """The delivery pipeline's account, where it may start a run after a deployment (`smoke_run`)."""
