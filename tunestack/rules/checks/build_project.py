"""A build must have a time limit, a key, a log, no secret in its variables, and no download over plain HTTP."""

import re
from collections.abc import Iterator

from tunestack.rules.finding import Problem
from tunestack.rules.variables import variable_problems
from tunestack.template.resources import Resource, Resources
from tunestack.template.values import as_mappings, as_text

KINDS = frozenset({"AWS::CodeBuild::Project"})
_IMAGE = re.compile(r"^aws/codebuild/|\.dkr\.ecr\.|\.RepositoryUri\b|AWS::URLSuffix")
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
        if variable.get("Type", "PLAINTEXT") == "PLAINTEXT":
            for problem in variable_problems(str(variable.get("Name")), variable.get("Value")):
                yield f"Environment.EnvironmentVariables[{index}]", f"{variable.get('Name')} {problem}"
    image = as_text(resource.part("Environment").get("Image") or "")
    if image and not _IMAGE.search(image):
        yield "Environment.Image", f"is {image}: must be CodeBuild's own (aws/codebuild/…) or of a registry of yours"
    script = as_text(resource.part("Source").get("BuildSpec") or "")
    for pattern, message in _UNSAFE.items():
        if re.search(pattern, script):
            yield "Source.BuildSpec", message
