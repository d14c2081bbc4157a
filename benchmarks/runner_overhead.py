"""The runner's cost beside the jobs themselves: a pipeline of processing steps that do nothing.

And the local AWS's memory over many runs of it, one of which has a job that writes a million lines.
"""

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
# Runs before memory is looked at first, and those after which it is looked at again.
WARM_UP_RUNS, MORE_RUNS = 5, 50
LINES = 1_000_000
ROLE = f"arn:aws:iam::{ACCOUNT}:role/nothing"


@dataclass(frozen=True, kw_only=True)
class Overhead:
    """What the local AWS takes: seconds of a step beside its job, and of that job; MiB at first and at most."""

    step_seconds: float
    job_seconds: float
    memory_mib: float
    most_memory_mib: float


def measure() -> Overhead:
    """Run a pipeline of empty jobs, again and again."""
    with tempfile.TemporaryDirectory() as folder:
        local = local_aws(Path(folder))
        lifecycle.up(local, port=4598)
        try:
            session = boto3.Session(aws_access_key_id=ACCOUNT, aws_secret_access_key="x", region_name=REGION)
            _make_role(session.client("iam", endpoint_url=local.endpoint_url))
            sagemaker = session.client("sagemaker", endpoint_url=local.endpoint_url)
            _make_pipeline(sagemaker, "nothing", [["/bin/true"]] * STEPS)
            _make_pipeline(sagemaker, "talkative", [["seq", str(LINES)]])
            steps = [seconds for _ in range(WARM_UP_RUNS) for seconds in _run(sagemaker, "nothing")]
            before = most = _memory_mib(local)
            for number in range(MORE_RUNS):
                _run(sagemaker, "nothing" if number else "talkative")
                most = max(most, _memory_mib(local))
        finally:
            lifecycle.down(local, delete_data=True)
    job = statistics.median(_job() for _ in range(STEPS))
    return Overhead(
        step_seconds=statistics.median(steps) - job,
        job_seconds=job,
        memory_mib=before,
        most_memory_mib=most,
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


def _make_pipeline(sagemaker: Any, name: str, commands: list[list[str]]) -> None:
    definition = json.dumps(_definition(commands))
    sagemaker.create_pipeline(
        PipelineName=name, PipelineDefinition=definition, RoleArn=ROLE, ClientRequestToken=name.ljust(32, "x")
    )


def _run(sagemaker: Any, pipeline: str) -> list[float]:
    arn = sagemaker.start_pipeline_execution(PipelineName=pipeline, ClientRequestToken=secrets.token_hex(16))[
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


def _definition(commands: list[list[str]]) -> dict[str, Any]:
    names = [f"Step{number}" for number in range(len(commands))]
    return {
        "Version": "2020-12-01",
        "Steps": [
            {
                "Name": name,
                "Type": "Processing",
                "DependsOn": names[index - 1 : index] if index else [],
                "Arguments": {
                    "RoleArn": ROLE,
                    "AppSpecification": {"ImageUri": "nothing", "ContainerEntrypoint": commands[index]},
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
