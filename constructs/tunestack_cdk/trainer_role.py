"""The role of people who train: they bring data and models, run the pipeline, and read what comes of it."""

from collections.abc import Mapping, Sequence

from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from tunestack.layout import Bucket, Place
from tunestack_cdk.person_role import PersonRole, Workplace
from tunestack_cdk.prefix_access import PrefixAccess


class TrainerRole(PersonRole):
    """What `tunestack`'s commands need once an environment is deployed; it can neither deploy nor approve a version."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        workplace: Workplace,
        buckets: Mapping[Bucket, s3.IBucket],
        key: kms.IKey,
        brings: Sequence[Place],
        reads: Sequence[Place],
    ) -> None:
        super().__init__(scope, construct_id, workplace=workplace)
        access = PrefixAccess(self.role, key=key)
        for place in brings:
            access.write(buckets[place.bucket], place.prefix)
        self._allow_reading(buckets, key, (*brings, *reads))
        self._allow(["StartPipelineExecution"], self._pipeline)
        self._allow(["RetryPipelineExecution", "StopPipelineExecution"], self._executions)
        self._allow_jobs_and_logs()
