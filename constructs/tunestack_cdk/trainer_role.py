"""The role of people who train: they bring data and models, run the pipeline, and read what comes of it."""

from collections.abc import Sequence
from typing import Any

from constructs import Construct

from tunestack.layout import Place
from tunestack_cdk.person_role import PersonRole, Workplace


class TrainerRole(PersonRole):
    """What `tunestack`'s commands need once an environment is deployed; it can neither deploy nor approve a version."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        workplace: Workplace,
        brings: Sequence[Place],
        reads: Sequence[Place],
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, workplace=workplace, **kwargs)
        for place in brings:
            self._access.write(self._buckets[place.bucket], place.prefix)
        self._allow_reading((*brings, *reads))
        self._allow(["StartPipelineExecution"], self._pipeline)
        self._allow(["RetryPipelineExecution", "StopPipelineExecution"], self._executions)
        self._allow_jobs_and_logs()
