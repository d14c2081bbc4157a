"""What AWS, or its absence, says to a command, in one line with what helps."""

from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    ReadTimeoutError,
    SSOError,
    TokenRetrievalError,
)

_CREDENTIALS = (NoCredentialsError, PartialCredentialsError, ProfileNotFound, SSOError, TokenRetrievalError)
_EXPIRED = ("ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired")
_UNKNOWN = ("InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId", "SignatureDoesNotMatch")
_DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation")


def in_words(error: Exception) -> str:
    """The error, and what to do about it."""
    advice = _advice(error)
    return f"AWS says: {error}" + (f"\n{advice}" if advice else "")


def _advice(error: Exception) -> str:
    if isinstance(error, _CREDENTIALS):
        return "no credentials of an account: `aws configure`, or `aws sso login`; without one, --env local needs none"
    if isinstance(error, (EndpointConnectionError, ConnectTimeoutError, ReadTimeoutError)):
        if "127.0.0.1" in str(error) or "localhost" in str(error):
            return "the local AWS doesn't answer: `tunestack local status`, `tunestack local up`"
        return "is there a way to the internet, and is the region right?"
    if isinstance(error, NoRegionError):
        return "name a region in the environment's file"
    code = error.response["Error"]["Code"] if isinstance(error, ClientError) else ""
    if code in _EXPIRED:
        return "the session has ended: `aws sso login`, or take on the role again"
    if code in _UNKNOWN:
        return "these credentials are of no account, or of another's: `aws sts get-caller-identity` says whose they are"
    if code in _DENIED:
        return "docs/permissions.md says what each command needs"
    return ""
