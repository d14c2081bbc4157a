"""A processing job, as SageMaker runs it."""

from pathlib import Path
from typing import Any

from tunestack.definition.job_files import JobFiles, files_read, files_written
from tunestack.job_api import PROCESSING_API
from tunestack.local.runner.container import ContainerSpec, write_json
from tunestack.local.runner.job import Job
from tunestack.local.runner.job_log import JobLog
from tunestack.local.runner.transfers import download_prefix, upload_folder

EXIT_MESSAGE_LIMIT = 1024


class ProcessingJob(Job):
    """Inputs to their local paths, the command, outputs to S3."""

    api = PROCESSING_API

    def prepare(self) -> None:
        for source in files_read(self.request):
            download_prefix(self.clients.s3, source.uri, self._local(source))
        for target in files_written(self.request):
            self._local(target).mkdir(parents=True, exist_ok=True)
        (self.ml_folder / "output").mkdir(parents=True, exist_ok=True)
        write_json(self.ml_folder / "config" / "processingjobconfig.json", self.request)
        cluster = {"current_host": "algo-1", "hosts": ["algo-1"]}
        write_json(self.ml_folder / "config" / "resourceconfig.json", cluster)

    def execute(self, log: JobLog) -> None:
        application = self.request["AppSpecification"]
        spec = ContainerSpec(
            image_uri=application["ImageUri"],
            entrypoint=application.get("ContainerEntrypoint"),
            arguments=application.get("ContainerArguments", []),
            environment={"PROCESSING_JOB_ARN": self.arn, **self.request.get("Environment", {})},
            ml_folder=self.ml_folder,
        )
        limit = self.request.get("StoppingCondition", {}).get("MaxRuntimeInSeconds", 86_400)
        self.run_container(spec, log, max_runtime_seconds=limit)

    def finish(self) -> dict[str, Any]:
        for target in files_written(self.request):
            upload_folder(self.clients.s3, self._local(target), target.uri, kms_key=target.kms_key)
        return {}

    def conclude(self, log: JobLog) -> dict[str, Any]:
        message = self.ml_folder / "output" / "message"
        if not message.exists():
            return {}
        return {"ExitMessage": message.read_text(encoding="utf-8", errors="replace")[:EXIT_MESSAGE_LIMIT]}

    def _local(self, files: JobFiles) -> Path:
        assert files.local_path is not None
        return self.ml_folder / files.local_path.removeprefix("/opt/ml/")
