"""How versions go from account to account, as the templates wire it: events, queue, function, pipeline, grants."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from tunestack_cdk.synthesis_checks import add_checks
from tunestack_functions import promote
from tunestack_functions.declared import VARIABLE

from tests.conftest import ACCOUNTS
from tests.three_accounts import ACCOUNTS as ACCOUNT_OF
from tests.three_accounts import SOURCES, add, app_in, config_of, settings_of
from tunestack.definition.template import body_as_text
from tunestack.jobs import EVALUATE, PACKAGE, PREPARE, TRANSFORM
from tunestack.layout import ADAPTER, BASE
from tunestack.permissions.proof import prove
from tunestack.permissions.world import World
from tunestack.pipeline.promotion import DIGEST_PARAMETERS, SOURCE_VERSION_KEY
from tunestack.settings.loading import load_settings
from tunestack.settings.problems import SettingsError
from tunestack.template.assembly import Assembly
from tunestack.template.text import in_dollars, text_of
from tunestack.template.values import as_list, as_text


@pytest.fixture(scope="module")
def templates(assembly: Any) -> dict[str, Any]:
    return dict(assembly(ACCOUNTS).templates)


def one(template: Mapping[str, Any], kind: str, part: str = "") -> dict[str, Any]:
    (found,) = [
        resource["Properties"]
        for name, resource in template["Resources"].items()
        if resource["Type"] == kind and part in name
    ]
    return dict(found)


def settings_in(template: dict[str, Any]) -> promote.Settings:
    """The settings of the function that takes versions in."""
    text = one(template, "AWS::Lambda::Function")["Environment"]["Variables"][VARIABLE]
    return promote.Settings.parse(text_of(text, in_dollars))


def definition(template: Mapping[str, Any]) -> dict[str, Any]:
    body = one(template, "AWS::SageMaker::Pipeline")["PipelineDefinition"]["PipelineDefinitionBody"]
    return dict(json.loads(body_as_text(body)))


@pytest.mark.parametrize(("target", "source"), SOURCES.items())
def test_each_decision_on_a_version_is_told_to_the_environment_after_it(
    target: str, source: str, templates: dict[str, Any]
) -> None:
    rule = one(templates[f"tunestack-{source}-registry"], "AWS::Events::Rule")
    assert rule["EventPattern"] == {
        "source": ["aws.sagemaker"],
        "detail-type": ["SageMaker Model Package State Change"],
        "detail": {
            "ModelPackageGroupName": [f"tunestack-{source}-models"],
            "ModelApprovalStatus": ["Approved", "Rejected"],
        },
    }
    (sent,) = rule["Targets"]
    bus = f"arn:aws:events:us-east-1:{ACCOUNT_OF[target]}:event-bus/tunestack-{target}-promotion"
    assert sent["Arn"] == bus and "RoleArn" in sent
    assert one(templates[f"tunestack-{target}-promotion"], "AWS::Events::EventBus")["Name"] == bus.rpartition("/")[2]


def test_nothing_is_sent_by_the_last_or_received_by_the_first(templates: dict[str, Any]) -> None:
    assert "tunestack-dev-promotion" not in templates
    prod = templates["tunestack-prod-registry"]["Resources"].values()
    assert not [resource for resource in prod if resource["Type"] == "AWS::Events::Rule"]
    assert "ForPromotion" not in json.dumps(templates["tunestack-prod-storage"])


@pytest.mark.parametrize("target", SOURCES)
def test_what_arrives_is_kept_until_it_is_done_and_what_fails_for_a_person(
    target: str, templates: dict[str, Any]
) -> None:
    template = templates[f"tunestack-{target}-promotion"]
    queue, failed = (one(template, "AWS::SQS::Queue", part) for part in ("ReceiverQueue", "ReceiverFailed"))
    function, mapping = (one(template, f"AWS::Lambda::{kind}") for kind in ("Function", "EventSourceMapping"))
    assert queue["VisibilityTimeout"] > function["Timeout"] == 900
    assert queue["RedrivePolicy"]["maxReceiveCount"] == 10 and failed["MessageRetentionPeriod"] == 14 * 86_400
    assert "ReceiverFailed" in json.dumps(queue["RedrivePolicy"])
    assert "ReceiverQueue" in json.dumps(mapping["EventSourceArn"]) and mapping["BatchSize"] == 1
    rule = one(template, "AWS::Events::Rule")
    assert rule["EventPattern"]["source"] == ["aws.sagemaker", "tunestack"]
    assert "ReceiverQueue" in json.dumps(rule["Targets"]) and "ReceiverBus" in json.dumps(rule["EventBusName"])
    # Nobody but the bus's own rule fills it.
    allowed = [
        item
        for item in one(template, "AWS::SQS::QueuePolicy", "ReceiverQueue")["PolicyDocument"]["Statement"]
        if item["Effect"] == "Allow"
    ]
    assert len(allowed) == 1 and "aws:SourceArn" in json.dumps(allowed[0]["Condition"])


@pytest.mark.parametrize(("target", "source"), SOURCES.items())
def test_the_function_is_told_where_versions_come_from_and_what_belongs_to_one(
    target: str, source: str, templates: dict[str, Any]
) -> None:
    told = settings_in(templates[f"tunestack-{target}-promotion"])
    account = ACCOUNT_OF[source]
    assert told.source_versions == f"arn:aws:sagemaker:us-east-1:{account}:model-package/tunestack-{source}-models/*"
    assert (told.pipeline, told.group) == (f"tunestack-{target}-promotion", f"tunestack-{target}-models")
    # Everything that it takes along is said of each version that the pipelines register.
    for stack in (f"tunestack-{source}-pipeline", f"tunestack-{target}-promotion"):
        steps = definition(templates[stack])["Steps"]
        gate = next(step for step in steps if step["Type"] == "Condition")
        (register,) = [step for step in gate["Arguments"]["IfSteps"] if step["Type"] == "RegisterModel"]
        metadata = register["Arguments"]["CustomerMetadataProperties"]
        assert set(told.copied) == {ADAPTER, BASE} <= set(metadata)
        assert set(told.digests) == {"adapter_sha256", "base_model_sha256"} <= set(metadata)
        assert register["Arguments"]["ModelApprovalStatus"] == "PendingManualApproval"
    # A version keeps the image of the environment that trained it, however far it goes.
    assert f"{ACCOUNT_OF['dev']}.dkr.ecr.us-east-1." in json.dumps(told.origin_repositories)


@pytest.mark.parametrize("target", SOURCES)
def test_a_promoted_version_is_judged_by_its_new_environments_own_gate(target: str, templates: dict[str, Any]) -> None:
    promotion, own = (definition(templates[f"tunestack-{target}-{stack}"]) for stack in ("promotion", "pipeline"))
    names = [step["Name"] for step in promotion["Steps"]]
    assert names == [PREPARE.step, EVALUATE.step, "CheckGates"]
    gates = [next(s for s in found["Steps"] if s["Name"] == "CheckGates")["Arguments"] for found in (promotion, own)]
    assert gates[0]["Conditions"] == gates[1]["Conditions"]
    taken = [step["Name"] for step in gates[0]["IfSteps"]]
    assert taken == [PACKAGE.step, "RegisterModel", "CreateModel", TRANSFORM.step] and len(gates[0]["ElseSteps"]) == 1
    required = {item["Name"] for item in promotion["Parameters"] if "DefaultValue" not in item}
    assert required == {"SourceVersionArn", "ImageUri", "BaseModelUri", "AdapterUri", *DIGEST_PARAMETERS.values()}
    register = gates[0]["IfSteps"][1]["Arguments"]["CustomerMetadataProperties"]
    assert register[SOURCE_VERSION_KEY] == {"Get": "Parameters.SourceVersionArn"}


def test_an_exam_that_is_accepted_comes_along_and_is_no_other(tmp_path: Path) -> None:
    config, exam = config_of(tmp_path), "e" * 64
    file = config / "staging.yaml"
    settings = yaml.safe_load(file.read_text())
    settings["promotion"]["accepted_exams"] = [exam]
    file.write_text(yaml.safe_dump(settings))
    app = app_in(tmp_path / "out")
    for found in settings_of(config).values():
        add(app, found)
    folder = Path(app.synth().directory)
    assert prove(World.read([folder])).broken == ()
    made = Assembly.read(folder).templates
    for template in (made["tunestack-dev-storage"], made["tunestack-staging-promotion"]):
        text = json.dumps(template)
        assert all(f"executions/*/{name}/*" in text for name in ("test", "general")) and "batch-input/*" in text
    staging, prod = (definition(made[f"tunestack-{name}-promotion"]) for name in SOURCES)
    assert [step["Name"] for step in staging["Steps"]] == [EVALUATE.step, "CheckGates"]
    told = [
        step["Arguments"]["AppSpecification"]["ContainerArguments"] for step in (staging["Steps"][0], prod["Steps"][1])
    ]
    assert told[0][told[0].index("sha256.exam") + 1] == exam and "sha256.exam" not in told[1]
    for arguments in told:
        assert arguments[arguments.index("sha256.adapter") + 1] == {"Get": "Parameters.AdapterSha256"}


@pytest.mark.parametrize("pipeline", ["dev-pipeline", "staging-promotion"])
def test_what_was_judged_is_what_is_packed_registered_and_served(pipeline: str, templates: dict[str, Any]) -> None:
    steps = definition(templates[f"tunestack-{pipeline}"])["Steps"]
    good = next(step for step in steps if step["Name"] == "CheckGates")["Arguments"]["IfSteps"]
    packed, registered, model = (step["Arguments"] for step in good[:3])

    def read(step: str, path: str) -> dict[str, Any]:
        name = {EVALUATE.step: "Evaluation", PACKAGE.step: "Model"}[step]
        return {
            "Std:JsonGet": {"PropertyFile": {"Get": f"Steps.{step}.PropertyFiles.{name}"}, "Path": f"sha256.{path}"}
        }

    told = packed["AppSpecification"]["ContainerArguments"]
    for name in ("adapter", "base_model"):
        assert told[told.index(f"sha256.{name}") + 1] == read(EVALUATE.step, name)
        assert registered["CustomerMetadataProperties"][f"{name}_sha256"] == read(EVALUATE.step, name)
    assert registered["CustomerMetadataProperties"]["archive_sha256"] == read(PACKAGE.step, "archive")
    served = {"TUNESTACK_MODEL_SHA256": read(PACKAGE.step, "model")}
    (container,) = registered["InferenceSpecification"]["Containers"]
    assert container["Environment"] == model["PrimaryContainer"]["Environment"] == served
    assert container["ModelDataUrl"] == model["PrimaryContainer"]["ModelDataUrl"]
    assert PACKAGE.step in json.dumps(container["ModelDataUrl"])


def test_what_another_account_may_read_is_its_functions_alone(templates: dict[str, Any]) -> None:
    role = f":iam::{ACCOUNT_OF['staging']}:role/tunestack-staging-promotion"
    found = [
        statement
        for stack in ("storage", "registry")
        for resource in templates[f"tunestack-dev-{stack}"]["Resources"].values()
        for member in ("PolicyDocument", "KeyPolicy", "ModelPackageGroupPolicy")
        for statement in resource.get("Properties", {}).get(member, {}).get("Statement", [])
        if str(statement.get("Sid", "")).endswith("ForPromotion")
    ]
    # Two of the artifacts, one of the key, one of the versions: nothing of the data.
    assert len(found) == 2 + 1 + 1
    assert all(
        role in as_text(as_list(statement["Condition"]["ArnEquals"]["aws:PrincipalArn"])[0]) for statement in found
    )


def test_in_one_account_nothing_is_granted_to_others(tmp_path: Path) -> None:
    config = config_of(tmp_path)
    for name in SOURCES:
        file = config / f"{name}.yaml"
        file.write_text(yaml.safe_dump(yaml.safe_load(file.read_text()) | {"account": ACCOUNT_OF["dev"]}))
    app = app_in(tmp_path / "out")
    for settings in settings_of(config).values():
        add(app, settings)
    made = Assembly.read(Path(app.synth().directory)).templates
    text = json.dumps(made)
    assert "ForPromotion" not in text and "PullPromoted" not in text and "AWS::Events::EventBusPolicy" not in text
    assert "tunestack-staging-promotion" in made


def test_it_works_with_a_boundary_a_qualifier_of_its_own_and_administrators_of_the_key(tmp_path: Path) -> None:
    security = {
        "permissions_boundary": "bounded", "bootstrap_qualifier": "mine",
        "key_administrators": [f"arn:aws:iam::{ACCOUNT_OF['dev']}:role/keys"],
    }  # fmt: skip
    app = app_in(tmp_path / "out")
    for settings in settings_of(config_of(tmp_path, security=security)).values():
        add(app, settings)
    add_checks(app)
    folder = Path(app.synth().directory)
    assert prove(World.read([folder])).unknown_boundaries == ("bounded",)
    everything = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    assert prove(World.read([folder]), boundaries={"bounded": everything}).broken == ()
    assert "cdk-mine-assets" in (folder / "tunestack-dev-pipeline.assets.json").read_text()


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("staging", {"promotion": {"source": "dve"}}, r"staging.yaml:\d+: promotion.source: no other environment 'dve'; did you mean 'dev'"),
        ("staging", {"promotion": {"source": "staging"}}, "no other environment 'staging'"),
        ("dev", {"promotion": {"source": "prod"}}, "prod's models come from dev in turn: one must begin"),
        ("staging", {"account": None}, "a promotion from dev needs the account's 12 digits"),
        ("staging", {"region": "eu-west-1"}, "dev is in us-east-1 and staging in eu-west-1"),
        ("staging", {"promotion": {"from": "dev"}}, "promotion.from"),
        ("dev", {"images": {"signed": False}}, r"dev.yaml:\d+: images.signed: must be true: staging takes in signed images"),
    ],
)  # fmt: skip
def test_a_way_that_cannot_be_is_refused_by_file_key_and_line(
    name: str, change: dict[str, Any], message: str, tmp_path: Path
) -> None:
    config = config_of(tmp_path)
    file = config / f"{name}.yaml"
    file.write_text(yaml.safe_dump(yaml.safe_load(file.read_text()) | change))
    with pytest.raises(SettingsError, match=message):
        load_settings("staging" if "staging takes" in message else name, config=config)


def test_what_is_built_is_signed_by_who_builds_it_and_looked_at_before_it_is_taken_in(
    templates: dict[str, Any],
) -> None:
    (rule,) = one(templates["tunestack-dev-images"], "AWS::ECR::SigningConfiguration")["Rules"]
    names = sorted(item["Filter"] for item in rule["RepositoryFilters"])
    assert names == ["tunestack-dev-inference", "tunestack-dev-training"]
    builds = templates["tunestack-dev-images"]["Resources"]
    for build in (item for item in builds.values() if item["Type"] == "Custom::ImageBuild"):
        assert any("SigningConfiguration" in name for name in build["DependsOn"])
    assert settings_in(templates["tunestack-staging-promotion"]).signed_images


def test_a_broken_file_of_an_environment_that_is_not_on_the_way_is_in_nobodys_way(tmp_path: Path) -> None:
    config = config_of(tmp_path)
    (config / "other.yaml").write_text("not: [yaml")
    assert load_settings("dev", config=config).promotes_to[0].account == ACCOUNT_OF["staging"]
