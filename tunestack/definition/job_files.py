"""What a job's request, or its description, says that it reads and writes in S3."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

MODEL, ANSWERS = "model", "answers"


@dataclass(frozen=True, kw_only=True)
class JobFiles:
    """What lies at a URI, under the job's own name for it; `local_path` is where a processing job has it."""

    name: str
    uri: str
    local_path: str | None = None
    kms_key: str | None = None


def files_read(request: Mapping[str, Any]) -> Iterator[JobFiles]:
    """What a job reads: a processing job's inputs, a training's channels, a transform's data."""
    for item in request.get("ProcessingInputs", []):
        if source := item.get("S3Input"):
            yield JobFiles(name=item["InputName"], uri=source["S3Uri"], local_path=source["LocalPath"])
    for channel in request.get("InputDataConfig", []):
        yield JobFiles(name=channel["ChannelName"], uri=channel["DataSource"]["S3DataSource"]["S3Uri"])
    if data := request.get("TransformInput"):
        yield JobFiles(name="data", uri=data["DataSource"]["S3DataSource"]["S3Uri"])


def files_written(request: Mapping[str, Any]) -> Iterator[JobFiles]:
    """What a job writes, but for its checkpoints; of a training the place that its archive goes under."""
    outputs = request.get("ProcessingOutputConfig", {})
    for item in outputs.get("Outputs", []):
        target, key = item["S3Output"], outputs.get("KmsKeyId")
        yield JobFiles(name=item["OutputName"], uri=target["S3Uri"], local_path=target["LocalPath"], kms_key=key)
    for member, name in (("OutputDataConfig", MODEL), ("TransformOutput", ANSWERS)):
        if found := request.get(member):
            yield JobFiles(name=name, uri=found["S3OutputPath"], kms_key=found.get("KmsKeyId"))
