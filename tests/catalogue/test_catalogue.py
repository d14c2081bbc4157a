"""Facts that ship: each with its source and date, none lost unseen."""

import csv

import botocore.session
import pytest

from tests.conftest import ROOT
from tunestack.catalogue import find_instance, find_instance_price, find_price, instance_types
from tunestack.catalogue.instances import left_out, table_rows, unknown_instance
from tunestack.catalogue.quotas import find_quota, find_total


def test_every_price_has_its_source_and_date() -> None:
    price = find_instance_price("ml.g5.2xlarge", "training", region="us-east-1")
    assert price is not None and (price.usd, price.exact) == (1.515, True)
    assert price.source and price.as_of
    listed = find_instance_price("ml.g6e.xlarge", "training", region="us-east-1")
    assert listed is not None and not listed.exact
    assert find_instance_price("ml.g5.2xlarge", "training", region="eu-north-1") is None
    key = find_price("KMS", "Customer managed key", region="us-east-1")
    assert key is not None and key.usd == 1.0


def test_the_catalogue_knows_what_an_instance_type_may_do() -> None:
    assert len(instance_types()) > 100
    p4d = find_instance("ml.p4d.24xlarge")
    assert p4d is not None and p4d.gpus == 8 and "processing" not in p4d.allowed_for and p4d.has_local_storage


KINDS = {
    "training": "TrainingInstanceType",
    "processing": "ProcessingInstanceType",
    "transform": "TransformInstanceType",
}


@pytest.mark.parametrize(("kind", "shape"), KINDS.items())
def test_every_type_that_the_pinned_api_takes_is_there_or_left_out_with_a_reason(kind: str, shape: str) -> None:
    model = botocore.session.get_session().get_service_model("sagemaker")
    known = {name for name, item in instance_types().items() if kind in item.allowed_for}
    missing = {name for name in model.shape_for(shape).enum if name not in known}
    families = {name.split(".")[1] for name in missing}
    assert families <= left_out().keys()
    # What is left out isn't there in part.
    assert not families & {name.split(".")[1] for name in known}
    assert all(len(reason) > 20 for reason in left_out().values())


def test_a_type_that_is_left_out_is_refused_with_the_reason() -> None:
    assert "isn't in the catalogue: of June 2026" in unknown_instance("ml.g7.2xlarge")
    assert "did you mean 'ml.g5.2xlarge'" in unknown_instance("ml.g5.2xlrge")


def test_every_price_that_was_shipped_is_still_there() -> None:
    kinds = ("training", "processing", "transform", "hosting")
    own = sum(bool(row[f"sagemaker_{kind}_usd_h"]) for row in table_rows() for kind in kinds)
    listed = sum(bool(row["sagemaker_list_usd_h_component_unspecified"]) for row in table_rows())
    with (ROOT / "tunestack/catalogue/data/prices.csv").open() as lines:
        services = sum(bool(row["usd"]) for row in csv.DictReader(lines))
    # More is welcome; fewer means that one was lost.
    assert own >= 76 and listed >= 127 and services >= 65


def test_a_quota_has_its_code_and_its_default_where_a_source_gives_them() -> None:
    quota, total = find_quota("ml.g5.2xlarge", "spot training job"), find_total("processing job")
    assert quota is not None and (quota.code, quota.default) == ("L-CAEE7DB7", 0)
    assert total is not None and (total.code, total.default) == ("L-F311B08F", 4)
    assert find_quota("ml.none", "training job") is None
