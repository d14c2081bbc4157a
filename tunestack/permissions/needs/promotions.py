"""Which environments feed which: read off the settings of the functions that take versions in."""

from collections.abc import Iterator
from dataclasses import dataclass

from tunestack_functions.promote import Settings

from tunestack.layout import TEST, S3Uri, read_by_promotion
from tunestack.permissions.access import Access
from tunestack.permissions.needs.files import read_accesses, write_accesses
from tunestack.permissions.needs.functions import DeclaredFunction, declared_functions
from tunestack.permissions.needs.sources import SourceEnvironment, group_of, source_of
from tunestack.permissions.world import World


@dataclass(frozen=True, kw_only=True)
class Promotion:
    """One function that takes versions in."""

    function: DeclaredFunction
    settings: Settings
    source: SourceEnvironment | None

    def targets(self) -> Iterator[str]:
        """Where copies go."""
        for key in self.settings.copied:
            yield self._uri(self.settings.prefix, self._place(key))

    def parameters(self) -> Iterator[dict[str, str]]:
        """What the pipeline is started with, for one image of each repository that a version may come with."""
        prefix = self.settings.prefix
        found = {"SourceVersionArn": self.settings.source_versions.replace("*", "1")}
        found |= dict.fromkeys(self.settings.digests.values(), "0" * 64)
        for key, parameter in self.settings.copied.items():
            found[parameter] = self._uri(prefix, self._place(key))
        for repository in self.settings.origin_repositories:
            yield {**found, "ImageUri": f"{repository}@sha256:{'0' * 64}"}

    @property
    def with_exam(self) -> bool:
        """Whether what a version was judged by comes along."""
        return TEST in self.settings.copied

    def _place(self, key: str) -> str:
        return f"{key}/digest" if key in self.settings.shared else f"group/1/{key}"

    def _uri(self, prefix: str, key: str) -> str:
        return str(S3Uri(bucket=self.settings.bucket, key=f"{prefix}/{key}"))


def promotions_of(world: World) -> Iterator[Promotion]:
    """Every function of the world that takes versions in."""
    for function in declared_functions(world):
        if isinstance(function.settings, Settings):
            source = source_of(world, group_of(function.settings.source_versions))
            yield Promotion(function=function, settings=function.settings, source=source)


def needs(world: World) -> Iterator[Access]:
    """What copying takes; what such a function calls else, it declares."""
    for promotion in promotions_of(world):
        stack, by, role = promotion.function.stack, promotion.function.by, promotion.function.role
        if source := promotion.source:
            for place, pattern in read_by_promotion(with_exam=promotion.with_exam):
                uri = str(S3Uri(bucket=source.buckets[place.bucket], key=place.key(pattern.replace("*", "a"))))
                yield from read_accesses(world, source.stack, by=by, role=role, uri=uri)
        for uri in promotion.targets():
            yield from write_accesses(world, stack, by=by, role=role, uri=uri, key=promotion.settings.key_arn)
            # Listed: without that, S3 says of a copy that isn't there yet that it is forbidden.
            yield from read_accesses(world, stack, by=by, role=role, uri=uri)
