"""Settings: validated whole, every problem at once, each with its place and what would be right."""

import json
import shutil
from ipaddress import IPv4Network
from pathlib import Path

import pytest
from botocore.session import Session

from scripts.generate import GENERATED
from tests.conftest import CONFIG, ENVIRONMENTS, ROOT
from tunestack.catalogue.regions import REGIONS
from tunestack.settings.loading import environment_names, load_settings
from tunestack.settings.problems import SettingsError
from tunestack.settings.recipe import load_recipe


@pytest.fixture
def config(tmp_path: Path) -> Path:
    shutil.copytree(CONFIG, tmp_path / "config")
    return tmp_path / "config"


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


def problems(config: Path, env: str = "dev") -> list[str]:
    with pytest.raises(SettingsError) as error:
        load_settings(env, config=config)
    return str(error.value).splitlines()


def test_every_environment_and_every_recipe_that_ships_is_good() -> None:
    assert environment_names() == list(ENVIRONMENTS)
    for name in ENVIRONMENTS:
        load_settings(name)
    recipes = list((CONFIG / "recipes").rglob("*.yaml"))
    assert recipes
    for recipe in recipes:
        load_recipe(recipe, name=recipe.name)


def test_every_problem_of_both_files_is_reported_at_once(config: Path) -> None:
    edit(config / "dev.yaml", "log_retention_days: 14", "log_retention_days: 15")
    edit(config / "dev.yaml", "instance_type: ml.g5.2xlarge", "instance_type: ml.g5.2xlrge")
    edit(config / "recipes" / "smollm2-135m-qlora.yaml", "learning_rate:", "learnig_rate:")
    found = problems(config)
    assert len(found) == 3
    assert (
        "config/dev.yaml:10: jobs.train: unknown instance type 'ml.g5.2xlrge'; did you mean 'ml.g5.2xlarge'?" in found
    )
    assert any("log_retention_days: must be one of 1, 3, 5" in line and "got 15" in line for line in found)
    assert any("training.learnig_rate: unknown key; did you mean 'learning_rate'?" in line for line in found)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("spot: true", "spot: false", "max_wait_minutes counts with spot: true only"),
        ("max_wait_minutes: 240", "max_wait_minutes: 60", "must be at least max_runtime_minutes (120), got 60"),
        ("ml.g6e.2xlarge]", "ml.m5.xlarge]", "mixes types with a local disk and without"),
        ("    instance_type: ml.m5.4xlarge\n  transform", "    instance_type: ml.p4d.24xlarge\n  transform", "no ml.p4d.24xlarge for processing jobs"),
        ("[ml.g5.xlarge, ml.g5.4xlarge", "[ml.g5.12xlarge", "jobs.train: ml.g5.12xlarge has 4 GPUs, and the training uses one"),
        ("recipe: smollm2-135m-qlora.yaml", "recipe: smolm2-135m-qlora.yaml", "did you mean 'smollm2-135m-qlora.yaml'?"),
        ("private_vpc: false", "private_vpc: perhaps", "network.private_vpc"),
        ("private_vpc: false", "availability_zone_ids: [euw1-az1, euw1-az2]", "euw1-az1 isn't in us-east-1, whose are use1-az1 …"),
        ("jobs:", "jobs: {}\nnot_jobs:", "jobs.prepare: missing"),
        ("  package:", "  register:", "jobs.register: unknown key; it is called 'package' now"),
        ("recipe:", "recipe: a.yaml\nrecipe:", "given twice, first on line"),
        ("recipe: ", "recipe: [", "not YAML"),
        ("jobs:", "images: {training_base_image: 'python:3.11'}\njobs:", "training_base_image: must be pinned by digest"),
        ("ml.g6e.2xlarge]", "ml.g7e.2xlarge]", "images.training_torch_build must be cu130 for ml.g7e.2xlarge"),
        ("instance_type: ml.m5.4xlarge\nlog", "instance_type: ml.g5.2xlarge\nlog", "needs ami_version: al2-ami-sagemaker-batch-gpu-535"),
        (
            "instance_type: ml.m5.4xlarge\nlog",
            "instance_type: ml.g5.2xlarge\n    ami_version: al2-ami-sagemaker-batch-gpu-470\nlog",
            "must be one of 'al2-ami-sagemaker-batch-gpu-535'",
        ),
        (
            "instance_type: ml.m5.4xlarge\nlog",
            "instance_type: ml.g5.2xlarge\n    ami_version: al2-ami-sagemaker-batch-gpu-535\nimages: {inference_torch_build: cu130}\nlog",
            "images.inference_torch_build must be cu126 for ml.g5.2xlarge",
        ),
        ("  private_vpc: false", "  private_vpc: true\n  availability_zone_ids: [use1-az1]", "must name availability_zones (2) different zones"),
        ("  private_vpc: false", "  private_vpc: true\n  availability_zone_ids: [us-east-1a, us-east-1b]", "must be a zone's id, such as use1-az1"),
        ("  private_vpc: false", "  existing: {subnet_ids: [subnet-0a1b2c3d]}", "network.existing.security_group_ids: missing"),
        ("  private_vpc: false", "  existing: {subnet_ids: [vpc-0a1b2c3d], security_group_ids: [sg-0a1b2c3d]}", "must be a subnet's id"),
        (
            "  private_vpc: false",
            "  private_vpc: true\n  cidr: 10.0.0.0/16\n  existing: {subnet_ids: [subnet-0a1b2c3d], security_group_ids: [sg-0a1b2c3d]}",
            "existing takes the place of a VPC of the kit's own: leave out cidr, private_vpc",
        ),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_what_would_be_right(config: Path, old: str, new: str, message: str) -> None:
    edit(config / "dev.yaml", old, new)
    assert any(message in line for line in problems(config)), problems(config)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("r: 16", "r: 0", "lora.r: must be at least 1, got 0"),
        ("max_heldout_loss_ratio: 0.95", "max_heldout_loss_ratio: -1", "must be greater than 0, got -1"),
        ("load_in_4bit: true", "load_in_4bit: maybe", "must be true or false, got 'maybe'"),
        ("name: python-docstrings", "nam: x", "data.name: missing"),
        ("training:", "merge:\n  fuse: false\ntraining:", "merge: unknown key; it is called 'package' now"),
        (
            "per_device_train_batch_size: 4",
            "per_device_train_batch_size: most",
            "must be a whole number or must be one of 'auto', got 'most'",
        ),
        ("lora:", "lora:\n  target_modules: [1]\nquantisation:", "lora.target_modules.0: must be text, got 1"),
        (
            "lora:",
            "lora:\n  target_modules: q_proj\nx:",
            "target_modules: must be one of 'all-linear' or must be a list, got 'q_proj'",
        ),
        ("max_length: 256", "max_length: '256'", "training.max_length: must be a whole number, got '256'"),
        ("lora:", "lora: 16\nquantisation:", "lora: must be a mapping of keys to values, got 16"),
    ],
)
def test_a_recipes_mistake_is_named_with_what_would_be_right(config: Path, old: str, new: str, message: str) -> None:
    edit(config / "recipes" / "smollm2-135m-qlora.yaml", old, new)
    assert any(message in line for line in problems(config)), problems(config)


