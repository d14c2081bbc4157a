"""Whether what holds data outlives its stack."""

from aws_cdk import RemovalPolicy


def removal_policy(*, delete_with_stack: bool) -> RemovalPolicy:
    """Kept when its stack goes, or a change replaces it; gone again where its own first deployment fails.

    A fixed name that outlives a failed first deployment would be in the way of the next one ("already exists").
    """
    return RemovalPolicy.DESTROY if delete_with_stack else RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE
