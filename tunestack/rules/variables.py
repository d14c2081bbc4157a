"""What an environment variable of a function or a build must not hold."""

import json
import re
from collections.abc import Iterator
from typing import Any

from tunestack.definition.credentials import names_a_secret
from tunestack.template.values import as_text, strings

# What a runtime or a client takes from its surroundings: other code, another endpoint, other certificates.
_TAKEN = re.compile(
    r"(LD_\w+|PYTHON(PATH|STARTUP|HOME|INSPECT|USERBASE)|NODE_(OPTIONS|PATH|EXTRA_CA_CERTS|TLS_REJECT_UNAUTHORIZED)"
    r"|JAVA_TOOL_OPTIONS|BASH_ENV|AWS_LAMBDA_EXEC_WRAPPER|AWS_(ENDPOINT_URL\w*|CA_BUNDLE|PROFILE|CONFIG_FILE)"
    r"|(HTTPS?|ALL|NO)_PROXY|REQUESTS_CA_BUNDLE|SSL_CERT_(FILE|DIR)|CURL_CA_BUNDLE|GIT_SSL_NO_VERIFY"
    r"|PIP_(INDEX_URL|EXTRA_INDEX_URL|TRUSTED_HOST|CONFIG_FILE|FIND_LINKS|NO_INDEX)|UV_\w*INDEX\w*)",
    re.IGNORECASE,
)
_HOST = re.compile(r"\b(?:https?|wss?|ftp)://([^/\s\"':?#]+)")
_OF_AWS = re.compile(r"(.*\.)?(amazonaws\.com(\.cn)?|aws\.dev|api\.aws|\$\{AWS::URLSuffix\})")


def variable_problems(name: str, value: Any) -> Iterator[str]:
    """What is wrong with a variable; of one that holds JSON, what is in it is looked at, too."""
    text = as_text(value)
    for inner in (name, *_names_in(text)):
        if names_a_secret(inner):
            yield "looks like a secret in clear" if inner == name else f"{inner} in it looks like a secret in clear"
    if _TAKEN.fullmatch(name):
        yield "changes what runs, or whom it speaks to"
    for host in _HOST.findall(text):
        if not _OF_AWS.fullmatch(host):
            yield f"speaks to {host}, which isn't AWS's"


def _names_in(text: str) -> list[str]:
    """The members' names of JSON in a variable, whatever CloudFormation puts into it."""
    try:
        held = json.loads(text)
    except ValueError:
        return re.findall(r'"(\w+)"\s*:', text)
    places = [where for where, _ in strings(held)] if isinstance(held, dict | list) else []
    return sorted({part for where in places for part in re.split(r"[.\[\]]+", where) if part and not part.isdigit()})
