"""Take in a version that another environment approved; take back here what it has rejected.

One decision at a time, off the queue. All of it can be done again: what is copied already is left alone, the pipeline
is started once for a version, and a version that is registered here isn't registered again.
"""

import hashlib
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tunestack_functions.aws import client
from tunestack_functions.copying import (
    PARTS_AT_ONCE,
    ChangedSinceError,
    How,
    copy_prefix,
    digest,
    listed,
)
from tunestack_functions.declared import Call, FunctionSettings, Here
from tunestack_functions.events import QueueEvent, VersionDecided
from tunestack_functions.promoted_image import (
    NotPromotableError,
    NotYetError,
    by_digest,
    check_scan_findings,
    check_signature,
    repository_arn,
)

log = logging.getLogger()
log.setLevel(logging.INFO)
# After that many seconds less, a copy goes on in the next try.
SECONDS_TO_STOP_BEFORE = 60
FINISHED = ("Executing", "Succeeded")
RUNNING = ("Executing", "Stopping")
NOT_THERE = ("ValidationException", "ResourceNotFound", "ResourceNotFoundException")


@dataclass(frozen=True, kw_only=True)
class Settings(FunctionSettings):
    """Where versions come from, what belongs to one, and where all of it goes."""

    pipeline: str
    group: str
    source_versions: str
    """The versions' ARNs, as a pattern that ends in `/*`."""
    source_version_key: str
    """The metadata of a version here that holds its source's ARN."""
    origin_repositories: list[str]
    """URIs of the repositories whose images a version may come with."""
    max_critical_findings: int | None = None
    """Of an image's scan; None: it isn't looked at."""
    signed_images: bool
    signers: list[str]
    """What the ARNs of the signing profiles that count begin with."""
    bucket: str
    prefix: str
    key_arn: str
    shared: list[str]
    """The metadata's keys of what is one for many versions: it is copied once, to a place named by its content."""
    copied: dict[str, str]
    """What is copied: a version's metadata's key → the pipeline's parameter that says where the copy lies."""
    digests: dict[str, str]
    """What the copies must be: a version's metadata's key → the pipeline's parameter that says it."""


def calls(settings: Settings, here: Here) -> Iterator[Call]:
    """Every call of AWS that the function makes, but for those by place (copying.OPERATIONS)."""
    versions = here.arn("sagemaker", f"model-package/{settings.group}/*")
    group = here.arn("sagemaker", f"model-package-group/{settings.group}")
    pipeline = here.arn("sagemaker", f"pipeline/{settings.pipeline}")
    rejects = {"StringEquals": {"sagemaker:ModelApprovalStatus": "Rejected"}}
    yield Call(client="sagemaker", operation="describe_model_package", on=(settings.source_versions,))
    yield Call(client="sagemaker", operation="list_model_packages", on=(group, versions))
    yield Call(client="sagemaker", operation="describe_model_package", on=(versions,))
    # It can't approve.
    yield Call(client="sagemaker", operation="update_model_package", on=(versions,), conditions=rejects)
    for operation in ("start_pipeline_execution", "list_pipeline_executions"):
        yield Call(client="sagemaker", operation=operation, on=(pipeline,))
    yield Call(client="sagemaker", operation="stop_pipeline_execution", on=(f"{pipeline}/execution/*",))
    images = tuple(repository_arn(uri, here.partition) for uri in settings.origin_repositories)
    for operation, wanted in (
        ("batch_get_image", True),
        ("describe_image_scan_findings", settings.max_critical_findings is not None),
        ("describe_image_signing_status", settings.signed_images),
    ):
        if wanted:
            yield Call(client="ecr", operation=operation, on=images)
    # An upload that was interrupted is found again.
    own = (f"arn:{here.partition}:s3:::{settings.bucket}",)
    yield Call(client="s3", operation="list_multipart_uploads", on=own, named="ListBucketMultipartUploads")


def handler(event: QueueEvent, context: Any) -> None:
    """A message of the queue: raising puts it back, until it has been tried too often."""
    settings = Settings.read()
    for record in event["Records"]:
        try:
            decided(version_of(record["body"]), settings, context)
        except NotPromotableError as error:
            # Trying again changes nothing: it is said once, in the log, where `tunestack models history` finds it.
            log.error("not taken in: %s", error)


