"""An image repository requires immutable tags, a scan on push, and a KMS key of yours."""

from collections.abc import Iterator

from tunestack.rules.finding import Problem
from tunestack.template.resources import Resource, Resources
from tunestack.template.values import is_true

KINDS = frozenset({"AWS::ECR::Repository"})


def check(resource: Resource, resources: Resources) -> Iterator[Problem]:
    if resource.properties.get("ImageTagMutability") != "IMMUTABLE":
        yield "ImageTagMutability", "must be IMMUTABLE: what was registered could be replaced under its tag"
    if not is_true(resource.part("ImageScanningConfiguration").get("ScanOnPush")):
        yield "ImageScanningConfiguration.ScanOnPush", "must be true"
    encryption = resource.part("EncryptionConfiguration")
    if encryption.get("EncryptionType") != "KMS" or "KmsKey" not in encryption:
        yield "EncryptionConfiguration", "must be KMS with a key of yours"