def test_flash_attention_is_refused_where_the_image_cannot_have_it(config: Path) -> None:
    recipe, own = config / "recipes" / "smollm2-135m-qlora.yaml", f"example.com/own@sha256:{'0' * 64}"
    edit(recipe, "model:", "model:\n  attn_implementation: flash_attention_2")
    (line,) = problems(config)
    assert "recipes/smollm2-135m-qlora.yaml:" in line and "model.attn_implementation: flash-attn isn't in" in line
    with (config / "dev.yaml").open("a") as file:
        file.write(f"images:\n  training_base_image: {own}\n")
    assert load_settings("dev", config=config).recipe.model.attn_implementation == "flash_attention_2"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("region: us-east-9", "region: no region 'us-east-9' has SageMaker; did you mean 'us-east-2'?"),
        ("account: 123456789012", "account: must be text, got 123456789012, which YAML reads as int: put it in quotes"),
        ("account: '１２３４５６７８９０１２'", "must be an AWS account's 12 digits, in quotes"),
        ("budget: {run_usd: .inf}", "budget.run_usd: must be a finite number, got inf"),
        ("budget: {run_usd: .nan}", "budget.run_usd: must be a finite number"),
        ("budget: {run_usd: 1e3}", "must be a number, got '1e3', which YAML reads as text: write 1.0e+03, without quotes"),
        ("budget: {run_usd: '5'}", "must be a number, got '5', which YAML reads as text: write 5, without quotes"),
        ("tags: {'aws:owner': me}", "a tag must not begin with aws:"),
        ("tags: {Cost: x, cost: y}", "'Cost' and 'cost' are one key to IAM"),
        ("tags: {Project: x}", "'Project' is a tag that the kit sets itself"),
        ("budget: {month_usd: 5, alert_emails: [a@b.c, a@b.c]}", "names 'a@b.c' twice"),
        ("registry: {consumer_accounts: ['111111111111', '111111111111']}", "names '111111111111' twice"),
        ("registry: {organization_arn: o-abcdefghij}", "must be an organisation's whole ARN"),
        ("3: 4", "a key must be text, got 3"),
        ("~: 4", "a key must be text, got ~"),
        ("? [a, b]\n: 3", "a key must be text, got a sequence"),
        ("tags: {}\n---\nrecipe: x", "one document alone: take the --- out"),
        ("log_retention_days: 010", "010 is 8 to YAML: write 8, or what you mean"),
        ("log_retention_days: 1:30", "1:30 is 90 to YAML"),
        ("costs: {training_tokens: 1e6}", "which YAML reads as text: write 1000000"),
        ("costs: {training_tokens: 9999999999999999999999}", "costs.training_tokens: must be at most 1000000000000000"),
        ("costs: {config_json: nowhere.json}", "costs.config_json: no such file: 'nowhere.json'"),
        ("log_retention_days: true", "log_retention_days: must be a whole number of days"),
        ("recipe: ../recipes/smollm2-135m-qlora.yaml", "recipe: must be the name of a file in config/recipes/"),
        ("tags: {owner: 'a\\b'}", "must have letters, digits, spaces and _ . : / = + - @"),
        ("security: {permissions_boundary: 'arn:aws:iam::1:policy/x'}", "must be the name of an IAM policy"),
        ("project: My_Project", "must have 3 to 20 lower-case letters"),
        ("log_retention_days: 2026-11-25", "log_retention_days: must be one of 1, 3, 5"),
        ("costs: &a {training_tokens: *a}", ": an alias (*) holds itself"),
        ("a: &a [1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e]", "more than 20,000 values"),
        ("tags: {a: \x07}", "not YAML: a control character (U+0007)"),
        ("tags: {a: 2026-13-01}", "not YAML: "),
        ("x: " + "[" * 5000, "is nested too deeply"),
        ("project: " + "a" * 5000, "…"),
    ],
)  # fmt: skip
def test_no_value_is_taken_that_aws_would_refuse_and_each_is_named(config: Path, line: str, message: str) -> None:
    file = config / "dev.yaml"
    key = line.partition(":")[0]
    kept = [item for item in file.read_text().splitlines() if not item.startswith(f"{key}:")]
    file.write_text("\n".join([line, *kept]))
    found = problems(config)
    assert any(message in item for item in found), found
    assert all(item.startswith("config/dev.yaml") and len(item) < 500 for item in found), found


