"""Changes for the worse that nobody wrote down: made by a generator, of every kind, in every stack of three accounts.

Each is caught by a rule, or by the permission proof, and what is said names the resource or who breaks.
"""

import copy
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from tests.conftest import ACCOUNTS
from tunestack.permissions.proof import Proof, prove
from tunestack.permissions.world import World
from tunestack.rules import violations
from tunestack.template.assembly import Stack
from tunestack.template.resources import Resources

Templates = dict[str, Any]
# Finds a part of the templates.
Place = Callable[[Templates], Any]
SAMPLE = 150
# What CDK gives to its own resources, and what only people use, has no need that is known.
OF_NOBODY = ("BuildProjectRole", "Trainer", "Approver", "Operator", "CustomResourceProvider", "Custom")
POLICIES = {
    "AWS::S3::BucketPolicy": "PolicyDocument",
    "AWS::KMS::Key": "KeyPolicy",
    "AWS::ECR::Repository": "RepositoryPolicyText",
    "AWS::SQS::QueuePolicy": "PolicyDocument",
    "AWS::SageMaker::ModelPackageGroup": "ModelPackageGroupPolicy",
}
# Type → properties that protect it: taken out, one at a time.
PROTECTING = {
    "AWS::S3::Bucket": ("BucketEncryption", "PublicAccessBlockConfiguration", "VersioningConfiguration"),
    "AWS::KMS::Key": ("EnableKeyRotation",),
    "AWS::ECR::Repository": ("ImageTagMutability", "EncryptionConfiguration", "ImageScanningConfiguration"),
    "AWS::CodeBuild::Project": ("EncryptionKey", "TimeoutInMinutes", "LogsConfig"),
    "AWS::Logs::LogGroup": ("RetentionInDays", "KmsKeyId"),
    "AWS::Lambda::Permission": ("SourceArn",),
}
JOB_SWITCHES = ("EnableNetworkIsolation", "EnableInterContainerTrafficEncryption")
JOB_MEMBERS = ("VpcConfig", "KmsKeyId", "Tags", "StoppingCondition")


@dataclass(frozen=True)
class Change:
    """What is done where; `apply` does it to a copy of the templates."""

    kind: str
    where: str
    apply: Callable[[Templates], None]

    def __str__(self) -> str:
        return f"{self.kind} of {self.where}"


def changes(templates: Templates) -> Iterator[Change]:
    """Every change that the generator knows."""
    for stack, template in templates.items():
        for name, resource in template["Resources"].items():
            kind, properties = resource["Type"], resource.get("Properties", {})
            yield from protections(stack, name, kind, properties)
            if kind == "AWS::IAM::Policy" and not any(part in name for part in OF_NOBODY):
                yield from grants(stack, name, properties["PolicyDocument"]["Statement"])
            if kind == "AWS::IAM::Role" and not any(part in name for part in OF_NOBODY):
                yield from trusts(stack, name, properties["AssumeRolePolicyDocument"]["Statement"])
            if kind == "AWS::SQS::Queue":
                yield Change("not encrypted", f"{stack}.{name}", partial(in_clear, stack, name))
            if (member := POLICIES.get(kind)) and member in properties:
                yield from policies(stack, name, member, properties[member]["Statement"])
            if kind == "AWS::SageMaker::Pipeline":
                yield from jobs(stack, name, properties)


def in_clear(stack: str, name: str, templates: Templates) -> None:
    at(stack, name)(templates)["SqsManagedSseEnabled"] = False


def at(stack: str, name: str, *path: Any) -> Place:
    def found(templates: Templates) -> Any:
        place = templates[stack]["Resources"][name]["Properties"]
        for part in path:
            place = place[part]
        return place

    return found


def _pop(place: Place, which: Any, templates: Templates) -> None:
    place(templates).pop(which)


def _update(place: Place, index: int, templates: Templates, **members: Any) -> None:
    place(templates)[index].update(members)


def protections(stack: str, name: str, kind: str, properties: dict[str, Any]) -> Iterator[Change]:
    for member in PROTECTING.get(kind, ()):
        # The bucket of access logs is S3's own to encrypt, and its versions are CDK's default elsewhere.
        if member in properties:
            yield Change(f"no {member}", f"{stack}.{name}", partial(_pop, at(stack, name), member))


