"""The other end of a promotion: what one environment must know of another, with nothing of it deployed yet."""

from collections.abc import Iterable
from dataclasses import dataclass

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_iam as iam


@dataclass(frozen=True, kw_only=True)
class PromotionPartner:
    """An environment that versions go to or come from: where it is, and what it calls its parts."""

    account: str
    region: str
    promotion_name: str
    """Of its event bus."""
    receiver_role_name: str
    """Of the role of the function that takes versions in, with its path."""
    group_name: str
    repository_name: str
    """Of its inference images."""
    takes_exams_along: bool = False
    """Whether it takes along what a version was judged by."""
    looks_at_findings: bool = False
    looks_at_signatures: bool = False
    """Whether it looks at an image's scan, and at its signature."""

    def bus_arn(self, stack: Stack) -> str:
        return self._arn(stack, "events", "event-bus", self.promotion_name)

    def receiver_role_arn(self, stack: Stack) -> str:
        """The role that reads a version and copies it."""
        return stack.format_arn(
            service="iam", account=self.account, region="", resource="role", resource_name=self.receiver_role_name
        )

    def versions_arn(self, stack: Stack) -> str:
        return self._arn(stack, "sagemaker", "model-package", f"{self.group_name}/*")

    def repository_arn(self, stack: Stack) -> str:
        return self._arn(stack, "ecr", "repository", self.repository_name)

    def repository_uri(self, stack: Stack) -> str:
        return f"{self.account}.dkr.ecr.{self.region}.{stack.url_suffix}/{self.repository_name}"

    def signing_profiles(self, stack: Stack) -> str:
        """What the ARNs of its account's signing profiles begin with."""
        return f"arn:{stack.partition}:signer:{self.region}:{self.account}:/signing-profiles/"

    def keys_arn(self, stack: Stack) -> str:
        """Every key of its account: which one is its own is said by that key's policy."""
        return self._arn(stack, "kms", "key", "*")

    def _arn(self, stack: Stack, service: str, resource: str, name: str) -> str:
        return stack.format_arn(
            service=service,
            account=self.account,
            region=self.region,
            resource=resource,
            resource_name=name,
            arn_format=ArnFormat.SLASH_RESOURCE_NAME,
        )


def account_principals(partners: Iterable[PromotionPartner]) -> list[iam.IPrincipal]:
    """Their accounts, each once. A role must exist when a policy names it; an account does before any deployment."""
    return [iam.AccountPrincipal(account) for account in dict.fromkeys(partner.account for partner in partners)]
