"""The service quotas that an environment's jobs count against."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tunestack.catalogue.quotas import Quota, QuotaUse, find_quota, find_total, quota_name, total_name
from tunestack.definition.jobs import DefinedJob


@dataclass(frozen=True, kw_only=True)
class QuotaNeed:
    """A quota that a job takes one instance of; `quota` is None where its code isn't known.

    `instance_type` is None for the quota on all types together.
    """

    job: str
    instance_type: str | None
    name: str
    quota: Quota | None


def quotas_of(jobs: Sequence[DefinedJob]) -> tuple[QuotaNeed, ...]:
    """Each job's instance types, then all instances of each kind of job together.

    An execution runs its steps one after the other, so that one instance of each kind runs at a time.
    """
    return (*_by_type(jobs), *_totals(jobs))


def _use(defined: DefinedJob) -> QuotaUse:
    return "spot training job" if defined.spot else defined.job.api.quota_use


def _by_type(jobs: Sequence[DefinedJob]) -> Iterator[QuotaNeed]:
    for defined in jobs:
        use = _use(defined)
        for instance_type in defined.instance_choices:
            yield QuotaNeed(
                job=defined.job.key,
                instance_type=instance_type,
                name=quota_name(instance_type, use),
                quota=find_quota(instance_type, use),
            )


def _totals(jobs: Sequence[DefinedJob]) -> Iterator[QuotaNeed]:
    by_use: dict[QuotaUse, list[str]] = {}
    for defined in jobs:
        by_use.setdefault(_use(defined), []).append(defined.job.key)
    for use, keys in by_use.items():
        yield QuotaNeed(job=", ".join(keys), instance_type=None, name=total_name(use), quota=find_total(use))
