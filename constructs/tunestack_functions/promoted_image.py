"""The image that a version comes with: of a repository that is known, by its digest, scanned and signed as asked."""

from collections.abc import Collection
from typing import NamedTuple

from tunestack_functions.aws import client


class NotPromotableError(Exception):
    """A version that can't be promoted as it is; the text says why."""


class NotYetError(Exception):
    """An image whose scan or signature isn't there yet: it is tried again."""


class _Image(NamedTuple):
    """The parts of an image's URI; `digest` or `tag` is there."""

    registry: str
    repository: str
    digest: str
    tag: str

    @classmethod
    def of(cls, uri: str) -> "_Image":
        host, _, path = uri.partition("/")
        name, _, digest = path.partition("@")
        repository, _, tag = name.partition(":")
        return cls(registry=host.partition(".")[0], repository=repository, digest=digest, tag=tag)

    def __str__(self) -> str:
        return f"{self.repository}@{self.digest}"


def repository_arn(uri: str, partition: str) -> str:
    """The ARN of a repository, by its URI: ACCOUNT.dkr.ecr.REGION.…/NAME."""
    host, _, name = uri.partition("/")
    account, _, _, region, *_ = host.split(".")
    return f"arn:{partition}:ecr:{region}:{account}:repository/{name}"


def by_digest(image: str, known: Collection[str]) -> str:
    """An image's URI by its digest: a tag could be moved, and what was judged must be what runs.

    Raises:
        NotPromotableError: its repository isn't one of the known ones, or hasn't it any more.
    """
    found = _Image.of(image)
    host = image.partition("/")[0]
    if f"{host}/{found.repository}" not in known:
        raise NotPromotableError(f"the image {image} is of none of the repositories {', '.join(known)}")
    wanted = {"imageDigest": found.digest} if found.digest else {"imageTag": found.tag}
    answer = client("ecr").batch_get_image(
        registryId=found.registry, repositoryName=found.repository, imageIds=[wanted]
    )
    if not answer["images"]:
        raise NotPromotableError(f"the image {image} isn't in its repository any more")
    return f"{host}/{found.repository}@{answer['images'][0]['imageId']['imageDigest']}"


def check_scan_findings(image: str, allowed: int) -> None:
    """See that the scan of an image, by its digest, found no more critical findings than are allowed.

    Raises:
        NotPromotableError: it found more.
        NotYetError: it hasn't ended yet.
    """
    of = _Image.of(image)
    ecr = client("ecr")
    try:
        found = ecr.describe_image_scan_findings(
            registryId=of.registry, repositoryName=of.repository, imageId={"imageDigest": of.digest}, maxResults=1
        )
    except ecr.exceptions.ScanNotFoundException:
        raise NotPromotableError(f"{of} was never scanned") from None
    status = found["imageScanStatus"]["status"]
    if status in ("IN_PROGRESS", "PENDING"):
        raise NotYetError(f"the scan of {of} is {status}")
    if status not in ("COMPLETE", "ACTIVE"):
        raise NotPromotableError(f"the scan of {of} is {status}: nobody knows what is in it")
    critical = found["imageScanFindings"].get("findingSeverityCounts", {}).get("CRITICAL", 0)
    if critical > allowed:
        raise NotPromotableError(
            f"the scan of {of} has {critical} critical findings, and {allowed} are allowed "
            "(promotion.max_critical_findings)"
        )


def check_signature(image: str, signers: Collection[str]) -> None:
    """See that an image, by its digest, is signed by a profile whose ARN begins as one of the signers.

    Raises:
        NotPromotableError: it isn't.
        NotYetError: it is being signed.
    """
    of = _Image.of(image)
    answer = client("ecr").describe_image_signing_status(
        registryId=of.registry, repositoryName=of.repository, imageId={"imageDigest": of.digest}
    )
    all_found = answer.get("signingStatuses", [])
    found = [item for item in all_found if item.get("signingProfileArn", "").startswith(tuple(signers))]
    if any(item["status"] == "IN_PROGRESS" for item in found):
        raise NotYetError(f"{of} is being signed")
    failed = [item for item in found if item["status"] != "COMPLETE"]
    if not found or failed:
        others = ", ".join(item.get("signingProfileArn", "an unknown profile") for item in all_found)
        nobody = f"only {others} signed it, not {' or '.join(signers)}…" if all_found else "nobody signed it"
        why = failed[0].get("failureReason", "signing failed") if failed else nobody
        raise NotPromotableError(
            f"{of} isn't signed: {why} (promotion.signed_images; images.signed where it was built)"
        )
