"""An image's tag never moves; images are scanned when they come, and encrypted with a key of yours."""

from collections.abc import Iterator

from tunestack.rules.assembly import Assembly, Resource, is_true
from tunestack.rules.finding import Problem

KINDS = frozenset({"AWS::ECR::Repository"})


def check(resource: Resource, assembly: Assembly) -> Iterator[Problem]:
    if resource.properties.get("ImageTagMutability") != "IMMUTABLE":
        yield "ImageTagMutability", "must be IMMUTABLE: what was registered could be replaced under its tag"
    if not is_true(resource.part("ImageScanningConfiguration").get("ScanOnPush")):
        yield "ImageScanningConfiguration.ScanOnPush", "must be true"
    encryption = resource.part("EncryptionConfiguration")
    if encryption.get("EncryptionType") != "KMS" or "KmsKey" not in encryption:
        yield "EncryptionConfiguration", "must be KMS with a key of yours"
