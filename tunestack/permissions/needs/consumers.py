"""A role that serves another account's versions reads their archives and pulls their image."""

from collections.abc import Iterator

from tunestack.layout import CONSUMES_METADATA, PACKAGES, S3Uri
from tunestack.permissions.access import Access
from tunestack.permissions.calls import SAGEMAKER
from tunestack.permissions.job_role import PULL_ACTIONS
from tunestack.permissions.needs.common import taken_on
from tunestack.permissions.needs.files import read_accesses
from tunestack.permissions.needs.sources import group_of, source_of
from tunestack.permissions.world import World


def needs(world: World) -> Iterator[Access]:
    """What each consumer's role needs."""
    for stack in world.stacks.values():
        for logical_id, resource in stack.template.get("Resources", {}).items():
            consumed = world.resolver(stack).value(resource.get("Metadata", {}).get(CONSUMES_METADATA))
            if not consumed:
                continue
            by, role = f"{stack.name}: consumer {logical_id}", world.resolver(stack).arn_of(logical_id)
            yield from taken_on(world, by, role, SAGEMAKER)
            for action in PULL_ACTIONS:
                yield Access(by=by, principal=role, action=action, resource=consumed["Repository"])
            yield Access(by=by, principal=role, action="ecr:GetAuthorizationToken", resource="*")
            source = source_of(world, group_of(consumed["Versions"]))
            if source is not None:
                bucket = source.buckets[PACKAGES.bucket]
                uri = str(S3Uri(bucket=bucket, key=PACKAGES.key("a", "model.tar.gz")))
                yield from read_accesses(world, source.stack, by=by, role=role, uri=uri, listed=False)
