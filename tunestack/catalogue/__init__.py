"""Facts that ship with the kit, each with its source and date: instance types and prices."""

from tunestack.catalogue.instances import InstanceType, JobKind, find_instance, instance_types
from tunestack.catalogue.prices import Price, find_instance_price, find_price

__all__ = [
    "InstanceType",
    "JobKind",
    "Price",
    "find_instance",
    "find_instance_price",
    "find_price",
    "instance_types",
]
