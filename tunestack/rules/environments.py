"""Which environment a resource is of, by its tags."""

from tunestack.layout import ENVIRONMENT_TAG, PROJECT_TAG
from tunestack.template.resources import Resource
from tunestack.template.values import as_mappings


def environment_of(resource: Resource) -> frozenset[tuple[str, str]]:
    """The tags that say whose a resource is, under whichever prefix."""
    return frozenset(
        (str(tag["Key"]), str(tag["Value"]))
        for tag in as_mappings(resource.properties.get("Tags"))
        if str(tag.get("Key")).endswith((PROJECT_TAG, ENVIRONMENT_TAG)) and "Value" in tag
    )
