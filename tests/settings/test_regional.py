"""What a region lacks is said by the settings' check, with the way out; the table of it is AWS's own."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from scripts.region_types import FILE, rows
from tests.conftest import ACCOUNTS, CONFIG, ENVIRONMENTS
from tests.three_accounts import add, app_in
from tunestack.catalogue.region_types import missing_regions
from tunestack.catalogue.regions import REGIONS
from tunestack.settings.loading import load_settings
from tunestack.settings.problems import SettingsError
from tunestack.settings.regional import OF_DELIVERY, types_always
from tunestack.template.assembly import Assembly


def config_of(folder: Path, env: str = "dev", **changes: Any) -> Path:
    config = folder / "config"
    shutil.copytree(CONFIG, config, dirs_exist_ok=True)
    file = config / f"{env}.yaml"
    file.write_text(yaml.safe_dump(yaml.safe_load(file.read_text()) | changes))
    return config


def test_the_table_is_what_aws_publishes() -> None:
    kept = FILE.read_text(encoding="utf-8").splitlines()[1:]
    assert kept == [f"{row['resource_type']},{row['missing_in']}" for row in rows(set(missing_regions()))]


@pytest.mark.parametrize("env", (*ENVIRONMENTS, ACCOUNTS))
def test_every_type_of_every_template_is_in_it(env: str, assembly: Any) -> None:
    types = {item["Type"] for template in assembly(env).templates.values() for item in template["Resources"].values()}
    assert {kind for kind in types if kind.startswith("AWS::") and not kind.startswith("AWS::CDK::")} <= set(
        missing_regions()
    )
    assert set(missing_regions()) >= OF_DELIVERY


@pytest.mark.parametrize("region", REGIONS)
def test_a_region_is_good_only_if_it_has_all_that_every_environment_holds(region: str, tmp_path: Path) -> None:
    has = set(PROVIDER_SCHEMA_MANAGER.get_resource_types(region))
    config = config_of(tmp_path, region=region)
    if types_always() <= has:
        assert load_settings("dev", config=config).environment.region == region
    else:
        with pytest.raises(SettingsError, match=rf"config/dev.yaml:\d+: region: {region} has no AWS::"):
            load_settings("dev", config=config)


@pytest.mark.parametrize(
    ("region", "changes", "message"),
    [
        ("cn-north-1", {}, "has no AWS::SageMaker::ModelPackageGroup, which the stacks need; no region of its part"),
        ("ap-south-2", {}, "which the stacks need; choose a region that has it, such as ap-east-1"),
        (
            "eu-north-1",
            {"budget": {"month_usd": 500, "alert_emails": ["a@example.com"]}},
            "budget.alert_emails: eu-north-1 has no AWS::Budgets::Budget; budget.alerts_region: eu-central-1 watches",
        ),
        (
            "eu-north-1",
            {"budget": {"month_usd": 5, "alert_emails": ["a@example.com"], "alerts_region": "eu-south-2"}},
            "budget.alert_emails: eu-south-2 has no AWS::Budgets::Budget",
        ),
        (
            "eu-north-1",
            {"budget": {"month_usd": 5, "alert_emails": ["a@example.com"], "alerts_region": "cn-north-1"}},
            "budget.alerts_region: cn-north-1 is in another partition than eu-north-1",
        ),
        ("eu-south-2", {"images": {"signed": True}}, "AWS::Signer::SigningProfile; leave images.signed out, or choose"),
    ],
)
def test_what_is_missing_is_said_with_the_way_out(
    region: str, changes: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError, match=message.replace(".", r"\.")):
        load_settings("dev", config=config_of(tmp_path, region=region, **changes))


def test_an_environment_without_an_account_goes_to_the_region_that_it_names(tmp_path: Path) -> None:
    budget = {"month_usd": 500, "alert_emails": ["a@example.com"], "alerts_region": "us-east-1"}
    # Budgets need prices, which ship for few regions: what is watched has none to keep.
    config = config_of(tmp_path, region="eu-south-2", budget=budget)
    app = app_in(tmp_path / "out", allow="budget")
    add(app, load_settings("dev", config=config), allow=("budget",))
    places = {stack.name: stack.region for stack in Assembly.read(Path(app.synth().directory)).stacks}
    assert places.pop("tunestack-dev-observability") == "us-east-1"
    assert set(places.values()) == {"eu-south-2"}
