"""The delivery pipeline: synthesized offline for three accounts and two regions, and held by what it would do."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from aws_cdk import Environment
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode
from tunestack_cdk.delivery_findings import ACCEPTED
from tunestack_cdk.synthesis_checks import add_checks

from stacks.delivery import DeliveryStack
from stacks.github import GitHubStack
from tests.conftest import CONFIG, ROOT
from tests.stacks.test_checkov import findings
from tests.three_accounts import ACCOUNTS, add, app_in, config_of, settings_of
from tunestack.layout import StackName
from tunestack.permissions.access import Access
from tunestack.permissions.judge import Judge
from tunestack.permissions.world import World
from tunestack.settings.delivery import GitHub, load_delivery
from tunestack.settings.problems import SettingsError
from tunestack.template.assembly import Assembly
from tunestack.template.readable import ReadableStack

DELIVERY_ACCOUNT = "999999999999"


def configured(folder: Path, change: Callable[[dict[str, Any]], Any] | None = None) -> Path:
    """The configuration of three accounts, with prod in a second region, too."""
    config = config_of(folder)
    prod = yaml.safe_load((config / "prod.yaml").read_text())
    # No price ships for that region, and a budget would need them.
    del prod["promotion"], prod["budget"]
    (config / "prod-eu.yaml").write_text(yaml.safe_dump(prod | {"region": "eu-west-1"}))
    (config / "lone.yaml").write_bytes((CONFIG / "dev.yaml").read_bytes())
    file = config / "delivery" / "delivery.yaml"
    delivery = yaml.safe_load(file.read_text())
    delivery["stages"][2]["environments"].append("prod-eu")
    if change:
        change(delivery)
    file.write_text(yaml.safe_dump(delivery))
    return config


def synthesized(folder: Path, change: Callable[[dict[str, Any]], Any] | None = None, **context: str) -> Path:
    app = app_in(folder / "out", **context)
    delivery, environments = load_delivery(configured(folder, change))
    where = Environment(account=delivery.account, region=delivery.region)
    DeliveryStack(app, delivery.name, delivery=delivery, environments=environments, env=where)
    add_checks(app, accepted=ACCEPTED)
    return Path(app.synth().directory)


@pytest.fixture(scope="module")
def assembly_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return synthesized(tmp_path_factory.mktemp("delivery"), packs="all")


@pytest.fixture(scope="module")
def stages(assembly_folder: Path) -> dict[str, list[dict[str, Any]]]:
    """The pipeline's stages by name, each with its actions."""
    return {stage["Name"]: stage["Actions"] for stage in pipeline_of(assembly_folder)["Stages"]}


def pipeline_of(folder: Path) -> dict[str, Any]:
    template = json.loads((folder / "tunestack-delivery.template.json").read_text())
    (pipeline,) = [r for r in template["Resources"].values() if r["Type"] == "AWS::CodePipeline::Pipeline"]
    return dict(pipeline["Properties"])


def _made_by(found: tuple[str, str], accepted: set[tuple[str, str]]) -> bool:
    check, resource = found
    return any(check == name and resource.partition(".")[2].startswith(part) for name, part in accepted)


@pytest.mark.slow
def test_checkov_finds_nothing_in_the_delivery(assembly_folder: Path) -> None:
    # Made by CDK Pipelines: the copies of artifacts in another region, and its own grants.
    of_cdk = {("CKV_AWS_18", "CrossRegion"), ("CKV_AWS_21", "CrossRegion")}
    of_cdk |= {("CKV_AWS_111", "DeliveryPipelineRole"), ("CKV_AWS_111", "DeliveryAssetsFileRole")}
    found = [item for item in findings(assembly_folder) if not _made_by(item, of_cdk)]
    assert found == []


def test_nothing_is_asked_of_an_account_at_synthesis(assembly_folder: Path) -> None:
    for manifest in assembly_folder.rglob("manifest.json"):
        assert "missing" not in json.loads(manifest.read_text())


def test_a_change_goes_through_the_stages_in_order(stages: dict[str, Any], assembly_folder: Path) -> None:
    own = ["Source", "Build", "UpdatePipeline", "Assets"]
    ways = [f"{kind}{name}" for name in ("dev", "staging", "prod-prod-eu") for kind in ("review-", "")]
    assert list(stages) == [*own, *ways]
    assert pipeline_of(assembly_folder)["PipelineType"] == "V2"
    assert pipeline_of(assembly_folder)["RestartExecutionOnUpdate"] is True


def test_each_environments_stacks_go_to_its_account_and_region_under_the_names_they_always_have(
    stages: dict[str, Any], assembly_folder: Path
) -> None:
    for stage, environments in (("dev", ["dev"]), ("staging", ["staging"]), ("prod-prod-eu", ["prod", "prod-eu"])):
        deployed = [action for action in stages[stage] if action["ActionTypeId"]["Category"] == "Deploy"]
        names = {action["Configuration"]["StackName"] for action in deployed}
        for name in environments:
            wanted = {
                f"tunestack-{name}-{stack}" for stack in (StackName.STORAGE, StackName.IMAGES, StackName.PIPELINE)
            }
            assert wanted <= names
        for action in deployed:
            account = ACCOUNTS[action["Configuration"]["StackName"].split("-")[1]]
            assert f"::{account}:role/cdk-hnb659fds-deploy-role-{account}" in json.dumps(action["RoleArn"]).replace(
                '", "', ""
            )
    assert {action.get("Region") for action in stages["prod-prod-eu"]} >= {"eu-west-1"}
    world = World.read([assembly_folder])
    assert {(stack.account, stack.region) for stack in world.stacks.values()} == {
        *((account, "us-east-1") for account in (*ACCOUNTS.values(), DELIVERY_ACCOUNT)),
        ("333333333333", "eu-west-1"),
        # Where CodePipeline keeps copies of the artifacts for the other region.
        (DELIVERY_ACCOUNT, "eu-west-1"),
    }


def test_who_approves_sees_what_it_costs_and_which_steps_change(stages: dict[str, Any]) -> None:
    def approvals(stage: str) -> list[dict[str, Any]]:
        return [action for action in stages[stage] if action["ActionTypeId"]["Category"] == "Approval"]

    assert approvals("review-dev") == [] and len(approvals("review-prod-prod-eu")) == 2
    (approval,) = approvals("review-staging")
    (review,) = [action for action in stages["review-staging"] if action["Name"] == "Review-staging"]
    # Nothing but the deployment is in the stage that would be rolled back.
    assert {action["ActionTypeId"]["Category"] for action in stages["staging"]} == {"Deploy"}
    assert approval["Configuration"]["CustomData"] == f"Deploy to staging? #{{{review['Namespace']}.REVIEW}}"
    assert review["RunOrder"] < approval["RunOrder"]


def test_the_review_runs_commands_that_exist_and_stops_what_costs_too_much(assembly_folder: Path) -> None:
    template = json.loads((assembly_folder / "tunestack-delivery.template.json").read_text())
    specs = {
        name: json.loads(resource["Properties"]["Source"]["BuildSpec"])
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::CodeBuild::Project"
        and str(resource["Properties"]["Source"].get("BuildSpec"))[:1] == "{"
    }
    all_commands = {name: "\n".join(spec["phases"]["build"]["commands"]) for name, spec in specs.items()}
    (name,) = [name for name, text in all_commands.items() if "--env prod " in text]
    prod, commands = specs[name], all_commands[name]
    assert "cost review" in commands and "--max-increase-usd-per-month 100" in commands and "--env prod" in commands
    assert prod["env"]["exported-variables"] == ["REVIEW"]
    (folder,) = {word for word in commands.split() if word.startswith("assembly/")}
    assert (assembly_folder / folder.removeprefix("assembly/") / "manifest.json").is_file()
    (build,) = [spec for name, spec in specs.items() if "CheckAndSynthesize" in name]
    assert build["phases"]["build"]["commands"][0] == "make check"


def test_a_stage_that_fails_goes_back(assembly_folder: Path) -> None:
    found = {stage["Name"]: stage.get("OnFailure") for stage in pipeline_of(assembly_folder)["Stages"]}
    assert {name for name, on_failure in found.items() if on_failure == {"Result": "ROLLBACK"}} == {
        "dev", "staging", "prod-prod-eu",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("source", "provider"),
    [
        ({"codecommit": {"repository": "kit"}}, "CodeCommit"),
        ({"s3": {"bucket": "the-source", "key": "kit.zip"}}, "S3"),
    ],
)
def test_changes_come_from_elsewhere_too(source: dict[str, Any], provider: str, tmp_path: Path) -> None:
    folder = synthesized(tmp_path, lambda delivery: delivery.update(source=source))
    (action,) = pipeline_of(folder)["Stages"][0]["Actions"]
    assert action["ActionTypeId"]["Provider"] == provider


def with_smoke_run(delivery: dict[str, Any]) -> None:
    delivery["stages"][1]["smoke_run"] = True


def allow_smoke_run(config: Path) -> None:
    file = config / "staging.yaml"
    data = yaml.safe_load(file.read_text()) | {"security": {"delivery_account": DELIVERY_ACCOUNT}}
    file.write_text(yaml.safe_dump(data))