def grants(stack: str, name: str, statements: list[dict[str, Any]]) -> Iterator[Change]:
    place = at(stack, name, "PolicyDocument", "Statement")
    for index, statement in enumerate(statements):
        where = f"{stack}.{name}[{index}]"
        yield Change("grant gone", where, partial(_pop, place, index))
        if statement["Resource"] != "*":
            yield Change("on everything", where, partial(_update, place, index, Resource="*"))
        action = statement["Action"] if isinstance(statement["Action"], str) else statement["Action"][0]
        service = action.partition(":")[0]
        yield Change("whole service", where, partial(_update, place, index, Action=f"{service}:*"))


def trusts(stack: str, name: str, statements: list[dict[str, Any]]) -> Iterator[Change]:
    place = at(stack, name, "AssumeRolePolicyDocument", "Statement")
    if "Condition" in statements[0]:
        yield Change("for any account", f"{stack}.{name}", lambda t: place(t)[0].pop("Condition"))
    yield Change("for anybody", f"{stack}.{name}", lambda t: place(t)[0].update(Principal={"AWS": "*"}, Condition={}))
    elsewhere = {"Service": "ec2.amazonaws.com"}
    yield Change(
        "for another service", f"{stack}.{name}", lambda t: place(t)[0].update(Principal=elsewhere, Condition={})
    )


def policies(stack: str, name: str, member: str, statements: list[dict[str, Any]]) -> Iterator[Change]:
    place = at(stack, name, member, "Statement")
    for index, statement in enumerate(statements):
        where = f"{stack}.{name}[{index}]"
        if statement["Effect"] == "Allow":
            everybody: dict[str, Any] = {"Principal": "*", "Condition": {}}
            yield Change("open to all", where, partial(_update, place, index, **everybody))
        elif "aws:SecureTransport" in json.dumps(statement):
            yield Change("without TLS", where, partial(_pop, place, index))


def jobs(stack: str, name: str, properties: dict[str, Any]) -> Iterator[Change]:
    """A switch off, or a member away, in the text of the definition: CloudFormation's functions stay as they are."""
    body = json.dumps(properties["PipelineDefinition"]["PipelineDefinitionBody"])
    for switch in JOB_SWITCHES:
        for number in range(body.count(f'\\"{switch}\\":true')):
            yield Change(f"{switch} off", f"{stack}.{name}#{number}", partial(rewrite, stack, name, switch, number))


def rewrite(stack: str, name: str, switch: str, number: int, templates: Templates) -> None:
    definition = at(stack, name, "PipelineDefinition")(templates)
    parts = json.dumps(definition["PipelineDefinitionBody"]).split(f'\\"{switch}\\":true')
    text = (
        f'\\"{switch}\\":true'.join(parts[: number + 1])
        + f'\\"{switch}\\":false'
        + f'\\"{switch}\\":true'.join(parts[number + 1 :])
    )
    definition["PipelineDefinitionBody"] = json.loads(text)


@pytest.fixture(scope="module")
def world(assembly: Any) -> World:
    return World.read([assembly(ACCOUNTS).folder])


def sampled(templates: Templates) -> list[Change]:
    """Of each kind as many, chosen alike each time."""
    by_kind: dict[str, list[Change]] = {}
    for change in changes(templates):
        by_kind.setdefault(change.kind, []).append(change)
    chosen = random.Random(20)
    each = -(-SAMPLE // len(by_kind))
    return [item for kind in sorted(by_kind) for item in chosen.sample(by_kind[kind], min(each, len(by_kind[kind])))]


def proven(world: World, templates: Templates) -> Proof:
    stacks = world.stacks.values()
    made = [Stack(name=s.name, account=s.account, region=s.region, template=templates[s.name]) for s in stacks]
    return prove(World(made), needed_only=True)


@pytest.mark.slow
def test_ninety_five_of_a_hundred_generated_changes_are_caught_and_named(world: World) -> None:
    templates = {name: dict(stack.template) for name, stack in world.stacks.items()}
    known = {str(item) for item in violations(Resources.of(templates))}
    missed = []
    tried = sampled(templates)
    for change in tried:
        changed = copy.deepcopy(templates)
        change.apply(changed)
        said = [str(item) for item in violations(Resources.of(changed)) if str(item) not in known]
        if not said:
            said = [str(item) for item in proven(world, changed).broken]
        if not said:
            missed.append(str(change))
    assert len(tried) >= 140
    assert len(missed) <= 0.05 * len(tried), "\n".join(missed)
