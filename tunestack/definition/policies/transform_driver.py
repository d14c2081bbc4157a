"""A batch transform on a GPU must choose its host image: the default has the oldest NVIDIA driver."""

from tunestack.definition.choices import instance_choices
from tunestack.definition.subject import TRANSFORM, Problems, Subject

KINDS = frozenset({TRANSFORM})


def check(subject: Subject) -> Problems:
    if "TransformAmiVersion" in subject.part("TransformResources"):
        return
    on_gpu = next((instance for instance in instance_choices(subject) if instance.gpus), None)
    if on_gpu:
        message = f"missing: {on_gpu.name} would get the oldest NVIDIA driver (470)"
        yield "TransformResources.TransformAmiVersion", message
