"""An accepted wildcard is named after the ARN as the template has it, references in angle brackets."""

from aws_cdk import Stack
from aws_cdk import aws_s3 as s3
from tunestack_cdk.acknowledge import _nag_form


def test_an_arn_is_written_as_cdk_nag_writes_it(stack: Stack, bucket: s3.Bucket) -> None:
    resource = bucket.node.default_child
    assert isinstance(resource, s3.CfnBucket)
    logical_id = stack.get_logical_id(resource)
    assert _nag_form(stack.resolve(bucket.arn_for_objects("training/*"))) == f"<{logical_id}.Arn>/training/*"
    assert _nag_form("arn:aws:s3:::plain/*") == "arn:aws:s3:::plain/*"
