"""What ministack's S3 lacks for our buckets: properties that it drops, and the aws/s3 key."""

from collections.abc import Callable
from typing import Any

import botocore.session
from botocore.serialize import create_serializer

Config = dict[str, Any]


def amend_s3() -> None:
    """Make template properties reach the bucket, let uploads name `aws:kms` alone, and refuse to delete data."""
    from ministack.services import s3
    from ministack.services.cloudformation import provisioners

    provisioners._S3_BUCKET_CONFIGURATIONS += (
        (
            "BucketEncryption",
            _to_xml("PutBucketEncryption", "ServerSideEncryptionConfiguration", _encryption),
            _refusing(s3._put_bucket_encryption),
            s3._delete_bucket_encryption,
        ),
        (
            "LifecycleConfiguration",
            _to_xml("PutBucketLifecycleConfiguration", "LifecycleConfiguration", _lifecycle),
            _refusing(s3._put_bucket_lifecycle),
            lambda name: s3._bucket_lifecycle.pop(name, None),
        ),
        (
            "LoggingConfiguration",
            _to_xml("PutBucketLogging", "BucketLoggingStatus", _logging),
            _refusing(s3._put_bucket_logging),
            lambda name: s3._bucket_logging_config.pop(name, None),
        ),
        (
            "Tags",
            _to_xml("PutBucketTagging", "Tagging", lambda tags: {"TagSet": tags}),
            _refusing(s3._put_bucket_tagging),
            s3._delete_bucket_tagging,
        ),
    )
    _default_kms_key(s3)
    _find_other_accounts_buckets(s3)
    _keep_bodies_on_disk(s3)
    _refuse_to_delete_data(s3, provisioners._RESOURCE_HANDLERS["AWS::S3::Bucket"])


def empty_bucket(name: str) -> None:
    """Delete every object and version of a bucket; one that is gone is fine."""
    from ministack.services import s3

    if name not in s3._buckets:
        return
    for key in [key for key in list(s3._object_versions) if key[0] == name]:
        s3._object_versions.pop(key, None)
    for key in list(s3._buckets[name]["objects"]):
        s3._buckets[name]["objects"].pop(key, None)
        s3._delete_persisted_object(name, key)


def _encryption(config: Config) -> Config:
    rules = [
        {
            "ApplyServerSideEncryptionByDefault": rule["ServerSideEncryptionByDefault"],
            "BucketKeyEnabled": str(rule.get("BucketKeyEnabled", False)).lower() == "true",
        }
        for rule in config["ServerSideEncryptionConfiguration"]
    ]
    return {"Rules": rules}


def _logging(config: Config) -> Config:
    target = {"TargetBucket": config["DestinationBucketName"], "TargetPrefix": config.get("LogFilePrefix", "")}
    return {"LoggingEnabled": target}


_KNOWN_RULE_KEYS = {
    "Id",
    "Status",
    "Prefix",
    "ExpirationInDays",
    "ExpiredObjectDeleteMarker",
    "NoncurrentVersionExpiration",
    "AbortIncompleteMultipartUpload",
}


def _lifecycle(config: Config) -> Config:
    return {"Rules": [_lifecycle_rule(rule) for rule in config["Rules"]]}


def _lifecycle_rule(rule: Config) -> Config:
    if unknown := rule.keys() - _KNOWN_RULE_KEYS:
        raise ValueError(f"the local AWS doesn't know the lifecycle rule's {', '.join(sorted(unknown))}")
    made: Config = {"Status": rule["Status"], "Filter": {"Prefix": rule.get("Prefix", "")}}
    if "Id" in rule:
        made["ID"] = rule["Id"]
    if "ExpirationInDays" in rule:
        made["Expiration"] = {"Days": int(rule["ExpirationInDays"])}
    elif "ExpiredObjectDeleteMarker" in rule:
        made["Expiration"] = {"ExpiredObjectDeleteMarker": str(rule["ExpiredObjectDeleteMarker"]).lower() == "true"}
    for key in ("NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload"):
        if key in rule:
            made[key] = {name: int(value) for name, value in rule[key].items()}
    return made


def _to_xml(operation: str, member: str, convert: Callable[[Config], Config]) -> Callable[[Config], bytes]:
    """A function from a template's property to the body of the S3 call that sets it."""

    def to_xml(config: Config) -> bytes:
        model = botocore.session.get_session().get_service_model("s3").operation_model(operation)
        request = create_serializer("rest-xml").serialize_to_request(
            {"Bucket": "bucket", member: convert(config)}, model
        )
        body: bytes = request["body"]
        return body

    return to_xml


def _refusing(put: Callable[..., Any]) -> Callable[..., Any]:
    """The put function, with an error response raised, so that the deploy fails with it."""

    def checked(*arguments: Any) -> Any:
        answer = put(*arguments)
        if isinstance(answer, tuple) and answer[0] >= 400:
            raise ValueError(str(answer[2]))
        return answer

    return checked


def _default_kms_key(s3: Any) -> None:
    """`aws:kms` without a key means the account's aws/s3 key; ministack refuses it."""
    resolve = s3._resolve_sse_write_headers

    def resolve_with_default(headers: dict[str, str], bucket_name: str) -> Any:
        from ministack.core.responses import get_account_id, get_region

        key = "x-amz-server-side-encryption-aws-kms-key-id"
        if headers.get("x-amz-server-side-encryption") == "aws:kms" and not headers.get(key):
            headers[key] = f"arn:aws:kms:{get_region()}:{get_account_id()}:alias/aws/s3"
        return resolve(headers, bucket_name)

    s3._resolve_sse_write_headers = resolve_with_default


def _find_other_accounts_buckets(s3: Any) -> None:
    """Copy out of another account's bucket: that the caller may read there was decided before."""
    read = s3._read_body

    def find(name: str) -> Any:
        owner = s3._bucket_owner_account(name)
        return s3._buckets.get_scoped(owner, None, name) if owner else None

    def read_of_owner(bucket: str, key: str, obj: Any) -> Any:
        from ministack.core.responses import get_account_id, get_region, request_scope

        with request_scope(s3._bucket_owner_account(bucket) or get_account_id(), get_region()):
            return read(bucket, key, obj)

    s3._ensure_bucket, s3._read_body = find, read_of_owner


def _keep_bodies_on_disk(s3: Any) -> None:
    """Let go of an object's body once it is on disk: ministack does so of the object, but not of its versions."""
    persist = s3._persist_object

    def persist_all(bucket: str, key: str, obj: Any) -> None:
        persist(bucket, key, obj)
        if isinstance(obj, dict) and obj.get("body") is None:
            for version in s3._object_versions.get((bucket, key)) or ():
                version["data"] = None

    s3._persist_object = persist_all


def _refuse_to_delete_data(s3: Any, handlers: dict[str, Any]) -> None:
    """A bucket with objects can't be deleted on AWS; ministack would throw the data away."""
    delete = handlers["delete"]

    def delete_empty(physical_id: str, properties: Config) -> None:
        bucket = s3._buckets.get(physical_id)
        versions = any(key[0] == physical_id and value for key, value in s3._object_versions.items())
        if bucket and (bucket.get("objects") or versions):
            raise ValueError(f"The bucket you tried to delete is not empty: {physical_id}")
        delete(physical_id, properties)
        s3._bucket_logging_config.pop(physical_id, None)
        s3._delete_persisted_bucket(physical_id)

    handlers["delete"] = delete_empty
