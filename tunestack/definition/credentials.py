"""What a credential looks like: by the name of what holds it, and by itself."""

import re

_TELLING_NAME = re.compile(
    r"(?i)(^|[_.\-])(password|passwd|pwd|secret|credentials?|api_?key|access_?key|private_?key|auth_?token|hf_?token"
    r"|token)$"
)
_CREDENTIAL = re.compile(
    r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bhf_[A-Za-z0-9]{30,}|\bgh[pousr]_[A-Za-z0-9]{30,}|\bsk-[A-Za-z0-9_\-]{20,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----"
)


def names_a_secret(name: str) -> bool:
    """Whether a variable of this name would hold a secret."""
    return bool(_TELLING_NAME.search(name))


def credential_in(text: str) -> str | None:
    """The first thing in a text that has the form of a credential, or None."""
    found = _CREDENTIAL.search(text)
    return found.group() if found else None
