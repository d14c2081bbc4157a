"""What to do about a failure: its reason, recognised."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Advice:
    """A reason by its pattern, an example of it for people, and what helps.

    Where the inputs are the reason, `again` is false: the same, tried again, fails again, and is paid again.
    """

    pattern: str
    example: str
    helps: str
    again: bool = True


ADVICE = (
    Advice(
        "out of memory|OutOfMemoryError",
        "CUDA out of memory",
        "lower PerDeviceTrainBatchSize or MaxLength, or choose a larger TrainInstanceType",
    ),
    Advice(
        "MaxRuntimeInSeconds|MaxRuntimeExceeded",
        "MaxRuntimeExceeded",
        "raise max_runtime_minutes of the job in config/, or train fewer steps; a training resumes",
    ),
    Advice(
        "chat template|leaves out a part of the",
        "the model's chat template …",
        "upload the model with a template that fits the rows, or leave out of them what it has no place for",
    ),
    Advice(
        r"evaluation\.json|[Pp]roperty ?[Ff]ile|JsonGet",
        "evaluation.json can't be read",
        "the evaluation left no figures that a gate can read: its log says why (`tunestack logs`)",
    ),
    Advice(
        r"No S3 objects found under (\S+)",
        "No S3 objects found under s3://…",
        "nothing lies there: upload it with `tunestack data add` or `tunestack models add`",
    ),
    Advice("no bucket", "Data download failed: no bucket", "check the URI that the parameter was given"),
    Advice(
        "the tuned model was not registered",
        "the tuned model was not registered",
        "`tunestack answers` shows what it says; train longer or on more data (the limits are the recipe's evaluation)",
        again=False,
    ),
    Advice(
        "different questions are too few",
        "different questions are too few",
        "add rows: a gate needs some that were never trained on (data.min_test_rows in the recipe)",
        again=False,
    ),
    Advice(
        "rows are rejected",
        "of … rows are rejected",
        "fix the rows that the log names, or allow more with data.max_rejected_fraction in the recipe",
        again=False,
    ),
    Advice(
        "is half-written|or half-written|is not UTF-8|not (CSV|Parquet|Arrow)|is no gzip|is empty|a data file ends in",
        "is half-written, is not UTF-8, not CSV, not Parquet, is no gzip file, is empty",
        "fix the file and add it again with `tunestack data add`",
        again=False,
    ),
    Advice(
        r"exit code: (137|-9)\b",
        "exit code: 137",
        "memory ran out, most likely the machine's own: choose a TrainInstanceType with more, or a shorter MaxLength",
    ),
    Advice(
        r"SlowDown|ServiceUnavailable|Reduce your request rate|\(503\)",
        "SlowDown, ServiceUnavailable, (503)",
        "S3 was overloaded: `tunestack retry` later",
    ),
    Advice(
        "SafetensorError|HeaderTooLarge|incomplete metadata|MetadataIncompleteBuffer",
        "SafetensorError: … incomplete metadata",
        "a weights file is cut off or damaged: upload the model again with `tunestack models add`",
    ),
    Advice(
        "(?i)model ?package ?group.*(does not exist|not found)",
        "Model package group … does not exist",
        "the registry's group is gone: deploy the registry stack again",
    ),
    Advice(
        "checkpoints could not be uploaded",
        "checkpoints could not be uploaded",
        "see the reason in the job's log, and start it again: it resumes",
    ),
    Advice("it ended without a word", "it ended without a word", "its log may tell more: `tunestack logs`"),
    Advice(
        r"No space left|disk is full|unexpected pos \d+",
        "No space left on device, unexpected pos 220736",
        "raise volume_size_gb, or choose an instance type with a larger disk",
    ),
    Advice(
        "ResourceLimitExceeded|service quota",
        "ResourceLimitExceeded",
        "ask for the quota that the message names, in the Service Quotas console",
    ),
    Advice(
        "CapacityError|[Ii]nsufficient capacity",
        "CapacityError",
        "`tunestack retry` later, or run again with another TrainInstanceType",
    ),
    Advice(
        "AccessDenied|not authorized",
        "AccessDenied, … is not authorized to perform …",
        "the job's role lacks a permission: redeploy the stacks, and see permissions_boundary",
    ),
    Advice(
        "the local AWS was stopped",
        "the local AWS was stopped while this ran",
        "start it with `tunestack local up` and run again; a training resumes",
    ),
    Advice(
        "by SIGTERM|Stopped", "Stopped", "run again with the same parameters: the training resumes from its checkpoint"
    ),
    Advice(
        "the training diverged|loss is nan", "the loss is nan: the training diverged", "lower LearningRate", again=False
    ),
    Advice(
        "Throttling|Rate exceeded|TooManyRequests",
        "ThrottlingException: Rate exceeded",
        "too many calls at once in this account and region: `tunestack retry` later",
    ),
    Advice(
        "InternalServerError|InternalFailure|[Ii]nternal (server )?error",
        "InternalServerError",
        "it was AWS's own: `tunestack retry`, and ask AWS's support if it stays",
    ),
    Advice(
        "Unable to get response from algorithm|ping health check|model server|Model server",
        "Unable to get response from algorithm",
        "the server of the batch transform ended, or was too slow: its log says why (`tunestack logs`)",
    ),
    Advice(
        "ExpiredToken|security token included in the request is expired",
        "ExpiredToken",
        "log in again, and follow the run with `tunestack describe`: it went on without you",
    ),
    Advice(
        "(?i)route to s3|s3.*(no route|endpoint)|ListObjectsV2|timeout.*s3|could not connect to the endpoint",
        "ListObjectsV2 failed; no route to S3 from the VPC",
        "the job's subnets need S3's gateway endpoint in their route tables, and its policy this account's buckets",
    ),
    Advice(
        "(?i)(insufficient|not enough) free (ip )?addresses|NetworkInterfaceLimitExceeded|subnet.*(full|no free)",
        "insufficient free addresses in subnet",
        "the job's subnets are full: end other jobs, or name larger ones (network in config/)",
    ),
    Advice(
        "KMS.*(Disabled|PendingDeletion|NotFound|InvalidState)|KMSInvalidState",
        "KMS.DisabledException",
        "the key is disabled or waits to be deleted: enable it, or cancel its deletion, and `tunestack retry`",
    ),
    Advice(
        "(?i)manifest unknown|ImageNotFound|CannotPull|RepositoryNotFound|does not have an image|image.*not found",
        "the image … was not found",
        "the image isn't in its repository: deploy the images stack, which builds it",
    ),
    Advice(
        "(?i)NCCL|watchdog caught collective",
        "NCCL error, watchdog caught collective operation timeout",
        "one machine of several ended or hangs: the first error in any of their logs is the reason (`tunestack logs`)",
    ),
    Advice(
        "no kernel image is available|CUDA driver version is insufficient|forward compatibility",
        "CUDA driver version is insufficient",
        "the image's CUDA and the driver don't fit: another TrainInstanceType, or the images' torch_build",
    ),
)


def advice_for(reason: str) -> str | None:
    """What would help against a failure, or None where its reason isn't recognised."""
    found = _recognised(reason)
    return found.helps if found else None


def fails_again(reason: str) -> bool:
    """Whether the same inputs are known to fail in the same way."""
    found = _recognised(reason)
    return found is not None and not found.again


def _recognised(reason: str) -> Advice | None:
    return next((advice for advice in ADVICE if re.search(advice.pattern, reason)), None)
