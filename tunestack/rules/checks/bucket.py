"""A bucket must block public access, be encrypted, enforce ownership, and be versioned where a KMS key encrypts it."""

from collections.abc import Iterator

from tunestack.rules.finding import Problem
from tunestack.template.resources import Resource, Resources
from tunestack.template.values import as_mapping, as_mappings, is_true

KINDS = frozenset({"AWS::S3::Bucket"})
# What a lifecycle rule is for, where it isn't for all.
_PART = ("Prefix", "TagFilters", "ObjectSizeGreaterThan", "ObjectSizeLessThan")
_BLOCKS = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")


def check(resource: Resource, resources: Resources) -> Iterator[Problem]:
    blocked = resource.part("PublicAccessBlockConfiguration")
    for member in _BLOCKS:
        if not is_true(blocked.get(member)):
            yield f"PublicAccessBlockConfiguration.{member}", "must be true"
    if str(resource.properties.get("AccessControl", "Private")).startswith(("Public", "AuthenticatedRead")):
        yield "AccessControl", "must not be public"
    owners = [rule.get("ObjectOwnership") for rule in as_mappings(resource.part("OwnershipControls").get("Rules"))]
    if owners != ["BucketOwnerEnforced"]:
        yield "OwnershipControls", "must be BucketOwnerEnforced: an object's ACL could let anybody in"
    rules = as_mappings(resource.part("BucketEncryption").get("ServerSideEncryptionConfiguration"))
    encryption = as_mapping(rules[0].get("ServerSideEncryptionByDefault")) if rules else {}
    is_log = any(
        other.part("LoggingConfiguration").get("DestinationBucketName") == {"Ref": resource.logical_id}
        for other in resources.of_kind("AWS::S3::Bucket")
    )
    if not encryption:
        yield "BucketEncryption", "missing"
    elif not is_log and (encryption.get("SSEAlgorithm") != "aws:kms" or "KMSMasterKeyID" not in encryption):
        yield "BucketEncryption", "must be aws:kms with a key of yours"
    if not is_log and resource.part("VersioningConfiguration").get("Status") != "Enabled":
        yield "VersioningConfiguration", "missing: what is overwritten is lost"
    for index, rule in enumerate(as_mappings(resource.part("LifecycleConfiguration").get("Rules"))):
        if not is_log and rule.get("ExpirationInDays") and not any(rule.get(key) for key in _PART):
            where = f"LifecycleConfiguration.Rules[{index}]"
            yield where, "expires whatever is in the bucket: name a prefix"
    if not is_log and not resource.part("LoggingConfiguration"):
        yield "LoggingConfiguration", "missing: nobody would know who read it"
