"""The roles that GitHub Actions takes on in an environment's account: by OIDC, with no key that could be lost."""

from typing import Any

from aws_cdk import CfnOutput, Environment, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct
from tunestack_cdk.job_role import accept_own_policy
from tunestack_cdk.role_path import put_roles_under

from tunestack.settings.delivery import GitHub, load_delivery
from tunestack.settings.loading import Settings
from tunestack.settings.problems import Problem, SettingsError

_ISSUER = "token.actions.githubusercontent.com"
# The bootstrap's roles: what a deployment takes on, and what a look at it does.
_DEPLOY, _LOOK = ("deploy", "file-publishing", "image-publishing", "lookup"), ("lookup",)


class GitHubStack(Stack):
    """One role deploys, for jobs of the GitHub environment of the same name; one looks, for pull requests."""

    def __init__(
        self, scope: Construct, construct_id: str, *, settings: Settings, github: GitHub, **kwargs: Any
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        self._settings = settings
        put_roles_under(self, settings.environment.security.role_path)
        provider = self._provider(makes_it=settings.name in github.provider_made_by)
        for name, subject, kinds in (
            ("Deploy", f"environment:{settings.name}", _DEPLOY),
            ("Review", "pull_request", _LOOK),
        ):
            role = iam.Role(
                self,
                name,
                role_name=f"{settings.names.prefix}-github-{name.lower()}",
                assumed_by=iam.FederatedPrincipal(
                    provider,
                    {
                        "StringEquals": {
                            f"{_ISSUER}:aud": "sts.amazonaws.com",
                            # The very repository, and this kind of job alone: not any branch, not a fork.
                            f"{_ISSUER}:sub": f"repo:{github.repository}:{subject}",
                        }
                    },
                    "sts:AssumeRoleWithWebIdentity",
                ),
            )
            accept_own_policy(role)
            arns = [self._bootstrap_role(kind) for kind in kinds]
            role.add_to_policy(iam.PolicyStatement(actions=["sts:AssumeRole"], resources=arns))
            CfnOutput(self, f"{name}RoleArn", value=role.role_arn)

    def _provider(self, *, makes_it: bool) -> str:
        """An account has one provider for an issuer: one environment of it makes it, the others use it."""
        if makes_it:
            made = iam.CfnOIDCProvider(self, "Provider", url=f"https://{_ISSUER}", client_id_list=["sts.amazonaws.com"])
            return made.attr_arn
        return self.format_arn(service="iam", region="", resource="oidc-provider", resource_name=_ISSUER)

    def _bootstrap_role(self, kind: str) -> str:
        qualifier = self._settings.environment.security.bootstrap_qualifier
        name = f"cdk-{qualifier}-{kind}-role-{self.account}-{self.region}"
        return self.format_arn(service="iam", region="", resource="role", resource_name=name)


def add_github_roles(scope: Construct, settings: Settings) -> GitHubStack:
    """An environment's roles for GitHub Actions, as `config/delivery/delivery.yaml` says.

    Raises:
        SettingsError: it says nothing of GitHub.
    """
    delivery, _ = load_delivery()
    if delivery.github is None:
        problem = Problem(file="config/delivery/delivery.yaml", key="github", message="names no repository")
        raise SettingsError([problem])
    name = f"{settings.names.prefix}-github"
    where = Environment(account=settings.environment.account, region=settings.environment.region)
    return GitHubStack(scope, name, settings=settings, github=delivery.github, stack_name=name, env=where)
