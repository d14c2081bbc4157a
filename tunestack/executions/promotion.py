"""Versions of another environment, asked for by hand: what an approval there starts by itself."""

import json

from tunestack.aws import Aws, NotDeployedError
from tunestack.errors import UserError
from tunestack.layout import PROMOTION_REQUEST, PROMOTION_REQUEST_SOURCE, StackName


def ask_for_promotion(aws: Aws, version_arn: str) -> None:
    """Have this environment take in a version of the one that its models come from; it must be approved there.

    Raises:
        NotDeployedError: nothing is promoted to this environment.
        UserError: the request was not taken.
    """
    if aws.outputs(StackName.PROMOTION) is None:
        name = aws.settings.names.stack(StackName.PROMOTION)
        raise NotDeployedError(
            f"no stack {name!r}: say promotion.source in {aws.settings.file}, and deploy it with "
            f"`cdk deploy --all -c env={aws.settings.name}`"
        )
    entry = {
        "EventBusName": aws.settings.names.promotion,
        "Source": PROMOTION_REQUEST_SOURCE,
        "DetailType": PROMOTION_REQUEST,
        "Detail": json.dumps({"ModelPackageArn": version_arn}),
    }
    answer = aws.client("events").put_events(Entries=[entry])
    if answer["FailedEntryCount"]:
        raise UserError(f"the request was not taken: {answer['Entries'][0].get('ErrorMessage')}")
