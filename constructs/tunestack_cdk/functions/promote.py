"""Take in a version that another environment approved; take back here what it has rejected.

One decision at a time, off the queue. All of it can be done again: what is copied already is left alone, the pipeline
is started once for a version, and a version that is registered here isn't registered again.
"""

import hashlib
import json
import logging
import os
from typing import Any

import boto3
from botocore.config import Config
from copying import PARTS_AT_ONCE, copy_object, copy_prefix

log = logging.getLogger()
log.setLevel(logging.INFO)
# After that many seconds less, a copy goes on in the next try.
SECONDS_TO_STOP_BEFORE = 60
FINISHED = ("Executing", "Succeeded")


class NotPromotableError(Exception):
    """A version that can't be promoted as it is; the text says why."""


class NotYetError(Exception):
    """An image whose scan or signature isn't there yet: it is tried again."""


def handler(event: dict[str, Any], context: Any) -> None:
    """A message of the queue: raising puts it back, until it has been tried too often."""
    for record in event["Records"]:
        message = json.loads(record["body"])
        try:
            decided(message["detail"]["ModelPackageArn"], context)
        except NotPromotableError as error:
            # Trying again changes nothing: it is said once, in the log.
            log.error("%s", error)


def decided(arn: str, context: Any) -> None:
    """Act on what was decided on a version: what it is now counts, not what the message says it was."""
    if not arn.startswith(os.environ["SOURCE_VERSIONS"]):
        raise NotPromotableError(f"{arn} is no version that is promoted here: {os.environ['SOURCE_VERSIONS']}…")
    sagemaker = boto3.client("sagemaker")
    version = sagemaker.describe_model_package(ModelPackageName=arn)
    if version["ModelApprovalStatus"] == "Rejected":
        withdraw(sagemaker, arn)
    elif version["ModelApprovalStatus"] == "Approved":
        promote(sagemaker, arn, version, context)
    else:
        log.info("%s is %s: nothing to do", arn, version["ModelApprovalStatus"])


def promote(sagemaker: Any, arn: str, version: dict[str, Any], context: Any) -> None:
    """Copy all that belongs to a version, and start the pipeline that judges and registers it."""
    name = execution_name(arn)
    known = execution_of(sagemaker, name)
    if known is not None and known["PipelineExecutionStatus"] in FINISHED:
        log.info("%s is promoted already: %s", arn, known["PipelineExecutionArn"])
        return
    container = version["InferenceSpecification"]["Containers"][0]
    image = by_digest(container["Image"])
    uris = copied(arn, version["CustomerMetadataProperties"], container["ModelDataUrl"], context)
    parameters = {"SourceVersionArn": arn, "ImageUri": image, **uris}
    # A run that failed is started again, by another token; the same message twice isn't.
    token = hashlib.sha256(f"{arn} {known and known['PipelineExecutionArn']}".encode()).hexdigest()
    started = sagemaker.start_pipeline_execution(
        PipelineName=os.environ["PIPELINE"],
        PipelineExecutionDisplayName=name,
        PipelineExecutionDescription=f"Promotion of {arn}",
        PipelineParameters=[{"Name": key, "Value": value} for key, value in sorted(parameters.items())],
        ClientRequestToken=token,
    )
    log.info("%s is judged by %s", arn, started["PipelineExecutionArn"])


def withdraw(sagemaker: Any, arn: str) -> None:
    """Reject here what was registered of a version: the one before it is the newest approved again."""
    pages = sagemaker.get_paginator("list_model_packages").paginate(ModelPackageGroupName=os.environ["GROUP"])
    versions = [item for page in pages for item in page["ModelPackageSummaryList"]]
    for found in [item["ModelPackageArn"] for item in versions if item.get("ModelApprovalStatus") != "Rejected"]:
        described = sagemaker.describe_model_package(ModelPackageName=found)
        if described.get("CustomerMetadataProperties", {}).get(os.environ["SOURCE_VERSION_KEY"]) == arn:
            reason = f"{'/'.join(arn.split('/')[-2:])} was rejected"
            sagemaker.update_model_package(
                ModelPackageArn=found, ModelApprovalStatus="Rejected", ApprovalDescription=reason
            )
            log.info("%s is rejected, as %s is", found, arn)


def execution_name(arn: str) -> str:
    """The name of the execution that takes in a version: GROUP-VERSION, 82 characters at the most."""
    return "-".join(arn.split("/")[-2:])[-82:]


def execution_of(sagemaker: Any, name: str) -> dict[str, Any] | None:
    """The newest execution of that name, or None."""
    pages = sagemaker.get_paginator("list_pipeline_executions").paginate(
        PipelineName=os.environ["PIPELINE"], SortBy="CreationTime", SortOrder="Descending"
    )
    found = (item for page in pages for item in page["PipelineExecutionSummaries"])
    return next((item for item in found if item.get("PipelineExecutionDisplayName") == name), None)


def by_digest(image: str) -> str:
    """An image's URI by its digest: a tag could be moved, and what was judged must be what runs.

    Raises:
        NotPromotableError: its repository isn't one that versions come from, or hasn't it any more.
    """
    known = json.loads(os.environ["ORIGIN_REPOSITORIES"])
    if image.partition("@")[0].rpartition(":")[0] not in known and image.partition("@")[0] not in known:
        raise NotPromotableError(f"the image {image} is of none of the repositories {', '.join(known)}")
    host, _, path = image.partition("/")
    if "@" in image:
        repository, _, digest = path.partition("@")
        wanted = {"imageDigest": digest}
    else:
        repository, _, tag = path.partition(":")
        wanted = {"imageTag": tag}
    answer = boto3.client("ecr").batch_get_image(
        registryId=host.partition(".")[0], repositoryName=repository, imageIds=[wanted]
    )
    if not answer["images"]:
        raise NotPromotableError(f"the image {image} isn't in its repository any more")
    digest = answer["images"][0]["imageId"]["imageDigest"]
    check_scan_findings(host.partition(".")[0], repository, digest)
    check_signature(host.partition(".")[0], repository, digest)
    return f"{host}/{repository}@{digest}"


