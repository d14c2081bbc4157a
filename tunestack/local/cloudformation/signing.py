"""A registry's signing configuration and a signing profile: kept by name, and nothing is signed by them here."""

from typing import Any

Properties = dict[str, Any]


def signing_handlers() -> dict[str, dict[str, Any]]:
    """The handlers of the types."""
    return {
        "AWS::Signer::SigningProfile": {
            "create": lambda logical_id, properties, stack: _profile(f"{stack}{logical_id}"),
            "update": lambda physical_id, old, new, stack: (physical_id, {}),
            "delete": lambda physical_id, properties: None,
        },
        "AWS::ECR::SigningConfiguration": {
            "create": lambda logical_id, properties, stack: _configuration(properties),
            "update": lambda physical_id, old, new, stack: _configuration(new),
            "delete": lambda physical_id, properties: None,
        },
    }


def _profile(text: str) -> tuple[str, Properties]:
    from ministack.core.responses import get_account_id, get_region

    name = "".join(letter for letter in text if letter.isalnum())[-64:]
    arn = f"arn:aws:signer:{get_region()}:{get_account_id()}:/signing-profiles/{name}"
    return arn, {"Arn": arn, "ProfileName": name}


def _configuration(properties: Properties) -> tuple[str, Properties]:
    from ministack.core.responses import get_account_id

    for rule in properties["Rules"]:
        if ":/signing-profiles/" not in rule["SigningProfileArn"]:
            raise ValueError(f"Invalid parameter: signingProfileArn {rule['SigningProfileArn']}")
    return get_account_id(), {"RegistryId": get_account_id()}