@pytest.mark.parametrize(
    "cidr", ["10.999.0.0/16", "10.20.0.1/16", "172.32.0.0/16", "192.168.0.0/25", "10.0.0.0/8", "x"]
)
def test_a_network_that_a_vpc_cannot_have_is_refused(config: Path, cidr: str) -> None:
    edit(config / "prod.yaml", "network:", f"network:\n  cidr: {cidr}")
    assert "network.cidr: must be a private network of a VPC's size" in problems(config, "prod")[0]


def test_a_folder_or_an_unreadable_file_is_one_problem(config: Path) -> None:
    (config / "dev.yaml").unlink()
    (config / "dev.yaml").mkdir()
    assert problems(config) == ["config/dev.yaml: is no regular file"]


def test_every_region_that_botocore_knows_is_known() -> None:
    partitions = ("aws", "aws-cn", "aws-us-gov")
    known = [Session().get_available_regions("sagemaker", partition_name=partition) for partition in partitions]
    assert sorted(REGIONS) == sorted(region for regions in known for region in regions)


def test_an_unknown_environment_is_answered_with_the_nearest(config: Path) -> None:
    assert problems(config, "stagging") == ["config/: no environment 'stagging'; did you mean 'staging'?"]


def test_a_file_in_another_encoding_is_refused(config: Path) -> None:
    (config / "dev.yaml").write_bytes("recipe: é".encode("latin-1"))
    assert "not UTF-8" in problems(config)[0]


def test_data_is_deleted_only_where_setting_and_environment_agree(config: Path) -> None:
    (config / "prod.yaml").write_text((config / "dev.yaml").read_text())
    assert load_settings("dev", config=config).deletes_data
    assert not load_settings("prod", config=config).deletes_data


@pytest.mark.parametrize("file", GENERATED, ids=lambda file: file.name)
def test_what_is_generated_is_not_stale(file: Path) -> None:
    assert file.read_text() == GENERATED[file](), "run `make generated`"


def test_the_schemas_describe_every_key() -> None:
    schema = json.loads((ROOT / "training_code" / "recipe.schema.json").read_text())
    assert set(schema["properties"]) >= {"model", "data", "training", "lora"}


def test_a_renamed_key_is_one_problem_and_only_in_the_file_that_had_it(config: Path) -> None:
    edit(config / "dev.yaml", "  package:", "  register:")
    (found,) = problems(config)
    assert found.endswith("jobs.register: unknown key; it is called 'package' now")
    edit(config / "dev.yaml", "  register:", "  package:")
    edit(config / "dev.yaml", "jobs:", "merge: {}\njobs:")
    (found,) = problems(config)
    assert "merge: unknown key" in found and "called" not in found


def test_a_key_keeps_its_whole_path_where_its_line_is_not_known(config: Path) -> None:
    edit(config / "dev.yaml", "jobs:", "costs:\n  <<: {training_tokens: many}\njobs:")
    (found,) = problems(config)
    assert "costs.training_tokens: must be a whole number, got 'many'" in found


@pytest.mark.parametrize("cidr", ["10.40.0.0/16", "10.40.0.0/22", "10.40.2.0/23", "10.40.7.0/24"])
@pytest.mark.parametrize("zones", [1, 2, 3])
def test_every_range_has_room_for_every_number_of_zones(cidr: str, zones: int, config: Path) -> None:
    edit(config / "prod.yaml", "  availability_zones: 3\n", f"  availability_zones: {zones}\n  cidr: {cidr}\n")
    network = load_settings("prod", config=config).environment.network
    subnets = list(IPv4Network(cidr).subnets(new_prefix=network.subnet_prefix_length))
    assert len(subnets) >= zones and network.subnet_prefix_length <= 26
