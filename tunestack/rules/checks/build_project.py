"""A build must have a time limit, a key, a log, no secret in its variables, and no download over plain HTTP."""

import re
from collections.abc import Iterator

from tunestack.definition.credentials import names_a_secret
from tunestack.rules.finding import Problem
from tunestack.template.resources import Resource, Resources
from tunestack.template.values import as_mappings, as_text

KINDS = frozenset({"AWS::CodeBuild::Project"})
_UNSAFE = {
    r"\bhttp://": "takes something over plain HTTP",
    r"--trusted-host\b": "trusts a host without its certificate",
    r"(curl|wget)\b[^|\n]*\|\s*(ba|z|da)?sh\b": "runs what it has just downloaded",
    r"(curl\b[^\n]*\s(-k|--insecure)\b|wget\b[^\n]*--no-check-certificate)": "doesn't look at a certificate",
}


def check(resource: Resource, resources: Resources) -> Iterator[Problem]:
    if "EncryptionKey" not in resource.properties:
        yield "EncryptionKey", "missing"
    if "TimeoutInMinutes" not in resource.properties:
        yield "TimeoutInMinutes", "missing: a build that hangs is paid for an hour"
    if resource.part("LogsConfig", "CloudWatchLogs").get("Status") != "ENABLED":
        yield "LogsConfig.CloudWatchLogs", "must be ENABLED, with a group of yours"
    if resource.properties.get("Visibility") == "PUBLIC_READ":
        yield "Visibility", "must be private"
    for index, variable in enumerate(as_mappings(resource.part("Environment").get("EnvironmentVariables"))):
        if variable.get("Type", "PLAINTEXT") == "PLAINTEXT" and names_a_secret(str(variable.get("Name"))):
            yield f"Environment.EnvironmentVariables[{index}]", f"{variable['Name']} looks like a secret in clear"
    script = as_text(resource.part("Source").get("BuildSpec") or "")
    for pattern, message in _UNSAFE.items():
        if re.search(pattern, script):
            yield "Source.BuildSpec", message