def test_a_smoke_run_is_the_environments_own_role_and_that_trusts_the_delivery_alone(tmp_path: Path) -> None:
    config = configured(tmp_path, with_smoke_run)
    with pytest.raises(SettingsError, match="security.delivery_account must be 999999999999 for a smoke run"):
        load_delivery(config)
    allow_smoke_run(config)
    app = app_in(tmp_path / "out")
    delivery, environments = load_delivery(config)
    where = Environment(account=delivery.account, region=delivery.region)
    DeliveryStack(app, delivery.name, delivery=delivery, environments=environments, env=where)
    add_checks(app, accepted=ACCEPTED)
    folder = Path(app.synth().directory)
    actions = next(stage for stage in pipeline_of(folder)["Stages"] if stage["Name"] == "staging")["Actions"]
    last = max(actions, key=lambda action: action["RunOrder"])
    assert last["Name"] == "SmokeRun-staging"
    world = World.read([folder])
    (role,) = [role for role in world.roles.values() if role.name == "tunestack-staging-smoke-run"]
    (runner,) = [role for role in world.roles.values() if role.name == "tunestack-delivery-smoke-staging"]
    assert role.trust["Statement"][0]["Condition"] == {"ArnEquals": {"aws:PrincipalArn": runner.arn}}
    needed = Access(by="smoke", principal=runner.arn, action="sts:AssumeRole", resource=role.arn)
    assert Judge(world).refusal(needed) is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda d: d["stages"][0].update(environments=["dve"]),
            r"delivery.yaml:\d+: stages.0.environments.0: no environment 'dve'; did you mean 'dev'\?",
        ),
        (lambda d: d["stages"][1].update(environments=["dev"]), "dev is in two stages"),
        (lambda d: d["stages"][0].update(environments=["lone"]), "config/lone.yaml names no account"),
        (lambda d: d.update(source={}), "source must have one of connection, codecommit and s3, got none"),
        (lambda d: d["source"]["connection"].update(arn="x"), "must be a connection's ARN"),
        (lambda d: d.update(region="cn-north-1"), "another partition than cn-north-1"),
        (lambda d: d.update(stages=[]), "at least 1"),
    ],
)
def test_what_cannot_be_delivered_is_refused_with_file_key_and_line(change: Any, message: str, tmp_path: Path) -> None:
    config = configured(tmp_path, change)
    with pytest.raises(SettingsError, match=message):
        load_delivery(config)


def test_who_uses_the_source_s_connection_may_by_both_of_its_service_s_names(assembly_folder: Path) -> None:
    users = {
        role.name: {action for item in role.statements for action in item.actions if action.endswith("UseConnection")}
        for role in World.read([assembly_folder]).roles.values()
    }
    granted = [actions for actions in users.values() if actions]
    # The source's action, and each build that clones it: checks, reviews.
    assert len(granted) > 2
    assert {*map(frozenset, granted)} == {
        frozenset({"codeconnections:UseConnection", "codestar-connections:UseConnection"})
    }


def test_github_deploys_by_a_role_for_one_repository_and_one_environment(tmp_path: Path) -> None:
    config = config_of(tmp_path)
    app = app_in(tmp_path / "out", packs="all")
    settings = settings_of(config)["prod"]
    add(app, settings)
    where = Environment(account="333333333333", region="us-east-1")
    github = GitHub(repository="example/tunestack", provider_made_by=["prod"])
    GitHubStack(app, "tunestack-prod-github", settings=settings, github=github, env=where)
    add_checks(app, known_accounts=settings.partner_accounts)
    world = World.read([Path(app.synth().directory)])
    roles = {role.name: role for role in world.roles.values()}
    subjects = {
        name: roles[f"tunestack-prod-github-{name}"].trust["Statement"][0]["Condition"]["StringEquals"]
        for name in ("deploy", "review")
    }
    issuer = "token.actions.githubusercontent.com"
    assert subjects["deploy"][f"{issuer}:sub"] == "repo:example/tunestack:environment:prod"
    assert subjects["review"][f"{issuer}:sub"] == "repo:example/tunestack:pull_request"
    (statement,) = roles["tunestack-prod-github-review"].statements
    assert "lookup-role" in str(statement.content["Resource"]) and "deploy-role" not in str(
        statement.content["Resource"]
    )
    # The workflow asks for the same environments.
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "deliver.yml").read_text())
    deployed = [job["with"]["environment"] for job in workflow["jobs"].values() if "with" in job]
    assert deployed == list(ACCOUNTS)


class _Table(SingleFileSnapshotExtension):
    _write_mode, file_extension = WriteMode.TEXT, "txt"


def test_what_the_delivery_and_its_workflows_may_do_is_as_reviewed(
    assembly_folder: Path, tmp_path: Path, snapshot: SnapshotAssertion
) -> None:
    app, settings = app_in(tmp_path / "out"), settings_of(config_of(tmp_path))["prod"]
    where = Environment(account=settings.environment.account, region="us-east-1")
    github = GitHub(repository="example/tunestack", provider_made_by=["prod"])
    GitHubStack(app, "tunestack-prod-github", settings=settings, github=github, env=where)
    made = {"delivery": assembly_folder, "github": Path(app.synth().directory)}
    rows = [
        f"{kind}: {row}"
        for kind, folder in made.items()
        for row in ReadableStack(Assembly.read(folder), "prod", kind).statements()
    ]
    assert "\n".join(rows) + "\n" == snapshot(extension_class=_Table)
