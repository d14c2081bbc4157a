"""Which instance types have room for one job as it is, the cheapest first: on one GPU, or divided among all."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tunestack.catalogue.instances import InstanceType, JobKind, instance_types
from tunestack.catalogue.prices import find_instance_price
from tunestack.sizing.job.fine_tuning import SizingError
from tunestack.sizing.memory.estimate import Fit, MemoryEstimate


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """An instance type that has room: surely or perhaps, on how many of its GPUs, and what an hour costs."""

    instance: InstanceType
    gpus: int
    memory: MemoryEstimate
    fit: Fit
    usd_per_hour: float | None

    def __str__(self) -> str:
        gpu = self.instance.gpu
        assert gpu is not None
        price = "" if self.usd_per_hour is None else f", ${self.usd_per_hour:,.2f} an hour"
        each = f"{self.gpus} × {gpu.memory_gb:g} GB" if self.gpus > 1 else f"{gpu.name} of {gpu.memory_gb:g} GB"
        return f"{self.instance.name}: {each}, {self.memory.device_bytes / 1e9:.0f} GB on each{price}"


def verdicts(
    needs: Callable[[InstanceType, int], MemoryEstimate | None], *, kind: JobKind, region: str
) -> list[Verdict]:
    """The types that have room, surely before perhaps, and by price; `needs` sizes the job on GPUs of a type."""
    found = [item for instance in instance_types().values() for item in _of(instance, needs, kind, region)]
    return sorted(found, key=lambda item: (item.fit != "yes", item.usd_per_hour is None, item.usd_per_hour or 0.0))


def _of(
    instance: InstanceType, needs: Callable[[InstanceType, int], MemoryEstimate | None], kind: JobKind, region: str
) -> Iterator[Verdict]:
    gpu = instance.gpu
    if gpu is None or not instance.gpus or kind not in instance.allowed_for:
        return
    price = find_instance_price(instance.name, kind, region=region)
    for gpus in sorted({1, instance.gpus}):
        try:
            memory = needs(instance, gpus)
        except SizingError:
            # So many GPUs can't share it.
            continue
        fit: Fit = "no" if memory is None else memory.fits(gpu.usable_bytes)
        if memory is not None and fit != "no":
            yield Verdict(
                instance=instance, gpus=gpus, memory=memory, fit=fit, usd_per_hour=price.usd if price else None
            )
            if fit == "yes":
                return