def version_of(body: str) -> str:
    """The ARN of the version that an event is about.

    Raises:
        NotPromotableError: it is no such event.
    """
    try:
        message: VersionDecided = json.loads(body)
        return str(message["detail"]["ModelPackageArn"])
    except (ValueError, KeyError, TypeError) as error:
        raise NotPromotableError(f"no decision on a version: {type(error).__name__}: {error}: {body[:500]}") from None


def decided(arn: str, settings: Settings, context: Any) -> None:
    """Act on what was decided on a version: what it is now counts, not what the message says it was."""
    if not arn.startswith(settings.source_versions.removesuffix("*")):
        raise NotPromotableError(f"{arn} is no version that is promoted here: {settings.source_versions}")
    sagemaker = client("sagemaker")
    try:
        version = sagemaker.describe_model_package(ModelPackageName=arn)
    except sagemaker.exceptions.ClientError as error:
        if error.response["Error"]["Code"] not in NOT_THERE:
            raise
        raise NotPromotableError(f"{arn} isn't there, or any more: {error}") from None
    if version["ModelApprovalStatus"] == "Rejected":
        withdraw(sagemaker, arn, version, settings)
    elif version["ModelApprovalStatus"] == "Approved":
        promote(sagemaker, arn, version, settings, context)
    else:
        log.info("%s is %s: nothing to do", arn, version["ModelApprovalStatus"])


def promote(sagemaker: Any, arn: str, version: dict[str, Any], settings: Settings, context: Any) -> None:
    """Copy all that belongs to a version, and start the pipeline that judges and registers it."""
    name = execution_name(arn, version)
    known = execution_of(sagemaker, name, settings.pipeline)
    if known is not None and known["PipelineExecutionStatus"] in FINISHED:
        log.info("%s is promoted already: %s", arn, known["PipelineExecutionArn"])
        return
    container = version["InferenceSpecification"]["Containers"][0]
    image = judged_image(container["Image"], settings)
    target = Target(settings, context, registered=version["CreationTime"])
    try:
        told = told_of(name, version.get("CustomerMetadataProperties", {}), settings, target)
    except ChangedSinceError as error:
        raise NotPromotableError(f"{arn}: {error}, when it was registered: it isn't what was judged") from None
    parameters = {"SourceVersionArn": arn, "ImageUri": image, **told}
    # A run that failed is started again, by another token; the same message twice isn't.
    token = hashlib.sha256(f"{arn} {known and known['PipelineExecutionArn']}".encode()).hexdigest()
    started = sagemaker.start_pipeline_execution(
        PipelineName=settings.pipeline,
        PipelineExecutionDisplayName=name,
        PipelineExecutionDescription=f"Promotion of {arn}",
        PipelineParameters=[{"Name": key, "Value": value} for key, value in sorted(parameters.items())],
        ClientRequestToken=token,
    )
    log.info("%s is judged by %s", arn, started["PipelineExecutionArn"])
    # It may have been rejected while its files were copied, by a message that found nothing to stop yet.
    if sagemaker.describe_model_package(ModelPackageName=arn)["ModelApprovalStatus"] != "Approved":
        withdraw(sagemaker, arn, version, settings)


def judged_image(image: str, settings: Settings) -> str:
    """A version's image by its digest, which holds what is asked of images here."""
    found = by_digest(image, settings.origin_repositories)
    if settings.max_critical_findings is not None:
        check_scan_findings(found, settings.max_critical_findings)
    if settings.signed_images:
        check_signature(found, settings.signers)
    return found


def withdraw(sagemaker: Any, arn: str, version: dict[str, Any], settings: Settings) -> None:
    """Stop judging a version, and reject here what was registered of it: the one before it is the newest again.

    Raises:
        NotYetError: it is still being judged: what that registers is rejected by the next try.
    """
    running = execution_of(sagemaker, execution_name(arn, version), settings.pipeline)
    if running is not None and running["PipelineExecutionStatus"] == "Executing":
        stop(sagemaker, running["PipelineExecutionArn"])
    pages = sagemaker.get_paginator("list_model_packages").paginate(ModelPackageGroupName=settings.group)
    versions = [item for page in pages for item in page["ModelPackageSummaryList"]]
    for found in [item["ModelPackageArn"] for item in versions if item.get("ModelApprovalStatus") != "Rejected"]:
        described = sagemaker.describe_model_package(ModelPackageName=found)
        if described.get("CustomerMetadataProperties", {}).get(settings.source_version_key) == arn:
            reason = f"{'/'.join(arn.split('/')[-2:])} was rejected"
            sagemaker.update_model_package(
                ModelPackageArn=found, ModelApprovalStatus="Rejected", ApprovalDescription=reason
            )
            log.info("%s is rejected, as %s is", found, arn)
    if running is not None and running["PipelineExecutionStatus"] in RUNNING:
        raise NotYetError(f"{running['PipelineExecutionArn']} is being stopped: {arn} was rejected")


