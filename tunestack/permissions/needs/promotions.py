"""Which environments feed which: read off the functions that take versions in, and what they are told."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tunestack.layout import READ_BY_PROMOTION, S3Uri
from tunestack.permissions.access import Access
from tunestack.permissions.needs.files import read_accesses, write_accesses
from tunestack.permissions.needs.sources import SourceEnvironment, group_of, source_of
from tunestack.permissions.world import World
from tunestack.template.assembly import Stack

_HANDLER = "promote.handler"


@dataclass(frozen=True, kw_only=True)
class Promotion:
    """One function that takes versions in."""

    stack: Stack
    function: str
    role: str
    told: Mapping[str, str]
    source: SourceEnvironment | None

    @property
    def by(self) -> str:
        return f"{self.stack.name}: function {self.function}"

    @property
    def pipeline(self) -> str:
        return self.told["PIPELINE"]

    @property
    def key(self) -> str:
        return self.told["KEY"]

    @property
    def images(self) -> tuple[str, ...]:
        """One image of each repository that a version may come with."""
        return tuple(f"{repository}@sha256:{'0' * 64}" for repository in json.loads(self.told["ORIGIN_REPOSITORIES"]))

    def targets(self) -> Iterator[str]:
        """Where copies go."""
        yield self._uri(self.told["PREFIX"], "group/1/package/model.tar.gz")
        for prefix in json.loads(self.told["SHARED"]).values():
            yield self._uri(prefix, "model/main")

    def parameters(self) -> Iterator[dict[str, str]]:
        """What the pipeline is started with, for each image."""
        shared, prefix = json.loads(self.told["SHARED"]), self.told["PREFIX"]
        found = {
            "SourceVersionArn": f"{self.told['SOURCE_VERSIONS']}1",
            "ModelDataUrl": self._uri(prefix, "group/1/package/model.tar.gz"),
        }
        for key, parameter in json.loads(self.told["PARAMETERS"]).items():
            place = (shared[key], "model/main") if key in shared else (prefix, f"group/1/{key}")
            found[parameter] = self._uri(*place)
        for image in self.images:
            yield {**found, "ImageUri": image}

    def _uri(self, prefix: str, key: str) -> str:
        return str(S3Uri(bucket=self.told["BUCKET"], key=f"{prefix}/{key}"))

    def calls(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """What the function asks of SageMaker, ECR and its own bucket: action, resource, condition keys."""
        own = f"arn:{self.stack.partition}:sagemaker:{self.stack.region}:{self.stack.account}"
        version = f"{own}:model-package/{self.told['GROUP']}/1"
        yield "sagemaker:DescribeModelPackage", f"{self.told['SOURCE_VERSIONS']}1", {}
        yield "sagemaker:DescribeModelPackage", version, {}
        yield "sagemaker:ListModelPackages", f"{own}:model-package-group/{self.told['GROUP']}", {}
        yield "sagemaker:UpdateModelPackage", version, {"sagemaker:ModelApprovalStatus": "Rejected"}
        for action in ("StartPipelineExecution", "ListPipelineExecutions"):
            yield f"sagemaker:{action}", f"{own}:pipeline/{self.pipeline}", {}
        bucket = f"arn:{self.stack.partition}:s3:::{self.told['BUCKET']}"
        yield "s3:ListBucketMultipartUploads", bucket, {}
        for prefix in (self.told["PREFIX"], *json.loads(self.told["SHARED"]).values()):
            # Without it, S3 says of a copy that isn't there yet that it is forbidden.
            yield "s3:ListBucket", bucket, {"s3:prefix": f"{prefix}/a"}
        for image in self.images:
            host, _, path = image.partition("/")
            account, _, _, region, *_ = host.split(".")
            repository = path.partition("@")[0]
            actions = ["ecr:BatchGetImage"]
            actions += ["ecr:DescribeImageScanFindings"] if self.told.get("MAX_CRITICAL_FINDINGS") else []
            actions += ["ecr:DescribeImageSigningStatus"] if self.told.get("SIGNED_IMAGES") else []
            for action in actions:
                yield action, f"arn:{self.stack.partition}:ecr:{region}:{account}:repository/{repository}", {}


def promotions_of(world: World) -> Iterator[Promotion]:
    """Every function of the world that takes versions in."""
    found = [
        (stack, name, properties["Role"], properties["Environment"]["Variables"])
        for stack, name, properties in world.resources("AWS::Lambda::Function")
        if properties.get("Handler") == _HANDLER
    ]
    for stack, name, role, told in found:
        yield Promotion(
            stack=stack,
            function=name,
            role=role,
            told=told,
            source=source_of(world, group_of(told["SOURCE_VERSIONS"])),
        )


def needs(world: World) -> Iterator[Access]:
    """What each function needs that takes versions in: it looks at them, copies their files, and starts a pipeline."""
    for promotion in promotions_of(world):
        stack, by, role = promotion.stack, promotion.by, promotion.role
        for action, resource, context in promotion.calls():
            yield Access(by=by, principal=role, action=action, resource=resource, context=context)
        if source := promotion.source:
            for place, pattern in READ_BY_PROMOTION:
                uri = str(S3Uri(bucket=source.buckets[place.bucket], key=place.key(pattern.replace("*", "a"))))
                yield from read_accesses(world, source.stack, by=by, role=role, uri=uri)
        for uri in promotion.targets():
            yield from write_accesses(world, stack, by=by, role=role, uri=uri, key=promotion.key)
            yield from read_accesses(world, stack, by=by, role=role, uri=uri, listed=False)
