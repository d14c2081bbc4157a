"""Any two settings go together: three accounts and their delivery, synthesized with every pair of choices."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from allpairspy import AllPairs
from aws_cdk import Environment
from tunestack_cdk.delivery_findings import ACCEPTED
from tunestack_cdk.synthesis_checks import add_checks

from stacks.delivery import DeliveryStack
from tests.stacks.test_bootstrap_policies import allowed_by, refused_calls
from tests.three_accounts import app_in, config_of
from tunestack.cli.bootstrap_plan import MOST_POLICIES
from tunestack.permissions.deployment_policy import deployment_policies, targets_of
from tunestack.permissions.world import World
from tunestack.settings.delivery import load_delivery

EXISTING = {"subnet_ids": ["subnet-0123456789abcdef0"], "security_group_ids": ["sg-0123456789abcdef0"]}
DELIVERY_ACCOUNT = "999999999999"
# What each of the settings may be; the first is what ships.
CHOICES: dict[str, list[Any]] = {
    "boundary": [None, "TeamBoundary", "landing-zone/TeamBoundary"],
    "role_path": ["/", "/teams/ml/"],
    "qualifier": ["hnb659fds", "kit"],
    "network": ["made", "existing", "none"],
    "signed": [True, False],
    "second_region": [False, True],
    "accounts": ["three", "one"],
    "project": ["tunestack", "a-team-of-20-letters"],
    "evaluate": ["ml.g5.2xlarge", "ml.m5.12xlarge"],
    "tags": ["the kit's", "prescribed"],
    "smoke_run": [False, True],
}
PAIRS = [dict(zip(CHOICES, item, strict=True)) for item in AllPairs(list(CHOICES.values()))]


def write(folder: Path, chosen: dict[str, Any]) -> Path:
    """The three environments and their delivery with what is chosen."""
    config = config_of(folder)
    names = ["dev", "staging", "prod"]
    if chosen["second_region"]:
        prod = yaml.safe_load((config / "prod.yaml").read_text())
        # No price ships for that region, and a budget would need them.
        del prod["promotion"], prod["budget"]
        (config / "prod-eu.yaml").write_text(yaml.safe_dump(prod | {"region": "eu-west-1"}))
        names.append("prod-eu")
    for name in names:
        file = config / f"{name}.yaml"
        file.write_text(yaml.safe_dump(changed(yaml.safe_load(file.read_text()), chosen)))
    file = config / "delivery" / "delivery.yaml"
    delivery = yaml.safe_load(file.read_text())
    delivery |= {"project": chosen["project"], "role_path": chosen["role_path"]}
    delivery |= {"permissions_boundary": chosen["boundary"], "bootstrap_qualifier": chosen["qualifier"]}
    for stage in delivery["stages"]:
        stage["smoke_run"] = chosen["smoke_run"]
    if chosen["second_region"]:
        delivery["stages"][-1]["environments"].append("prod-eu")
    file.write_text(yaml.safe_dump(delivery))
    return config


def changed(data: dict[str, Any], chosen: dict[str, Any]) -> dict[str, Any]:
    """An environment's file with what is chosen."""
    networks: dict[str, Any] = {
        "made": data.get("network", {}), "existing": {"existing": EXISTING}, "none": {"private_vpc": False},
    }  # fmt: skip
    data |= {"project": chosen["project"], "network": networks[chosen["network"]]}
    data["images"] = {**data.get("images", {}), "signed": chosen["signed"]}
    if "promotion" in data:
        data["promotion"]["signed_images"] = chosen["signed"]
    if chosen["accounts"] == "one":
        data["account"] = DELIVERY_ACCOUNT
    data["security"] = {
        "permissions_boundary": chosen["boundary"],
        "role_path": chosen["role_path"],
        "bootstrap_qualifier": chosen["qualifier"],
        "delivery_account": DELIVERY_ACCOUNT if chosen["smoke_run"] else None,
    }
    data["jobs"]["evaluate"]["instance_type"] = chosen["evaluate"]
    if chosen["tags"] == "prescribed":
        data |= {"tag_prefix": "tunestack:", "tags": {"Environment": "Development", "Project": "4711"}}
    return data


@pytest.mark.slow
@pytest.mark.parametrize("chosen", PAIRS, ids=[str(index) for index in range(len(PAIRS))])
def test_any_two_settings_go_together(chosen: dict[str, Any], tmp_path: Path) -> None:
    config = write(tmp_path, chosen)
    delivery, environments = load_delivery(config)
    app = app_in(tmp_path / "out", allow="memory,budget,deadline")
    where = Environment(account=delivery.account, region=delivery.region)
    DeliveryStack(app, delivery.name, delivery=delivery, environments=environments, env=where)
    add_checks(app, accepted=ACCEPTED)
    # Every rule, the permission proof, and what the regions have.
    world = World.read([Path(app.synth().directory)])
    for target in targets_of(world.stacks.values()):
        policies = deployment_policies(target, prefix=f"{delivery.project}-")
        assert len(policies) <= MOST_POLICIES
        assert refused_calls(target, allowed_by(target, policies)) == set()
