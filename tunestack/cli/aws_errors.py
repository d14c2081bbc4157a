"""What AWS, or its absence, says to a command, in one line with what helps."""

from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    ProxyConnectionError,
    ReadTimeoutError,
    SSOError,
    TokenRetrievalError,
)

_CREDENTIALS = (NoCredentialsError, SSOError, TokenRetrievalError)
_EXPIRED = ("ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired")
_UNKNOWN = ("InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId", "SignatureDoesNotMatch")
_SKEWED = ("RequestTimeTooSkewed", "RequestInTheFuture")
_NOT_THERE = ("ResourceNotFound", "ResourceNotFoundException")
_DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation")


def in_words(error: Exception) -> str:
    """The error, and what to do about it."""
    advice = _advice(error)
    return f"AWS says: {error}" + (f"\n{advice}" if advice else "")


def _advice(error: Exception) -> str:
    if isinstance(error, ProfileNotFound):
        return "AWS_PROFILE names no profile of ~/.aws/config: `aws configure list-profiles` shows those that there are"
    if isinstance(error, PartialCredentialsError):
        return "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY belong together: set both, or neither"
    if isinstance(error, ProxyConnectionError):
        return "HTTPS_PROXY names a proxy that doesn't answer; what needs none is listed in NO_PROXY"
    if isinstance(error, _CREDENTIALS):
        return "no credentials of an account: `aws configure`, or `aws sso login`; without one, --env local needs none"
    if isinstance(error, (EndpointConnectionError, ConnectTimeoutError, ReadTimeoutError)):
        if "127.0.0.1" in str(error) or "localhost" in str(error):
            return "the local AWS doesn't answer: `tunestack local status`, `tunestack local up`"
        return "is there a way to the internet, and is the region right?"
    if isinstance(error, NoRegionError):
        return "name a region in the environment's file"
    code = error.response["Error"]["Code"] if isinstance(error, ClientError) else ""
    if code in _SKEWED or "ignature expired" in str(error) or "ignature not yet current" in str(error):
        return (
            "this machine's clock is off: AWS takes requests of the last five minutes (`timedatectl` shows the clock)"
        )
    if code in _EXPIRED:
        return "the session has ended: `aws sso login`, or take on the role again"
    if code in _UNKNOWN:
        return "these credentials are of no account, or of another's: `aws sts get-caller-identity` says whose they are"
    if code in _NOT_THERE:
        return "is the environment deployed? `cdk deploy --all -c env=NAME` makes what isn't there yet"
    if code in _DENIED:
        return "docs/permissions.md says what each command needs"
    return ""
