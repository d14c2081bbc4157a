"""What to do about a failure: its reason, recognised."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Advice:
    """A reason by its pattern, an example of it for people, and what helps."""

    pattern: str
    example: str
    helps: str


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
        r"No S3 objects found under (\S+)",
        "No S3 objects found under s3://…",
        "nothing lies there: upload it with `tunestack data add` or `tunestack models add`",
    ),
    Advice("no bucket", "Data download failed: no bucket", "check the URI that the parameter was given"),
    Advice(
        "the tuned model was not registered",
        "the tuned model was not registered",
        "`tunestack answers` shows what it says; train longer or on more data (the limits are the recipe's evaluation)",
    ),
    Advice(
        "different questions are too few",
        "different questions are too few",
        "add rows: a gate needs some that were never trained on (data.min_test_rows in the recipe)",
    ),
    Advice(
        "rows are rejected",
        "of … rows are rejected",
        "fix the rows that the log names, or allow more with data.max_rejected_fraction in the recipe",
    ),
    Advice(
        "is half-written|is not UTF-8|not CSV|not Parquet|is empty",
        "is half-written, is not UTF-8, not CSV, not Parquet, is empty",
        "fix the file and add it again with `tunestack data add`",
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
    Advice("the training diverged|loss is nan", "the loss is nan: the training diverged", "lower LearningRate"),
)


def advice_for(reason: str) -> str | None:
    """What would help against a failure, or None where its reason isn't recognised."""
    return next((advice.helps for advice in ADVICE if re.search(advice.pattern, reason)), None)
