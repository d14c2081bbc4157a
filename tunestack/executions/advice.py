"""What to do about a failure: its reason, recognised."""

import re

_ADVICE = (
    (
        r"out of memory|OutOfMemoryError",
        "lower PerDeviceTrainBatchSize or MaxLength, or choose a larger TrainInstanceType",
    ),
    (
        r"MaxRuntimeInSeconds|MaxRuntimeExceeded",
        "raise max_runtime_minutes of the job in config/, or train fewer steps; a training resumes",
    ),
    (
        r"No S3 objects found under (\S+)",
        "nothing lies there: upload it with `tunestack data add` or `tunestack models add`",
    ),
    (r"no bucket", "check the URI that the parameter was given"),
    (
        r"the tuned model was not registered",
        "train longer or on more data, or change the threshold for this run with --param",
    ),
    (
        r"rows are rejected",
        "fix the rows that the log names, or allow more with data.max_rejected_fraction in the recipe",
    ),
    (
        r"is half-written|is not UTF-8|not CSV|not Parquet|is empty",
        "fix the file and add it again with `tunestack data add`",
    ),
    (
        r"exit code: (137|-9)\b",
        "memory ran out, most likely the machine's own: choose a TrainInstanceType with more, or a shorter MaxLength",
    ),
    (r"SlowDown|ServiceUnavailable|Reduce your request rate|\(503\)", "S3 was overloaded: `tunestack retry` later"),
    (
        r"SafetensorError|HeaderTooLarge|incomplete metadata|MetadataIncompleteBuffer",
        "a weights file is cut off or damaged: upload the model again with `tunestack models add`",
    ),
    (
        r"(?i)model ?package ?group.*(does not exist|not found)",
        "the registry's group is gone: deploy the registry stack again",
    ),
    (r"checkpoints could not be uploaded", "see the reason in the job's log, and start it again: it resumes"),
    (r"it ended without a word", "its log may tell more: `tunestack logs`"),
    (
        r"No space left|disk is full|unexpected pos \d+",
        "raise volume_size_gb, or choose an instance type with a larger disk",
    ),
    (r"ResourceLimitExceeded|service quota", "ask for the quota that the message names, in the Service Quotas console"),
    (r"CapacityError|[Ii]nsufficient capacity", "`tunestack retry` later, or run again with another TrainInstanceType"),
    (
        r"AccessDenied|not authorized",
        "the job's role lacks a permission: redeploy the stacks, and see permissions_boundary",
    ),
    (r"the local AWS was stopped", "start it with `tunestack local up` and run again; a training resumes"),
    (r"by SIGTERM|Stopped", "run again with the same parameters: the training resumes from its checkpoint"),
    (r"the training diverged|loss is nan", "lower LearningRate"),
)


def advice_for(reason: str) -> str | None:
    """What would help against a failure, or None where its reason isn't recognised."""
    return next((advice for pattern, advice in _ADVICE if re.search(pattern, reason)), None)
