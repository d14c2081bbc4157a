"""The service quotas that an environment's jobs count against."""

from collections.abc import Iterator
from dataclasses import dataclass

from tunestack.catalogue.quotas import Quota, QuotaUse, find_quota, find_total, quota_name, total_name
from tunestack.settings import Settings
from tunestack.settings.environment import Job


@dataclass(frozen=True, kw_only=True)
class QuotaNeed:
    """A quota that a job takes one instance of; `quota` is None where its code isn't known.

    `instance_type` is None for the quota on all types together.
    """

    job: str
    instance_type: str | None
    name: str
    quota: Quota | None


def quotas_of(settings: Settings) -> tuple[QuotaNeed, ...]:
    """Each job's instance types, then all instances of each kind of job together.

    An execution runs its steps one after the other, so that one instance of each kind runs at a time.
    """
    return (*_by_type(settings), *_totals(settings))


def _uses(settings: Settings) -> tuple[tuple[str, Job, QuotaUse], ...]:
    jobs = settings.environment.jobs
    return (
        ("prepare", jobs.prepare, "processing job"),
        ("train", jobs.train, "spot training job" if jobs.train.spot else "training job"),
        ("evaluate", jobs.evaluate, "processing job"),
        ("register", jobs.registration, "processing job"),
        ("transform", jobs.transform, "transform job"),
    )


def _by_type(settings: Settings) -> Iterator[QuotaNeed]:
    for job, chosen, use in _uses(settings):
        for instance_type in chosen.instance_choices:
            yield QuotaNeed(
                job=job,
                instance_type=instance_type,
                name=quota_name(instance_type, use),
                quota=find_quota(instance_type, use),
            )


def _totals(settings: Settings) -> Iterator[QuotaNeed]:
    jobs: dict[QuotaUse, list[str]] = {}
    for job, _, use in _uses(settings):
        jobs.setdefault(use, []).append(job)
    for use, names in jobs.items():
        yield QuotaNeed(job=", ".join(names), instance_type=None, name=total_name(use), quota=find_total(use))
