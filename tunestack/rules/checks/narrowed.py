"""An action that reaches further than its resource must be narrowed by a condition: a grant, a bucket by name."""

import re
from collections.abc import Iterator

from tunestack.rules.finding import Problem
from tunestack.template.resources import Resource, Resources
from tunestack.template.statement import IDENTITY_KINDS, Statement, identity_statements
from tunestack.template.values import as_list, as_text

KINDS = IDENTITY_KINDS
# Action → the condition key that narrows it, and what it does without.
_NARROWED_BY = {
    "kms:CreateGrant": ("kms:GrantIsForAWSResource", "gives the key to anybody"),
    "cloudwatch:PutMetricData": ("cloudwatch:namespace", "writes any metric, those that alarms watch too"),
}
_OWNER = frozenset({"aws:resourceaccount", "s3:resourceaccount", "aws:resourceorgid"})
# The own account's number stands as a reference, where an assembly says whose the stack is.
_OTHERS_KEY = re.compile(r"arn:[^:]*:kms:[^:]*:\d{12}:key/")
# A bucket of no template here: its name has no account's number in it that would make it nobody else's.
_BY_NAME = re.compile(r"arn:[^:]*:s3:::(?!.*(\d{12}|AWS::AccountId|Ref|GetAtt|ImportValue|\$\{))")


def check(resource: Resource, resources: Resources) -> Iterator[Problem]:
    for statement in identity_statements(resource):
        for action, (key, without) in _NARROWED_BY.items() if statement.allows else ():
            asked = [as_text(value) for value in as_list(statement.conditions.get(key.lower()))]
            if statement.may(action) and (not asked or {"*", "false"} & set(asked)):
                yield f"{statement.where}.Condition", f"allows {action}, which {without}: ask for {key}"
        if statement.allows:
            yield from _others_keys(statement)
        if statement.allows and any(action.startswith("s3:") for action in statement.actions):
            yield from _buckets(statement, resources)


def _others_keys(statement: Statement) -> Iterator[Problem]:
    if statement.may("kms:Decrypt") and "kms:viaservice" not in statement.conditions:
        for arn in statement.resources:
            if _OTHERS_KEY.match(arn):
                yield f"{statement.where}.Condition", f"decrypts anything with {arn}: ask for kms:ViaService"


def _buckets(statement: Statement, resources: Resources) -> Iterator[Problem]:
    own = {as_text(bucket.properties.get("BucketName")) for bucket in resources.of_kind("AWS::S3::Bucket")}
    for arn in statement.resources:
        name = arn.partition(":::")[2].partition("/")[0]
        if _BY_NAME.match(arn) and name not in own and not _OWNER & statement.conditions.keys():
            message = f"names {arn}, which may become anybody's bucket: ask for aws:ResourceAccount"
            yield f"{statement.where}.Condition", message