def check_scan_findings(registry: str, repository: str, digest: str) -> None:
    """See that the scan of an image found no more than is allowed, where that is asked for.

    Raises:
        NotPromotableError: it found more.
        NotYetError: it hasn't ended yet.
    """
    allowed = os.environ.get("MAX_CRITICAL_FINDINGS")
    if not allowed:
        return
    ecr = boto3.client("ecr")
    try:
        found = ecr.describe_image_scan_findings(
            registryId=registry, repositoryName=repository, imageId={"imageDigest": digest}, maxResults=1
        )
    except ecr.exceptions.ScanNotFoundException:
        raise NotPromotableError(f"{repository}@{digest} was never scanned") from None
    status = found["imageScanStatus"]["status"]
    if status in ("IN_PROGRESS", "PENDING"):
        raise NotYetError(f"the scan of {repository}@{digest} is {status}")
    if status not in ("COMPLETE", "ACTIVE"):
        raise NotPromotableError(f"the scan of {repository}@{digest} is {status}: nobody knows what is in it")
    critical = found["imageScanFindings"].get("findingSeverityCounts", {}).get("CRITICAL", 0)
    if critical > int(allowed):
        raise NotPromotableError(
            f"the scan of {repository}@{digest} has {critical} critical findings, and {allowed} are allowed "
            "(promotion.max_critical_findings)"
        )


def check_signature(registry: str, repository: str, digest: str) -> None:
    """See that an image is signed, where that is asked for.

    Raises:
        NotPromotableError: it isn't.
        NotYetError: it is being signed.
    """
    if not os.environ.get("SIGNED_IMAGES"):
        return
    answer = boto3.client("ecr").describe_image_signing_status(
        registryId=registry, repositoryName=repository, imageId={"imageDigest": digest}
    )
    found = answer.get("signingStatuses", [])
    if any(item["status"] == "IN_PROGRESS" for item in found):
        raise NotYetError(f"{repository}@{digest} is being signed")
    failed = [item for item in found if item["status"] != "COMPLETE"]
    if not found or failed:
        why = failed[0].get("failureReason", "signing failed") if failed else "nobody signed it"
        raise NotPromotableError(
            f"{repository}@{digest} isn't signed: {why} (promotion.signed_images; images.signed where it was built)"
        )


def copied(arn: str, metadata: dict[str, str], model_data_url: str, context: Any) -> dict[str, str]:
    """The parameters that say where a version's files lie here, once they do."""
    parameters, shared = json.loads(os.environ["PARAMETERS"]), json.loads(os.environ["SHARED"])
    missing = [key for key in parameters if key not in metadata]
    if missing:
        raise NotPromotableError(f"{arn} doesn't say where its {', '.join(missing)} lie: register it by a newer run")
    target = Target(context)
    folder = "/".join([os.environ["PREFIX"], *arn.split("/")[-2:]])
    found = {"ModelDataUrl": target.take_object(model_data_url, f"{folder}/package/{name_of(model_data_url)}")}
    for key, parameter in parameters.items():
        uri = metadata[key]
        if key in shared:
            # Of all versions of a base model one copy, where it lies in its own environment.
            path = uri.partition(f"/{shared[key]}/")[2].strip("/")
            found[parameter] = target.take_prefix(uri, f"{shared[key]}/{path}")
        elif name_of(uri).endswith(".tar.gz"):
            found[parameter] = target.take_object(uri, f"{folder}/{key}/{name_of(uri)}")
        else:
            found[parameter] = target.take_prefix(uri, f"{folder}/{key}")
    return found


class Target:
    """This environment's bucket, which another's objects are copied to by S3 itself."""

    def __init__(self, context: Any) -> None:
        # A part takes S3 longer than a client waits by itself.
        self._s3 = boto3.client("s3", config=Config(read_timeout=300, max_pool_connections=PARTS_AT_ONCE))
        self._bucket, self._key_arn = os.environ["BUCKET"], os.environ["KEY"]
        self._time_left = lambda: context.get_remaining_time_in_millis() / 1000 - SECONDS_TO_STOP_BEFORE

    def take_object(self, uri: str, key: str) -> str:
        """Copy one object; its new URI."""
        bucket, source = parts_of(uri)
        copy_object(self._s3, (bucket, source), (self._bucket, key), key_arn=self._key_arn, time_left=self._time_left)
        return f"s3://{self._bucket}/{key}"

    def take_prefix(self, uri: str, prefix: str) -> str:
        """Copy all that lies under a prefix; its new URI."""
        bucket, source = parts_of(uri)
        copy_prefix(
            self._s3,
            (bucket, source.rstrip("/") + "/"),
            (self._bucket, prefix + "/"),
            key_arn=self._key_arn,
            time_left=self._time_left,
        )
        return f"s3://{self._bucket}/{prefix}/" if uri.endswith("/") else f"s3://{self._bucket}/{prefix}"


def parts_of(uri: str) -> tuple[str, str]:
    """Bucket and key of an S3 URI."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


def name_of(uri: str) -> str:
    """The last part of a URI."""
    return uri.rpartition("/")[2]
