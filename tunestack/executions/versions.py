"""The versions in an environment's model package group."""

from tunestack.aws import Aws
from tunestack.errors import UserError


def delete_versions(aws: Aws) -> list[str]:
    """Delete every registered version of an environment that may delete its data; their ARNs.

    CloudFormation can't delete a group that has versions: without this, `cdk destroy` leaves it behind.

    Raises:
        UserError: the environment keeps its data.
    """
    if not aws.settings.deletes_data:
        raise UserError(
            f"{aws.settings.file}: the versions of {aws.settings.name} are kept: only dev and local may delete data, "
            "with storage.delete_data_on_destroy: true"
        )
    pages = aws.sagemaker.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName=aws.model_package_group_name
    )
    found = [item["ModelPackageArn"] for page in pages for item in page["ModelPackageSummaryList"]]
    for arn in found:
        aws.sagemaker.delete_model_package(ModelPackageName=arn)
    return found
