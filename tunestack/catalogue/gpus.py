"""The GPUs: what memory each really offers, and how fast it computes and moves data.

`usable_gib` is what PyTorch reports as total capacity (`torch.cuda.get_device_properties(0).total_memory`, as
out-of-memory messages in public issues show it, 2026-11), less than what a card is sold as: GDDR6 cards with ECC keep
a sixteenth for check bits, and every driver keeps some hundred MiB. TFLOPS are dense bf16 (fp16 where the card has no
bf16), bandwidth is the memory's: the vendors' data sheets, as in `data/instances.csv`. `link_gb_per_s` is what one
GPU sends to its neighbours in the same machine: NVLink's or PCIe's, one direction.
"""

import re
from dataclasses import dataclass

GIB = 1024**3


@dataclass(frozen=True, kw_only=True)
class Gpu:
    """One GPU model in one memory size."""

    name: str
    memory_gb: float
    usable_gib: float
    bf16_tflops: float
    bandwidth_gb_per_s: float
    link_gb_per_s: float

    @property
    def is_blackwell(self) -> bool:
        """Whether it needs CUDA 12.8 or newer."""
        return self.name in _BLACKWELL

    @property
    def has_bfloat16(self) -> bool:
        """Whether it computes in bfloat16: NVIDIA's do from Ampere on."""
        return self.name not in _BEFORE_AMPERE

    @property
    def usable_bytes(self) -> float:
        return self.usable_gib * GIB


def _gpu(name: str, gb: float, usable: float, tflops: float, bandwidth: float, link: float) -> Gpu:
    return Gpu(
        name=name, memory_gb=gb, usable_gib=usable, bf16_tflops=tflops, bandwidth_gb_per_s=bandwidth,
        link_gb_per_s=link,
    )  # fmt: skip


# name, GB as sold, usable GiB, dense bf16 TFLOPS, memory GB/s, link GB/s
GPUS = (
    _gpu("T4", 16, 14.58, 65, 320, 12),
    _gpu("V100", 16, 15.77, 125, 900, 130),
    _gpu("V100", 32, 31.73, 125, 900, 130),
    _gpu("A10G", 24, 22.06, 70, 600, 12),
    _gpu("L4", 24, 21.96, 121, 300, 12),
    _gpu("L40S", 48, 44.32, 362, 864, 24),
    _gpu("A6000", 48, 47.5, 155, 768, 24),
    _gpu("RTX3090", 24, 23.69, 71, 936, 12),
    _gpu("RTX4090", 24, 23.52, 165, 1008, 24),
    _gpu("RTX-PRO-SERVER-6000", 96, 94.9, 503, 1792, 48),
    _gpu("A100", 40, 39.38, 312, 1555, 300),
    _gpu("A100", 80, 79.14, 312, 2039, 300),
    _gpu("H100", 96, 95.0, 989, 3350, 450),
    _gpu("H100", 80, 79.10, 989, 3350, 450),
    _gpu("H200", 141, 139.72, 989, 4800, 450),
    _gpu("B200", 180, 178.0, 2250, 8000, 900),
    _gpu("B300", 270, 267.0, 2250, 8000, 900),
)
_BLACKWELL = frozenset({"RTX-PRO-SERVER-6000", "B200", "B300"})
_BEFORE_AMPERE = frozenset({"T4", "V100"})
# Of a card that isn't in the table: with ECC on GDDR6 a sixteenth is gone, and some hundred MiB.
UNKNOWN_SHARE = 0.92

# A name with its size, as logs and tables write it: `A100-80GB`, `NVIDIA A100 80 GiB`, `24GB card`.
_NAME = re.compile(r"(?P<model>.*?)-?(?:(?<![\d.])(?P<gb>\d+)(?:GI?B))?(?:-?CARD)?", re.ASCII)
# The same without a unit: `A100-80`. A model's own number is no size: `RTX-PRO-SERVER-6000`.
_BARE_SIZE = re.compile(r"(?P<model>.+)-(?P<gb>\d{2,3})", re.ASCII)
_SAID_BESIDE = re.compile(r"NVIDIA|GEFORCE|SXM\d?|PCIE|NVL|[_()?]")
# A size that is stated may differ by so much from the card's: 44.7 GiB are sold as 48 GB, 143 as 141.
NEAR_GB = 2


def find_gpu(model: str, memory_gb: float | None = None) -> Gpu | None:
    """The GPU of that name (`A10G`, `a100`, `A100-80`, `B200-180GB`), the nearest in memory where there are several.

    Without a size, the usual one: the last in the table.
    """
    name, stated_gb = _read(model)
    size_gb = memory_gb or stated_gb
    same = [gpu for gpu in GPUS if name in (gpu.name, f"RTX{gpu.name}", gpu.name.removeprefix("RTX"))]
    if not same:
        return None
    return min(same, key=lambda gpu: abs(gpu.memory_gb - size_gb)) if size_gb else same[-1]


def usable_bytes(name: str) -> float | None:
    """Capacity in bytes of a GPU named with its size (`A100-80GB`), or None where the name has no size."""
    size_gb = _read(name)[1]
    if size_gb is None:
        return None
    gpu = find_gpu(name)
    if gpu and abs(gpu.memory_gb - size_gb) <= NEAR_GB:
        return gpu.usable_bytes
    return size_gb * UNKNOWN_SHARE * GIB


def _read(name: str) -> tuple[str, float | None]:
    """A GPU's name as the table has it, and the size that it states."""
    plain = "-".join(_SAID_BESIDE.sub(" ", name.upper()).split())
    found = _NAME.fullmatch(re.sub(r"(?<=\d)-(?=GI?B)", "", plain))
    assert found is not None
    model, gb = found["model"].strip("-"), found["gb"]
    known = {gpu.name for gpu in GPUS}
    if gb is None and model not in known and (bare := _BARE_SIZE.fullmatch(model)):
        model, gb = bare["model"], bare["gb"]
    return (model if model in known else model.replace("-", "")), float(gb) if gb else None
