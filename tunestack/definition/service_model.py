"""What botocore knows of the SageMaker API: the requests that steps make, and what their jobs answer."""

from functools import cache

from botocore.loaders import create_loader
from botocore.model import ServiceModel, Shape, StructureShape

from tunestack.job_api import APIS

# Kind of step → (the request it makes, the call that describes the outcome, members that the service sets).
OPERATIONS = {
    **{api.step_type: (f"Create{api.noun}", f"Describe{api.noun}", {f"{api.noun}Name"}) for api in APIS},
    "Model": ("CreateModel", "DescribeModel", {"ModelName"}),
    "RegisterModel": ("CreateModelPackage", "DescribeModelPackage", set[str]()),
}


@cache
def sagemaker() -> ServiceModel:
    """The SageMaker service as this botocore describes it; no network is used."""
    # botocore's loader alone: a session would bring its HTTP client along.
    return ServiceModel(create_loader().load_service_model("sagemaker", "service-2"), "sagemaker")


def request_shape(step_type: str) -> StructureShape:
    """The request that a step of that kind makes."""
    return _structure(sagemaker().operation_model(OPERATIONS[step_type][0]).input_shape)


def outcome_shape(step_type: str) -> StructureShape:
    """What a finished step of that kind can be asked for."""
    return _structure(sagemaker().operation_model(OPERATIONS[step_type][1]).output_shape)


@cache
def step_types_of_the_service() -> frozenset[str]:
    """The kinds of step that the service reports of; its answers call a job's step by the job (`TrainingJob`)."""
    members = _structure(sagemaker().shape_for("PipelineExecutionStepMetadata")).members
    return frozenset(name.removesuffix("Job") or name for name in members)


def _structure(shape: Shape | None) -> StructureShape:
    assert isinstance(shape, StructureShape)
    return shape
