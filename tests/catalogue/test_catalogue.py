"""Facts that ship: each with its source and date, none lost unseen."""

import csv

from tests.conftest import ROOT
from tunestack.catalogue import find_instance, find_instance_price, find_price, instance_types
from tunestack.catalogue.instances import table_rows
from tunestack.catalogue.quotas import find_quota, find_total


def test_every_price_has_its_source_and_date() -> None:
    price = find_instance_price("ml.g5.2xlarge", "training", region="us-east-1")
    assert price is not None and (price.usd, price.exact) == (1.515, True)
    assert price.source and price.as_of
    listed = find_instance_price("ml.g6e.xlarge", "training", region="us-east-1")
    assert listed is not None and not listed.exact
    assert find_instance_price("ml.g5.2xlarge", "training", region="eu-north-1") is None
    assert find_price("KMS", "Customer managed key", region="us-east-1").usd == 1.0


def test_the_catalogue_knows_what_an_instance_type_may_do() -> None:
    assert len(instance_types()) > 100
    p4d = find_instance("ml.p4d.24xlarge")
    assert p4d is not None and p4d.gpus == 8 and "processing" not in p4d.allowed_for and p4d.has_local_storage


def test_every_price_that_was_shipped_is_still_there() -> None:
    kinds = ("training", "processing", "transform", "hosting")
    own = sum(bool(row[f"sagemaker_{kind}_usd_h"]) for row in table_rows() for kind in kinds)
    listed = sum(bool(row["sagemaker_list_usd_h_component_unspecified"]) for row in table_rows())
    with (ROOT / "tunestack/catalogue/data/prices.csv").open() as lines:
        services = sum(bool(row["usd"]) for row in csv.DictReader(lines))
    # More is welcome; fewer means that one was lost.
    assert own >= 76 and listed >= 118 and services >= 65


def test_a_quota_has_its_code_and_its_default_where_a_source_gives_them() -> None:
    quota, total = find_quota("ml.g5.2xlarge", "spot training job"), find_total("processing job")
    assert quota is not None and (quota.code, quota.default) == ("L-CAEE7DB7", 0)
    assert total is not None and (total.code, total.default) == ("L-F311B08F", 4)
    assert find_quota("ml.none", "training job") is None
