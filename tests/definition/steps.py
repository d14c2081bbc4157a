"""Steps as the API's requests make them, to hold rules by."""

from typing import Any

GPU, HOST = "ml.g5.2xlarge", "ml.m5.xlarge"
S3 = {"S3DataSource": {"S3Uri": "s3://b/k", "S3DataType": "S3Prefix", "CompressionType": "None"}}
SPOT = {"EnableManagedSpotTraining": True}
STOP, WAIT, PENDING = "StoppingCondition", {"MaxWaitTimeInSeconds": 90}, {"MaxPendingTimeInSeconds": 7200}
RETRY = {"ExceptionType": ["Step.THROTTLING"], "MaxAttempts": 2}


def processing(**arguments: Any) -> dict[str, Any]:
    return {"entry": {"Type": "Processing"}, "arguments": arguments}


def on(name: str, **more: Any) -> dict[str, Any]:
    return processing(ProcessingResources={"ClusterConfig": {"InstanceType": name, **more}})


def training(**arguments: Any) -> dict[str, Any]:
    return {"entry": {"Type": "Training"}, "arguments": arguments}


def transform(model: dict[str, Any] | None = None, **arguments: Any) -> dict[str, Any]:
    return {"entry": {"Type": "Transform"}, "arguments": arguments, "model": model}


def model(**arguments: Any) -> dict[str, Any]:
    return {"entry": {"Type": "Model"}, "arguments": arguments}


def package(**arguments: Any) -> dict[str, Any]:
    return {"entry": {"Type": "RegisterModel"}, "arguments": arguments}


def step(kind: str, **keys: Any) -> dict[str, Any]:
    return {"entry": {"Type": kind, **keys}, "arguments": {}}
