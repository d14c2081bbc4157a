"""Scripts, locks and requirements: what is brought into an environment without anybody having looked at it."""

import json
import re
from collections.abc import Iterator

SHELL = {
    r"\bhttp://": "takes something over plain HTTP",
    r"--trusted-host\b": "trusts a host without its certificate",
    r"(curl|wget)\b[^|\n]*\|\s*(ba|z|da)?sh\b": "runs what it has just downloaded",
    r"curl\b[^\n]*\s(-k|--insecure)\b|--no-check-certificate|--insecure-host": "doesn't look at a certificate",
    r"--extra-index-url": "takes packages from whichever index has the newer one",
    r"--allow-unauthenticated|--force-yes|trusted=yes": "takes Debian packages without their signature",
    r"chmod\s+(-R\s+)?(0?777|a\+w)": "lets everybody write",
}
# torch is pip's alone: its hash depends on the build that the host's GPU needs, and its version is asserted.
TORCH = re.compile(r'install( -q)?( --index-url "https://download\.pytorch\.org/whl/[^"]+")? ("\$torch"|wheels/torch-)')
TORCH_OF_MAKE = re.compile(r'install -q "\$\$\(grep .\^torch==')
PINNED = re.compile(r"[A-Za-z0-9._\-\[\],]+==[^\s;*]+(\s*;.*)?")


def shell_problems(text: str) -> Iterator[str]:
    """What a script, or a Dockerfile's commands, do."""
    for pattern, message in SHELL.items():
        if re.search(pattern, text):
            yield message
    for line in re.sub(r"\\\n", " ", text).splitlines():
        for command in re.split(r"&&|;|\|\|", line):
            yield from _install_problems(command)


def _install_problems(command: str) -> Iterator[str]:
    if not re.search(r"\bpip3?\s+(install|sync)\b", command):
        return
    safe = "--require-hashes" in command or ("--no-deps" in command and "-e ." in command)
    if not safe and not TORCH.search(command) and not TORCH_OF_MAKE.search(command):
        yield f"installs without hashes: {command.strip()[:60]}"


def lock_problems(text: str) -> Iterator[str]:
    """What is wrong with a lock file: one line a package, pinned, with its hashes."""
    for line in _lines(re.sub(r"\\\n", " ", text)):
        if line.startswith("-"):
            yield f"option {line.split()[0]}: a lock holds packages alone"
            continue
        requirement, *hashes = re.split(r"\s+--hash=", line)
        if not PINNED.fullmatch(requirement.strip()):
            yield f"{requirement.split()[0]} isn't pinned by =="
        if not hashes or not all(re.fullmatch(r"sha256:[0-9a-f]{64}", item.strip()) for item in hashes):
            yield f"{requirement.split()[0]} has no sha256 of its own"


def _lines(text: str) -> Iterator[str]:
    """A requirements file's lines less comments and empty ones."""
    lines = (re.sub(r"\s#.*|^\s*#.*", "", line).strip() for line in text.splitlines())
    return (line for line in lines if line)


def requirement_problems(text: str) -> Iterator[str]:
    """What is wrong with a requirements file: every line pinned."""
    for line in _lines(text):
        if line != "-e ." and not PINNED.fullmatch(line):
            yield f"{line.split()[0]} isn't pinned by =="


def pins(text: str) -> dict[str, str]:
    """Each package that a lock or a requirements file pins, with its version."""
    found = (re.match(r"([A-Za-z0-9._\-]+)(\[[^\]]*\])?==([^\s;\\]+)", line) for line in _lines(text))
    return {re.sub(r"[-_.]+", "-", item[1]).lower(): item[3] for item in found if item}


def drift_problems(lock: str, requirements: str) -> Iterator[str]:
    """Where a lock isn't what its requirements would give: a version of its own, or none."""
    locked = pins(lock)
    for name, version in pins(requirements).items():
        if locked.get(name) != version:
            yield f"{name} is {version} in the requirements, and {locked.get(name, 'not there')} in the lock"


def package_lock_problems(text: str) -> Iterator[str]:
    """What is wrong with npm's lock: every package by its sha512, from npm's own registry, and no script of its own."""
    for name, item in json.loads(text)["packages"].items():
        if not name:
            wanted = {**item.get("dependencies", {}), **item.get("devDependencies", {})}
            yield from (
                f"{key} isn't pinned: {value}" for key, value in wanted.items() if not re.fullmatch(r"[\d.]+", value)
            )
            continue
        if not re.fullmatch(r"sha512-[A-Za-z0-9+/]{86}==", str(item.get("integrity"))):
            yield f"{name} has no sha512 of its own"
        if "resolved" in item and not item["resolved"].startswith("https://registry.npmjs.org/"):
            yield f"{name} comes from {item['resolved']}"
        if item.get("hasInstallScript") or item.get("link"):
            yield f"{name} runs a script when it is installed, or lies elsewhere"
