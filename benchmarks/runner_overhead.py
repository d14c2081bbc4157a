"""The runner's cost beside the jobs themselves: a pipeline of processing steps that do nothing."""

import json
import re
import secrets
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from tunestack.local import LocalAws, lifecycle, local_aws
from tunestack.local.address import ACCOUNT, REGION

STEPS = 8
# Runs before memory is looked at first, and then between that and the second look.
WARM_UP_RUNS, MORE_RUNS = 5, 25
ROLE = f"arn:aws:iam::{ACCOUNT}:role/nothing"


@dataclass(frozen=True, kw_only=True)
class Overhead:
    """What the local AWS takes: seconds of a step beside its job, and of that job; MiB at first, and each run more."""

    step_seconds: float
    job_seconds: float
    memory_mib: float
    memory_mib_per_run: float


def measure() -> Overhead:
    """Run a pipeline of empty jobs, again and again."""
    with tempfile.TemporaryDirectory() as folder:
        local = local_aws(Path(folder))
        lifecycle.up(local, port=4598)
        try:
            session = boto3.Session(aws_access_key_id=ACCOUNT, aws_secret_access_key="x", region_name=REGION)
            _make_role(session.client("iam", endpoint_url=local.endpoint_url))
            sagemaker = session.client("sagemaker", endpoint_url=local.endpoint_url)
            sagemaker.create_pipeline(
                PipelineName="nothing",
                PipelineDefinition=json.dumps(_definition()),
                RoleArn=ROLE,
                ClientRequestToken="x" * 32,
            )
            steps = [seconds for _ in range(WARM_UP_RUNS) for seconds in _run(sagemaker)]
            before = _memory_mib(local)
            for _ in range(MORE_RUNS):
                _run(sagemaker)
            after = _memory_mib(local)
        finally:
            lifecycle.down(local, delete_data=True)
    job = statistics.median(_job() for _ in range(STEPS))
    return Overhead(
        step_seconds=statistics.median(steps) - job,
        job_seconds=job,
        memory_mib=before,
        memory_mib_per_run=(after - before) / MORE_RUNS,
    )


def _memory_mib(local: LocalAws) -> float:
    """Resident memory of the server."""
    status = Path(f"/proc/{lifecycle.server_pid(local)}/status").read_text(encoding="ascii")
    return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) / 1024  # type: ignore[index]


def _make_role(iam: Any) -> None:
    """A role that may do everything: what is enforced is part of what a step takes."""
    trust = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    name = ROLE.rpartition("/")[2]
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}))
    document = json.dumps({"Version": "2012-10-17", "Statement": [everything]})
    iam.put_role_policy(RoleName=name, PolicyName="everything", PolicyDocument=document)


def _run(sagemaker: Any) -> list[float]:
    arn = sagemaker.start_pipeline_execution(PipelineName="nothing", ClientRequestToken=secrets.token_hex(16))[
        "PipelineExecutionArn"
    ]
    while True:
        status = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)["PipelineExecutionStatus"]
        if status == "Succeeded":
            break
        if status != "Executing":
            raise RuntimeError(f"the pipeline of empty jobs ended {status}")
        time.sleep(0.2)
    found = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn, MaxResults=100)["PipelineExecutionSteps"]
    return [(step["EndTime"] - step["StartTime"]).total_seconds() for step in found]


def _definition() -> dict[str, Any]:
    names = [f"Step{number}" for number in range(STEPS)]
    return {
        "Version": "2020-12-01",
        "Steps": [
            {
                "Name": name,
                "Type": "Processing",
                "DependsOn": names[index - 1 : index] if index else [],
                "Arguments": {
                    "RoleArn": ROLE,
                    "AppSpecification": {"ImageUri": "nothing", "ContainerEntrypoint": ["/bin/true"]},
                    "ProcessingResources": {
                        "ClusterConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 1}
                    },
                },
            }
            for index, name in enumerate(names)
        ],
    }


def _job() -> float:
    began = time.perf_counter()
    subprocess.run(["/bin/true"], check=True)
    return time.perf_counter() - began
