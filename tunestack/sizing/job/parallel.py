"""Ways to spread a model that its shape doesn't allow."""

from tunestack.sizing.job.fine_tuning import SizingError
from tunestack.sizing.model.architecture import Architecture


def check_tensor_parallel(architecture: Architecture, degree: int) -> None:
    """Tensor parallelism gives each GPU whole attention heads.

    Raises:
        SizingError: the heads can't be shared equally.
    """
    heads = {layer.attention.heads for layer in architecture.layers}
    if any(count % degree for count in heads):
        raise SizingError(
            f"tensor parallelism over {degree} GPUs can't share the {max(heads)} heads of {architecture.name} equally"
        )


def check_layers_by_gpu(architecture: Architecture, gpus: int) -> None:
    """Each GPU needs a layer.

    Raises:
        SizingError: there are more GPUs than layers.
    """
    if gpus > architecture.depth:
        raise SizingError(f"{gpus} GPUs can't share the {architecture.depth} layers of {architecture.name}")
