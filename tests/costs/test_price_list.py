"""`tunestack prices refresh`: what is a price and what only looks like one; the old catalogue stays until the new one is whole."""

import json
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from click.testing import CliRunner

from tunestack.catalogue import find_instance_price
from tunestack.catalogue import refreshed_prices as module
from tunestack.cli.prices import prices
from tunestack.costs.price_list import fetch_prices
from tunestack.errors import UserError

SAMPLE = json.loads(Path(__file__).with_name("price_list_sample.json").read_text())


def client(answers: list[dict[str, Any]]) -> Any:
    """A pricing client whose answers botocore checks against the service's own shapes."""
    found = boto3.client("pricing", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="y")
    stub = Stubber(found)
    for answer in answers:
        stub.add_response("get_products", answer)
    stub.activate()
    return found


@pytest.fixture
def answers() -> list[dict[str, Any]]:
    return [{"FormatVersion": "aws_v1", "PriceList": SAMPLE["PriceList"]}]


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The refreshed prices in a folder of the test's own."""
    path = tmp_path / "refreshed_prices.csv"
    monkeypatch.setattr(module, "FILE", path)
    module.refreshed_prices.cache_clear()
    yield path
    module.refreshed_prices.cache_clear()


def test_only_hours_of_instances_in_the_region_are_prices(answers: list[dict[str, Any]]) -> None:
    found = {price.key: price.usd_per_hour for price in fetch_prices(client(answers), "us-east-1")}
    assert found[("us-east-1", "ml.p4d.24xlarge", "training")] == 25.251
    assert (
        found[("us-east-1", "ml.m5.xlarge", "processing")] == found[("us-east-1", "ml.m5.xlarge", "transform")] == 0.23
    )
    assert found[("us-east-1", "ml.g7e.2xlarge", "hosting")] == 4.2039
    assert ("us-east-1", "ml.m5.xlarge", "training") not in found, "a free tier's $0"
    assert 9.99 not in found.values(), "Outposts"
    assert not [key for key in found if key[0] != "us-east-1"]


def test_an_empty_type_is_found_by_its_name(answers: list[dict[str, Any]]) -> None:
    found = {price.key: price.usd_per_hour for price in fetch_prices(client(answers), "ap-south-1")}
    assert found == {("ap-south-1", "ml.r5.4xlarge", "training"): 1.248}


def test_a_region_without_prices_is_said() -> None:
    with pytest.raises(UserError, match="no SageMaker instance in 'mars-1'"):
        fetch_prices(client([{"FormatVersion": "aws_v1", "PriceList": []}]), "mars-1")


def test_refreshing_shows_what_changed_and_its_prices_are_used(
    answers: list[dict[str, Any]], file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # GIVEN a list in which one price has changed
    answers[0]["PriceList"] = [item.replace("1.5150000000", "1.6000000000") for item in answers[0]["PriceList"]]
    stubbed = client(answers)
    monkeypatch.setattr(boto3, "client", lambda *_, **__: stubbed)
    # WHEN it is read
    done = CliRunner().invoke(prices, ["refresh"], catch_exceptions=False)
    # THEN the change is shown, and used from now on
    assert "us-east-1 ml.g5.2xlarge training: $1.515 → $1.6" in done.output
    assert "ml.p4d.24xlarge training" not in done.output
    after = find_instance_price("ml.g5.2xlarge", "training", region="us-east-1")
    assert after is not None and (after.usd, after.as_of) == (1.6, "2026-09-24")


def test_without_a_network_the_old_catalogue_is_intact(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text(f"{','.join(module.COLUMNS)}\nus-east-1,ml.g5.xlarge,training,1.1,2026-10-01,test\n")
    old = file.read_bytes()
    offline = boto3.client(
        "pricing",
        region_name="us-east-1",
        endpoint_url="http://127.0.0.1:9",
        aws_access_key_id="x",
        aws_secret_access_key="y",
    )
    monkeypatch.setattr(boto3, "client", lambda *_, **__: offline)
    done = CliRunner().invoke(prices, ["refresh"])
    assert type(done.exception).__module__.startswith("botocore.")
    assert file.read_bytes() == old and [item.name for item in file.parent.iterdir()] == [file.name]


@pytest.mark.parametrize(
    "content", ["region,instance_type\n", f"{','.join(module.COLUMNS)}\nus-east-1,ml.g5.xlarge,training,1.1\n"]
)
def test_a_truncated_file_is_named(content: str, file: Path) -> None:
    file.write_text(content)
    with pytest.raises(UserError, match="refreshed_prices.csv.*`tunestack prices refresh` writes it again"):
        find_instance_price("ml.g5.xlarge", "training", region="us-east-1")
