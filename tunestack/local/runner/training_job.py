"""A training job, as SageMaker runs it."""

import tarfile
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from tunestack.definition.job_files import files_read
from tunestack.job_api import TRAINING_API
from tunestack.layout import S3Uri
from tunestack.local.runner.container import ContainerSpec, write_json
from tunestack.local.runner.errors import MaxRuntimeExceeded
from tunestack.local.runner.job import Job
from tunestack.local.runner.job_log import JobLog
from tunestack.local.runner.transfers import CheckpointSync, download_prefix, encryption, upload_folder

if TYPE_CHECKING:
    from types_boto3_cloudwatch.type_defs import MetricDatumTypeDef


class TrainingJob(Job):
    """Channels and hyperparameters in, checkpoints synchronised while it trains, the model out."""

    api = TRAINING_API

    def prepare(self) -> None:
        config = self.ml_folder / "input" / "config"
        write_json(config / "hyperparameters.json", self.request.get("HyperParameters", {}))
        write_json(config / "resourceconfig.json", {"current_host": "algo-1", "hosts": ["algo-1"]})
        channels = list(files_read(self.request))
        described = {channel.name: {"TrainingInputMode": "File"} for channel in channels}
        write_json(config / "inputdataconfig.json", described)
        for channel in channels:
            download_prefix(self.clients.s3, channel.uri, self.ml_folder / "input" / "data" / channel.name)
        for name in ("model", "output/data", "checkpoints"):
            (self.ml_folder / name).mkdir(parents=True, exist_ok=True)

    def execute(self, log: JobLog) -> None:
        spec = ContainerSpec(
            image_uri=self.request["AlgorithmSpecification"]["TrainingImage"],
            entrypoint=self.request["AlgorithmSpecification"].get("ContainerEntrypoint"),
            arguments=self.request["AlgorithmSpecification"].get("ContainerArguments", ["train"]),
            environment={
                "TRAINING_JOB_NAME": self.name,
                "TRAINING_JOB_ARN": self.arn,
                **self.request.get("Environment", {}),
            },
            ml_folder=self.ml_folder,
        )
        limit = self.request["StoppingCondition"].get("MaxRuntimeInSeconds", 86_400)
        checkpoints = self.request.get("CheckpointConfig")
        if checkpoints is None:
            self.run_container(spec, log, max_runtime_seconds=limit)
            return
        folder, uri = self.ml_folder / "checkpoints", checkpoints["S3Uri"]
        with CheckpointSync(self.clients.s3, folder, uri, kms_key=self._kms_key, on_problem=log.write):
            self.run_container(spec, log, max_runtime_seconds=limit)

    def metric_definitions(self) -> list[dict[str, str]]:
        found: list[dict[str, str]] = self.request["AlgorithmSpecification"].get("MetricDefinitions", [])
        return found

    def over_time(self, failure: MaxRuntimeExceeded) -> dict[str, Any]:
        return {"TrainingJobStatus": "Stopped", "SecondaryStatus": "MaxRuntimeExceeded"}

    def finish(self) -> dict[str, Any]:
        output = self.request["OutputDataConfig"]
        place = f"{output['S3OutputPath'].rstrip('/')}/{self.name}/output"
        if output.get("CompressionType", "GZIP") == "NONE":
            artifacts = f"{place}/model/"
            upload_folder(self.clients.s3, self.ml_folder / "model", artifacts, kms_key=self._kms_key)
        else:
            artifacts = f"{place}/model.tar.gz"
            self._upload_archive(artifacts)
        return {"ModelArtifacts": {"S3ModelArtifacts": artifacts}}

    def conclude(self, log: JobLog) -> dict[str, Any]:
        final = [
            {"MetricName": name, "Value": points[-1][1], "Timestamp": points[-1][0]}
            for name, points in log.metrics.items()
        ]
        try:
            self._publish(log.metrics)
        except (ClientError, BotoCoreError) as error:
            # As on AWS: a job whose role may not write metrics ends as it would without them.
            log.write(f"[tunestack] no metrics in CloudWatch: {error}")
        return {"FinalMetricDataList": final} if final else {}

    def times(
        self, *, started: float | None = None, ended: float | None = None, seconds: float | None = None
    ) -> dict[str, Any]:
        times = super().times(started=started, ended=ended)
        if seconds is not None:
            times |= {"TrainingTimeInSeconds": int(seconds), "BillableTimeInSeconds": int(seconds)}
        return times

    @property
    def _kms_key(self) -> str | None:
        key: str | None = self.request["OutputDataConfig"].get("KmsKeyId")
        return key

    def _upload_archive(self, uri: str) -> None:
        archive = self.folder / "model.tar.gz"
        with tarfile.open(archive, "w:gz", compresslevel=1) as tar:
            tar.add(self.ml_folder / "model", arcname=".")
        bucket, key = S3Uri.parse(uri)
        self.clients.s3.upload_file(str(archive), bucket, key, ExtraArgs=encryption(self._kms_key))
        archive.unlink()

    def _publish(self, metrics: dict[str, list[tuple[float, float]]]) -> None:
        data: list[MetricDatumTypeDef] = [
            {
                "MetricName": name,
                "Dimensions": [{"Name": "TrainingJobName", "Value": self.name}],
                "Timestamp": datetime.fromtimestamp(moment, UTC),
                "Value": value,
            }
            for name, points in metrics.items()
            for moment, value in points
        ]
        for start in range(0, len(data), 500):
            self.clients.cloudwatch.put_metric_data(Namespace=self.api.log_group, MetricData=data[start : start + 500])

    def update(self, **changes: Any) -> None:
        if status := changes.get("TrainingJobStatus"):
            changes.setdefault("SecondaryStatus", {"InProgress": "Training"}.get(status, status))
        elif "TrainingStartTime" in changes:
            changes["SecondaryStatus"] = "Training"
            changes["SecondaryStatusTransitions"] = [{"Status": "Training", "StartTime": time.time()}]
        super().update(**changes)
