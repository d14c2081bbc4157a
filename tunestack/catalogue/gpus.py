"""How much memory a GPU really offers: what PyTorch reports as its total capacity, less than what it is sold as.

Cards with GDDR6 and ECC (T4, A10G, L4, L40S) keep a sixteenth for check bits; every driver keeps some hundred MiB.
Figures: `torch.cuda.get_device_properties(0).total_memory`, as out-of-memory messages in public issues show them
(as of 2026-11).
"""

import re

GIB = 1024**3

_TOTAL_GIB = {
    "T4": {16: 14.58},
    "A10G": {24: 22.06},
    "L4": {24: 21.96},
    "L40S": {48: 44.32},
    "V100": {16: 15.77, 32: 31.73},
    "A100": {40: 39.38, 80: 79.14},
    "H100": {80: 79.10, 96: 95.0},
    "H200": {141: 139.72},
    "RTX3090": {24: 23.69},
    "RTX4090": {24: 23.52},
}
# Of a card that isn't in the table: with ECC on GDDR6 a sixteenth is gone, and some hundred MiB.
UNKNOWN_SHARE = 0.92

_NAME = re.compile(r"(?:(?P<model>[A-Za-z][A-Za-z0-9 ]*)[- ])?(?P<gb>\d+)\s*GB", re.ASCII)


def usable_gib(model: str, nominal_gb: float) -> float:
    """Capacity in GiB of a GPU sold with `nominal_gb`.

    >>> usable_gib("A10G", 24)
    22.06
    """
    for name, totals in _TOTAL_GIB.items():
        if re.search(rf"\b{name}\b", model.replace("-", " ")):
            nearest = min(totals, key=lambda gb: abs(gb - nominal_gb))
            if abs(nearest - nominal_gb) <= 2:
                return totals[nearest]
    return nominal_gb * UNKNOWN_SHARE


def usable_bytes(name: str) -> float | None:
    """Capacity in bytes of a GPU named with its size (`A100-80GB`), or None where the name has no size."""
    found = _NAME.fullmatch(name.split(" card", maxsplit=1)[0].strip())
    return usable_gib(found["model"] or "", float(found["gb"])) * GIB if found else None