def stop(sagemaker: Any, execution: str) -> None:
    """Stop an execution; it registers nothing any more, unless it is just about to."""
    token = hashlib.sha256(execution.encode()).hexdigest()
    sagemaker.stop_pipeline_execution(PipelineExecutionArn=execution, ClientRequestToken=token)
    log.info("%s is stopped: its version was rejected", execution)


def execution_name(arn: str, version: dict[str, Any]) -> str:
    """The name of the execution that takes in a version: GROUP-VERSION-CREATED, 82 characters at the most.

    A group that was made anew begins with 1 again: what was promoted by that number before is another version.
    """
    return f"{'-'.join(arn.split('/')[-2:])}-{version['CreationTime']:%Y%m%d%H%M%S}"[-82:]


def execution_of(sagemaker: Any, name: str, pipeline: str) -> dict[str, Any] | None:
    """The newest execution of that name, or None."""
    pages = sagemaker.get_paginator("list_pipeline_executions").paginate(
        PipelineName=pipeline, SortBy="CreationTime", SortOrder="Descending"
    )
    found = (item for page in pages for item in page["PipelineExecutionSummaries"])
    return next((item for item in found if item.get("PipelineExecutionDisplayName") == name), None)


def told_of(name: str, metadata: dict[str, str], settings: Settings, target: "Target") -> dict[str, str]:
    """The pipeline's parameters of a version: where its files lie here, once they do, and what they must be.

    Its archive stays where it is: one is packed here, of what was judged here.

    Raises:
        NotPromotableError: it doesn't say all of it.
    """
    missing = [key for key in (*settings.copied, *settings.digests) if not metadata.get(key)]
    if missing:
        raise NotPromotableError(f"{name} doesn't say its {', '.join(missing)}: register it by a newer run")
    found = {parameter: metadata[key] for key, parameter in settings.digests.items()}
    for key, parameter in settings.copied.items():
        if key in settings.shared:
            found[parameter] = target.take_prefix_once(metadata[key], f"{settings.prefix}/{key}")
        else:
            found[parameter] = target.take_prefix(metadata[key], f"{settings.prefix}/{name}/{key}")
    return found


class Target:
    """This environment's bucket, which another's objects are copied to by S3 itself.

    What was written after the version was `registered` isn't what was judged there, and is refused.
    """

    def __init__(self, settings: Settings, context: Any, *, registered: datetime) -> None:
        # A part takes S3 longer than a client waits by itself.
        self._s3 = client("s3", read_timeout=300, max_pool_connections=PARTS_AT_ONCE)
        self._bucket = settings.bucket
        self._how = How(
            key_arn=settings.key_arn,
            time_left=lambda: context.get_remaining_time_in_millis() / 1000 - SECONDS_TO_STOP_BEFORE,
            unchanged_since=registered,
        )

    def take_prefix(self, uri: str, prefix: str) -> str:
        """Copy all that lies under a prefix; its new URI."""
        bucket, source = parts_of(uri)
        copy_prefix(self._s3, (bucket, source.rstrip("/") + "/"), (self._bucket, prefix + "/"), self._how)
        return f"s3://{self._bucket}/{prefix}/" if uri.endswith("/") else f"s3://{self._bucket}/{prefix}"

    def take_prefix_once(self, uri: str, prefix: str) -> str:
        """The same to a place that is named by what lies there: another content never takes its place."""
        bucket, source = parts_of(uri)
        beginning = source.rstrip("/") + "/"
        return self.take_prefix(uri, f"{prefix}/{digest(listed(self._s3, (bucket, beginning)), beginning)}")


def parts_of(uri: str) -> tuple[str, str]:
    """Bucket and key of an S3 URI."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key
