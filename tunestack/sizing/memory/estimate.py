"""The answer of the memory model: named components, phases of which the largest counts, and what a GPU shows of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

GIB = 1024**3
Fit = Literal["yes", "tight", "no"]


@dataclass(frozen=True, kw_only=True)
class Component:
    """One part of the memory, in bytes on one GPU, with the formula that it comes from."""

    name: str
    size_bytes: float
    formula: str


@dataclass(frozen=True, kw_only=True)
class Phase:
    """One instant of a job, and what is there at that instant."""

    name: str
    components: tuple[Component, ...]
    # Those that are there for the whole phase, where they differ from a training step's.
    static: tuple[Component, ...] = ()

    @property
    def size_bytes(self) -> float:
        return sum(component.size_bytes for component in self.components)


@dataclass(frozen=True, kw_only=True)
class MemoryEstimate:
    """Peak memory of one GPU, in bytes.

    `allocated_bytes` is what PyTorch's tensors take (`torch.cuda.max_memory_allocated`), `reserved_bytes` what its
    allocator holds for them (`max_memory_reserved`), `device_bytes` what nvidia-smi shows. The peak is the largest
    phase, never the sum of the phases.
    """

    phases: tuple[Phase, ...]
    reserved_bytes: float
    device_bytes: float
    # Relative bounds of the true device memory around `device_bytes`.
    low: float
    high: float
    # Optimizer states in unified memory: on the GPU while there is room, on the host otherwise.
    paged_bytes: float = 0.0

    @property
    def peak(self) -> Phase:
        return max(self.phases, key=lambda phase: phase.size_bytes)

    @property
    def allocated_bytes(self) -> float:
        return self.peak.size_bytes

    @property
    def low_bytes(self) -> float:
        return self.device_bytes * self.low

    @property
    def high_bytes(self) -> float:
        return self.device_bytes * self.high

    @property
    def range_gib(self) -> str:
        """The device memory in words: `12.3 GiB (10.5–14.1)`."""
        return f"{self.device_bytes / GIB:.1f} GiB ({self.low_bytes / GIB:.1f}–{self.high_bytes / GIB:.1f})"

    def fits(self, capacity_bytes: float) -> Fit:
        """Whether it fits a GPU that shows `capacity_bytes`: surely, perhaps, or not."""
        if self.high_bytes <= capacity_bytes:
            return "yes"
        return "tight" if self.low_bytes <= capacity_bytes else "no"

    def components(self) -> Mapping[str, float]:
        """The peak's components by name, in bytes."""
        return {component.name: component.size_bytes for component in self.peak.components}

    def to_json(self) -> dict[str, Any]:
        """Bytes as plain values: the totals, the range of the last one, the peak's components, and every phase's."""
        return {
            "peak_phase": self.peak.name,
            "allocated_bytes": round(self.allocated_bytes),
            "reserved_bytes": round(self.reserved_bytes),
            "device_bytes": round(self.device_bytes),
            "device_bytes_range": [round(self.low_bytes), round(self.high_bytes)],
            "paged_bytes": round(self.paged_bytes),
            "components": _plain(self.peak),
            "phases": {phase.name: _plain(phase) for phase in self.phases},
        }


def _plain(phase: Phase) -> dict[str, int]:
    return {part.name: round(part.size_bytes) for part in phase.components if part.size_bytes}
