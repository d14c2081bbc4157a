"""The one key that encrypts an environment's data."""

from collections.abc import Sequence

from aws_cdk import ArnFormat, Aws, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

# "Allows key administrators to administer the KMS key" and "key users", of the KMS guide's default key policy.
_ADMINISTERS = (
    "kms:CancelKeyDeletion", "kms:CreateAlias", "kms:DeleteAlias", "kms:DescribeKey", "kms:DisableKey",
    "kms:DisableKeyRotation", "kms:EnableKey", "kms:EnableKeyRotation", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus",
    "kms:ListAliases", "kms:ListGrants", "kms:ListKeyPolicies", "kms:ListResourceTags", "kms:PutKeyPolicy",
    "kms:RevokeGrant", "kms:ScheduleKeyDeletion", "kms:TagResource", "kms:UntagResource", "kms:UpdateAlias",
    "kms:UpdateKeyDescription",
)  # fmt: skip
_USES = (
    "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom", "kms:ReEncryptTo",
)  # fmt: skip


class EncryptionKey(Construct):
    """A customer-managed key with rotation, usable by this account's roles and log groups.

    With `administrators`, ARNs of roles, they alone may change its policy, switch it off or delete it: the account may
    only use it, by its roles' own policies. CloudFormation's role must be one of them, or no deployment changes it.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        alias: str,
        removal_policy: RemovalPolicy,
        administrators: Sequence[str] = (),
    ) -> None:
        super().__init__(scope, construct_id)
        stack = Stack.of(self)
        self.key = kms.Key(
            self,
            "Key",
            description=f"Encrypts the data of {alias.removeprefix('alias/')}",
            enable_key_rotation=True,
            removal_policy=removal_policy,
            policy=_apart(administrators) if administrators else None,
        )
        # Kept with its key: a second deployment beside kept data must stop here, not make a second set of it.
        self.key.add_alias(alias).apply_removal_policy(removal_policy)
        # CloudWatch Logs encrypts with the key itself, for log groups of this account only.
        self.key.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal(f"logs.{stack.region}.amazonaws.com")],
                actions=["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"],
                resources=["*"],
                conditions={
                    "ArnLike": {
                        "kms:EncryptionContext:aws:logs:arn": stack.format_arn(
                            service="logs",
                            resource="log-group",
                            resource_name="*",
                            arn_format=ArnFormat.COLON_RESOURCE_NAME,
                        )
                    }
                },
            )
        )


def _apart(administrators: Sequence[str]) -> iam.PolicyDocument:
    """Who administers doesn't use, and who uses doesn't administer."""
    account = iam.AccountPrincipal(Aws.ACCOUNT_ID)
    statements = [
        iam.PolicyStatement(
            sid="Administer",
            principals=[account],
            actions=list(_ADMINISTERS),
            resources=["*"],
            # A principal that a policy names must be there; a role that is made later needn't.
            conditions={"ArnEquals": {"aws:PrincipalArn": list(administrators)}},
        ),
        iam.PolicyStatement(sid="Use", principals=[account], actions=list(_USES), resources=["*"]),
        iam.PolicyStatement(
            sid="GrantToServices",
            principals=[account],
            actions=["kms:CreateGrant"],
            resources=["*"],
            conditions={"Bool": {"kms:GrantIsForAWSResource": "true"}},
        ),
    ]
    return iam.PolicyDocument(statements=statements)
