"""An estimate as your own runs on the same instance type correct it, and the words that say so."""

from dataclasses import replace

from tunestack.catalogue.own_runs import memory_factor, speed_factor
from tunestack.sizing.memory.estimate import MemoryEstimate
from tunestack.sizing.speed.throughput import Throughput


def calibrated_rate(rate: Throughput, instance_type: str) -> Throughput:
    """The rate, times what your runs made of it; its range is theirs."""
    factor = speed_factor(instance_type)
    if factor is None:
        return rate
    expected = rate.tokens_per_second
    return replace(
        rate, tokens_per_second=expected * factor.value, low=expected * factor.low, high=expected * factor.high
    )


def calibrated_memory(found: MemoryEstimate, instance_type: str) -> MemoryEstimate:
    """The memory, with what is reserved times what your runs made of it; its range stays."""
    factor = memory_factor(instance_type)
    if factor is None:
        return found
    outside = found.device_bytes - found.reserved_bytes
    reserved = found.reserved_bytes * factor.value
    return replace(found, reserved_bytes=reserved, device_bytes=reserved + outside)


def calibration_notes(instance_type: str) -> tuple[str, ...]:
    """What is calibrated of an instance type, a line for speed and one for memory."""
    factors = (("speed", speed_factor(instance_type)), ("reserved memory", memory_factor(instance_type)))
    return tuple(f"{instance_type}: {what} is {factor}" for what, factor in factors if factor is not None)
