"""What S3 asks of KMS for an object that a key encrypts: as the caller, who must be allowed to use the key."""

import contextvars
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tunestack.local.authorization.enforcement import Enforcement, request_access_key
from tunestack.local.authorization.other_accounts import account_of_caller
from tunestack.local.runner.errors import ApiError
from tunestack.permissions.arn import Owner

_KEY_HEADER = "x-amz-server-side-encryption-aws-kms-key-id"
# Reading an object's headers asks nothing of KMS; reading the object does.
_reading: contextvars.ContextVar[bool] = contextvars.ContextVar("reading", default=False)


def ask_kms(enforcement: Enforcement) -> None:
    """Have S3 ask the key for every object that is written, read or copied."""
    if not enforcement.enabled:
        return
    from ministack.services import s3

    write, read, copied, part = (
        s3._resolve_sse_write_headers,
        s3._check_sse_read_headers,
        s3._check_sse_c_copy_source,
        s3._check_sse_c_part,
    )
    get = s3._get_object

    def resolve_write(headers: dict[str, str], bucket: str) -> Any:
        found, refused = write(headers, bucket)
        return found, refused or _refusal(enforcement, found or {}, "GenerateDataKey")

    def get_object(*arguments: Any) -> Any:
        with _reading_now():
            return get(*arguments)

    def check_read(headers: dict[str, str], obj: dict[str, Any]) -> Any:
        return read(headers, obj) or (_refusal(enforcement, _kept(obj), "Decrypt") if _reading.get() else None)

    def check_copied(headers: dict[str, str], obj: dict[str, Any]) -> Any:
        return copied(headers, obj) or _refusal(enforcement, _kept(obj), "Decrypt")

    def check_part(headers: dict[str, str], upload: dict[str, Any]) -> Any:
        # Each part is encrypted with the upload's own data key, which must be opened again.
        return part(headers, upload) or _refusal(enforcement, _kept(upload), "Decrypt")

    s3._resolve_sse_write_headers, s3._get_object = resolve_write, get_object
    s3._check_sse_read_headers, s3._check_sse_c_copy_source = check_read, check_copied
    s3._check_sse_c_part = check_part


@contextmanager
def _reading_now() -> Iterator[None]:
    token = _reading.set(True)
    try:
        yield
    finally:
        _reading.reset(token)


def _kept(record: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] = record.get("preserved_headers", {})
    return found


def _refusal(enforcement: Enforcement, headers: dict[str, str], action: str) -> Any:
    """S3's error where the key can't be used by who asks, or by anybody; None where it can."""
    from ministack.core.responses import get_account_id, get_region, request_scope
    from ministack.services import kms, s3

    key = headers.get(_KEY_HEADER, "")
    owner = Owner.of(key) or Owner(get_account_id(), get_region())
    with request_scope(*owner):
        record = kms._resolve_key(key) if key else None
    if record is None:
        # The account's own aws/s3 key, or none.
        return None
    if record["KeyState"] != "Enabled":
        return s3._error("KMS.DisabledException", f"{record['Arn']} is {record['KeyState'].lower()}.", 400)
    try:
        enforcement.check(
            request_access_key.get() or "", f"kms:{action}", record["Arn"], account=account_of_caller(),
            region=get_region(), context={"kms:ViaService": f"s3.{get_region()}.amazonaws.com"},
        )  # fmt: skip
    except ApiError as error:
        return s3._error("AccessDenied", str(error), 403)
    return None
