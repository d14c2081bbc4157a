"""A role must not change roles, policies, or the policies of keys and resources."""

from collections.abc import Iterator

from tunestack.rules.finding import Problem
from tunestack.template.resources import Resource, Resources
from tunestack.template.statement import IDENTITY_KINDS, identity_statements

KINDS = IDENTITY_KINDS
_FORBIDDEN = (
    "iam:attach*", "iam:create*", "iam:put*", "iam:update*", "iam:add*", "iam:setdefaultpolicyversion",
    "iam:delete*permissionsboundary", "kms:putkeypolicy", "kms:schedulekeydeletion", "kms:disablekey",
    "s3:putbucketpolicy", "s3:putbucketacl", "s3:putobjectacl", "s3:deletebucketpolicy",
    "s3:putencryptionconfiguration", "s3:putbucketpublicaccessblock", "s3:putbucketversioning",
    "lambda:updatefunctioncode", "ecr:setrepositorypolicy", "ecr:deleterepository", "ecr:putimagetagmutability",
    "sagemaker:putmodelpackagegrouppolicy", "organizations:*", "cloudtrail:stoplogging", "cloudtrail:deletetrail",
    "logs:deleteloggroup", "logs:deletelogstream", "logs:deleteretentionpolicy", "secretsmanager:putresourcepolicy",
)  # fmt: skip


def check(resource: Resource, resources: Resources) -> Iterator[Problem]:
    for statement in identity_statements(resource):
        for action in statement.may(*_FORBIDDEN) if statement.allows else ():
            yield f"{statement.where}.Action", f"allows {action}: a role could change what protects the others"
