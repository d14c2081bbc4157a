"""A statement that changes things or reads data must name its resources."""

import re
from collections.abc import Iterator

from tunestack.rules.finding import Problem
from tunestack.template.resources import Resource, Resources
from tunestack.template.statement import IDENTITY_KINDS, identity_statements

KINDS = IDENTITY_KINDS
# Whose actions know no narrower resource (Service Authorization Reference), or are narrowed by a condition.
_UNNARROWED = re.compile(
    r"(?i)ecr:GetAuthorizationToken|logs:DescribeLogGroups|cloudwatch:(PutMetricData|GetMetric.*|List.*)|xray:Put.*"
    r"|ec2:Describe.*|sts:GetCallerIdentity|s3:ListAllMyBuckets|kms:List.*|sagemaker:(Search|List.*)"
    r"|ec2:(Create|Delete|Attach|Detach|Modify)NetworkInterface.*|logs:(Create|Delete|Update|Get|List)LogDelivery.*"
)


def check(resource: Resource, resources: Resources) -> Iterator[Problem]:
    for statement in identity_statements(resource):
        if not statement.allows or "*" not in statement.resources:
            continue
        for action in statement.actions:
            if action != "*" and not _UNNARROWED.fullmatch(action):
                yield f"{statement.where}.Resource", f"allows {action} on everything: name the resources"
