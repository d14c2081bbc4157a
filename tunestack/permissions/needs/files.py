"""What it takes to read and write in S3, with the keys that encrypt there."""

from collections.abc import Iterator

from tunestack.layout import S3Uri
from tunestack.permissions.access import Access
from tunestack.permissions.world import World
from tunestack.template.assembly import Stack
from tunestack.template.resolver import URL_SUFFIXES


def read_accesses(world: World, stack: Stack, *, by: str, role: str, uri: str, listed: bool = True) -> Iterator[Access]:
    """What it takes to read what lies at a URI: list, get, and decrypt by way of S3."""
    bucket, key = S3Uri.parse(uri)
    if listed:
        arn = f"arn:{stack.partition}:s3:::{bucket}"
        yield Access(by=by, principal=role, action="s3:ListBucket", resource=arn, context={"s3:prefix": key})
    yield Access(by=by, principal=role, action="s3:GetObject", resource=object_arn(stack, uri))
    if owner_key := world.bucket_keys.get(bucket):
        yield _by_s3(stack, by, role, "kms:Decrypt", owner_key)


def write_accesses(world: World, stack: Stack, *, by: str, role: str, uri: str, key: str | None) -> Iterator[Access]:
    """What it takes to write under a URI, with a key or the bucket's own: large files go up in parts."""
    used = key or world.bucket_keys.get(S3Uri.parse(uri).bucket)
    context = {"s3:x-amz-server-side-encryption": "aws:kms"} if used else {}
    if used:
        context["s3:x-amz-server-side-encryption-aws-kms-key-id"] = used
    yield Access(by=by, principal=role, action="s3:PutObject", resource=object_arn(stack, uri), context=context)
    for action in ("s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"):
        yield Access(by=by, principal=role, action=action, resource=object_arn(stack, uri))
    if used:
        for action in ("kms:GenerateDataKey", "kms:Decrypt"):
            yield _by_s3(stack, by, role, action, used)


def object_arn(stack: Stack, uri: str) -> str:
    """The ARN of an object at a URI, or of one below it where the URI is a folder's."""
    bucket, key = S3Uri.parse(uri)
    name = key.rpartition("/")[2]
    whole = key if "." in name and name.endswith((".gz", ".json")) else f"{key.rstrip('/')}/file"
    return f"arn:{stack.partition}:s3:::{bucket}/{whole}"


def _by_s3(stack: Stack, by: str, role: str, action: str, key: str) -> Access:
    region = key.split(":")[3]
    context = {"kms:ViaService": f"s3.{region}.{URL_SUFFIXES[stack.partition]}"}
    return Access(by=by, principal=role, action=action, resource=key, context=context)
