"""Every retention that settings allow is one that CloudWatch Logs offers."""

from typing import get_args

from tunestack_cdk.log_retention import log_retention

from tunestack.settings.values import RETENTION_DAYS


def test_each_number_of_days_has_its_name() -> None:
    names = [log_retention(days) for days in get_args(get_args(RETENTION_DAYS)[0])]
    assert len(set(names)) == len(names) > 10
