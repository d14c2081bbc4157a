"""A signature for each image that is pushed: ECR's managed signing, by a profile of AWS Signer's."""

from collections.abc import Sequence

from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_iam as iam
from aws_cdk import aws_signer as signer
from constructs import Construct

from tunestack_cdk.image_build import ImageBuild

PLATFORM = "Notation-OCI-SHA384-ECDSA"


class ImageSigning(Construct):
    """The profile, and the registry's one signing configuration, which signs what is pushed to these repositories."""

    def __init__(self, scope: Construct, construct_id: str, *, repository_names: Sequence[str]) -> None:
        super().__init__(scope, construct_id)
        # Without a name of ours: a profile is never deleted, only cancelled, and its name stays taken.
        self._profile = signer.CfnSigningProfile(self, "Profile", platform_id=PLATFORM)
        filters = [
            ecr.CfnSigningConfiguration.RepositoryFilterProperty(filter=name, filter_type="WILDCARD_MATCH")
            for name in repository_names
        ]
        self._configuration = ecr.CfnSigningConfiguration(
            self,
            "Configuration",
            rules=[
                ecr.CfnSigningConfiguration.RuleProperty(
                    signing_profile_arn=self._profile.attr_arn, repository_filters=filters
                )
            ],
        )

    def sign_pushes_of(self, build: ImageBuild) -> None:
        """Let a build sign what it pushes: ECR signs as whoever pushes. It builds once this is there."""
        build.role.add_to_policy(
            iam.PolicyStatement(
                actions=["signer:SignPayload", "signer:GetSigningProfile"], resources=[self._profile.attr_arn]
            )
        )
        build.node.add_dependency(self._configuration)
