"""All accounts' stacks together: who has which policies, and what lets whom in."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from tunestack.template.assembly import Assembly, Stack
from tunestack.template.resolver import Resolver
from tunestack.template.statement import RESOURCE_POLICIES, Statement, statements_of

# Of a policy that is a resource by itself: which of its properties says what it is of.
_SUBJECTS = {
    "AWS::S3::BucketPolicy": "Bucket",
    "AWS::SNS::TopicPolicy": "Topics",
    "AWS::SQS::QueuePolicy": "Queues",
    "AWS::SecretsManager::ResourcePolicy": "SecretId",
}
_GUARDED = ("AWS::S3::Bucket", "AWS::SNS::Topic", "AWS::SQS::Queue", "AWS::Events::EventBus")
Policy = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Role:
    """A role, as far as it is asked what it may do."""

    name: str
    arn: str
    account: str
    stack: str
    trust: Policy
    statements: tuple[Statement, ...]
    boundary: str | None = None
    managed: tuple[str, ...] = ()
    """Managed policies that it has, by ARN: no template says what they allow."""

    def __str__(self) -> str:
        return f"{self.stack}: role {self.name}"


@dataclass(frozen=True, kw_only=True)
class Guarded:
    """A resource with a policy of its own."""

    arn: str
    account: str
    stack: str
    policy: Policy = field(default_factory=dict)


class World:
    """Stacks of any number of accounts and regions."""

    def __init__(self, stacks: Iterable[Stack]) -> None:
        # Each once, though the assembly of a stage is read with the one around it, too.
        found = list({(stack.account, stack.region, stack.name): stack for stack in stacks}.values())
        names = [stack.name for stack in found]
        # By name, and where that is taken in another account or region, by all three.
        self.stacks = {
            stack.name if names.count(stack.name) == 1 else f"{stack.name} ({stack.account}, {stack.region})": stack
            for stack in found
        }
        self._resolvers = {id(stack): Resolver(stack, partial(self._output, stack)) for stack in found}

    @classmethod
    def read(cls, assemblies: Iterable[Path]) -> "World":
        """The stacks of cloud assemblies, those of their stages, too.

        Raises:
            UserError: a folder is no cloud assembly.
        """
        return cls(stack for folder in assemblies for stack in Assembly.read(folder).stacks)

    def sibling(self, stack: Stack, name: str) -> Stack | None:
        """Another stack of the same account and region."""
        here = (stack.account, stack.region, name)
        return next((s for s in self.stacks.values() if (s.account, s.region, s.name) == here), None)

    def resolver(self, stack: Stack) -> Resolver:
        return self._resolvers[id(stack)]

    def resources(self, kind: str) -> Iterator[tuple[Stack, str, Mapping[str, Any]]]:
        """Every resource of a type: its stack, its logical id, and its properties, worked out."""
        for stack in self.stacks.values():
            for logical_id, properties in stack.of_kind(kind).items():
                yield stack, logical_id, self.resolver(stack).value(properties)

    @cached_property
    def roles(self) -> dict[str, Role]:
        """Every role by its ARN."""
        policies: dict[tuple[str, str], list[Statement]] = {}
        for kind in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy"):
            for stack, logical_id, properties in self.resources(kind):
                for role in properties.get("Roles") or [properties.get("RoleName")]:
                    stated = statements_of(properties.get("PolicyDocument"), logical_id)
                    policies.setdefault((stack.account, role), []).extend(stated)
        found = {}
        for stack, logical_id, properties in self.resources("AWS::IAM::Role"):
            resolver = self.resolver(stack)
            name, arn = resolver.name_of(logical_id), resolver.arn_of(logical_id)
            documents = [policy.get("PolicyDocument") for policy in properties.get("Policies", [])]
            own = [item for document in documents for item in statements_of(document, logical_id)]
            boundary = properties.get("PermissionsBoundary")
            managed = tuple(str(item) for item in properties.get("ManagedPolicyArns", []))
            found[arn] = Role(
                name=name,
                managed=managed,
                arn=arn,
                account=stack.account,
                stack=stack.name,
                trust=properties.get("AssumeRolePolicyDocument", {}),
                statements=(*own, *policies.get((stack.account, name), ())),
                boundary=boundary.rpartition("/")[2] if boundary else None,
            )
        return found

    @cached_property
    def guarded(self) -> dict[str, Guarded]:
        """Every resource that can have a policy of its own, by its ARN."""
        found: dict[str, Guarded] = {}
        for kind in (*_GUARDED, *RESOURCE_POLICIES):
            member, of = RESOURCE_POLICIES.get(kind), _SUBJECTS.get(kind)
            for stack, logical_id, properties in self.resources(kind):
                policy = _without_tokens(properties.get(member, {})) if member else {}
                for arn in self._subjects(stack, logical_id, properties, of):
                    place = Guarded(arn=arn, account=stack.account, stack=stack.name, policy=policy)
                    found[arn] = place if policy or arn not in found else found[arn]
        return found | self._buses()

    @cached_property
    def bucket_keys(self) -> dict[str, str]:
        """The key that encrypts a bucket's objects by default, by the bucket's name."""
        found = {}
        for stack, logical_id, properties in self.resources("AWS::S3::Bucket"):
            rules = properties.get("BucketEncryption", {}).get("ServerSideEncryptionConfiguration", [])
            key = rules[0].get("ServerSideEncryptionByDefault", {}).get("KMSMasterKeyID") if rules else None
            if key:
                found[self.resolver(stack).name_of(logical_id)] = key
        return found

    def _subjects(self, stack: Stack, logical_id: str, properties: Mapping[str, Any], of: str | None) -> list[str]:
        resolver = self.resolver(stack)
        if of is None:
            return [resolver.arn_of(logical_id)]
        named = properties[of] if isinstance(properties[of], list) else [properties[of]]
        if of == "Bucket":
            return [f"arn:{stack.partition}:s3:::{name}" for name in named]
        queues = [f"arn:{stack.partition}:sqs:{stack.region}:{stack.account}:{url.rpartition('/')[2]}" for url in named]
        return queues if of == "Queues" else named

    def _buses(self) -> dict[str, Guarded]:
        found: dict[str, Guarded] = {}
        for stack, _, properties in self.resources("AWS::Events::EventBusPolicy"):
            bus = properties.get("EventBusName", "default")
            arn = f"arn:{stack.partition}:events:{stack.region}:{stack.account}:event-bus/{bus}"
            known = found.get(arn)
            own = [properties["Statement"]] if "Statement" in properties else []
            statements = [*(known.policy["Statement"] if known else ()), *own]
            policy = {"Version": "2012-10-17", "Statement": statements}
            found[arn] = Guarded(arn=arn, account=stack.account, stack=stack.name, policy=policy)
        return found

    def _output(self, asking: Stack, stack_name: str, output: str) -> Any:
        """An output of the account, by its stack's name and its own; without a stack, by what it is exported as."""
        for stack in self.stacks.values():
            if stack.account != asking.account:
                continue
            for name, content in stack.template.get("Outputs", {}).items():
                exported = content.get("Export", {}).get("Name")
                if (stack.name, name) == (stack_name, output) or (not stack_name and exported == output):
                    return self.resolver(stack).value(content["Value"])
        return f"?{stack_name}.{output}?"


def _without_tokens(policy: Any) -> Policy:
    return json.loads(policy) if isinstance(policy, str) else dict(policy)
