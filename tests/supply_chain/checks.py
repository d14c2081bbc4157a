"""What is brought into an image, an environment or a job without anybody having looked at it."""

import ast
import re
from collections.abc import Iterator
from io import BytesIO
from typing import Any

from dockerfile_parse import DockerfileParser

from tunestack.definition.credentials import credential_in, names_a_secret

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
OFFLINE = "HF_HUB_OFFLINE"
# Calls that run what a file holds, or bring what nobody has pinned.
FORBIDDEN_CALLS = {
    "torch.load": "runs what a pickle holds: use safetensors",
    "pickle.load": "runs what a pickle holds",
    "pickle.loads": "runs what a pickle holds",
    "joblib.load": "runs what a pickle holds",
    "dill.load": "runs what a pickle holds",
    "yaml.load": "makes any object: use safe_load",
    "yaml.unsafe_load": "makes any object: use safe_load",
    "eval": "runs text",
    "exec": "runs text",
    "os.system": "runs text in a shell",
    "snapshot_download": "brings what nobody has pinned",
    "hf_hub_download": "brings what nobody has pinned",
    "huggingface_hub.snapshot_download": "brings what nobody has pinned",
    "huggingface_hub.hf_hub_download": "brings what nobody has pinned",
    "urllib.request.urlopen": "brings what nobody has pinned",
    "requests.get": "brings what nobody has pinned",
}
WEIGHTS = re.compile(r"Auto(Model\w*)\.from_pretrained")
ROW_NAMES = frozenset(
    {"row", "rows", "text", "texts", "prompt", "prompts", "completion", "answer", "answers", "messages"}
)
LOG_CALLS = re.compile(r"(log|logger|logging)\.(debug|info|warning|error|exception|critical)|print")


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


def dockerfile_problems(text: str) -> Iterator[str]:
    """What is wrong with a Dockerfile."""
    parser = DockerfileParser(fileobj=BytesIO(text.encode()))
    arguments: dict[str, str] = {}
    environment: dict[str, str] = {}
    for entry in parser.structure:
        instruction, value = entry["instruction"], entry["value"]
        if instruction == "ARG":
            name, _, default = value.partition("=")
            arguments[name] = default
            yield from _secret(name, default)
        elif instruction == "ENV":
            for name, item in re.findall(r"(\w+)=(\S+)", value):
                environment[name] = item
                yield from _secret(name, item)
        elif instruction == "FROM":
            base = re.sub(r"\$\{?(\w+)\}?", lambda found: arguments.get(found[1], found[0]), value)
            if "@sha256:" not in base:
                yield f"base {base} isn't pinned by its digest"
        elif instruction == "RUN":
            yield from shell_problems(value)
        elif instruction == "ADD":
            yield "ADD brings and unpacks: use COPY"
        elif instruction == "COPY" and re.match(r"(--\S+\s+)*\.\s", value):
            yield "copies whatever lies in the folder: name the files"
    if environment.get(OFFLINE) != "1":
        yield f"{OFFLINE} must be 1: jobs would load from the hub"


def _secret(name: str, value: str) -> Iterator[str]:
    if names_a_secret(name) or credential_in(value):
        yield f"{name} looks like a secret, and stays in the image"


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


def code_problems(source: str) -> Iterator[str]:
    """What is wrong with code that runs in a job."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            yield from _call_problems(node)
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                yield from _offline(ast.unparse(target), node.value)


def _call_problems(node: ast.Call) -> Iterator[str]:
    name = ast.unparse(node.func)
    keywords = {keyword.arg: keyword.value for keyword in node.keywords}
    if message := FORBIDDEN_CALLS.get(name):
        yield f"{name} {message}"
    if _is(keywords.get("trust_remote_code"), True):
        yield f"{name}: trust_remote_code runs what came with the model"
    if _is(keywords.get("allow_pickle"), True):
        yield f"{name} runs what a pickle holds"
    if _is(keywords.get("shell"), True):
        yield f"{name} runs text in a shell"
    if _is(keywords.get("verify"), False):
        yield f"{name} doesn't look at a certificate"
    if WEIGHTS.fullmatch(name) and not _is(keywords.get("use_safetensors"), True):
        yield f"{name} takes pickled weights: say use_safetensors=True"
    if re.fullmatch(r"Auto\w+\.from_pretrained", name) and not _is(keywords.get("local_files_only"), True):
        yield f"{name} may go to the hub: say local_files_only=True"
    if name.endswith("environ.setdefault") and len(node.args) == 2:
        yield from _offline(ast.unparse(node.args[0]), node.args[1])
    if LOG_CALLS.fullmatch(name):
        yield from _logged_rows(node)


def _logged_rows(node: ast.Call) -> Iterator[str]:
    for part in node.args:
        for inner in ast.walk(part):
            counted = isinstance(inner, ast.Call) and ast.unparse(inner.func) in ("len", "sum")
            if counted:
                break
            if isinstance(inner, ast.Name) and inner.id in ROW_NAMES:
                yield f"{ast.unparse(node.func)} writes the content of rows: {inner.id}"


def _offline(target: str, value: ast.expr) -> Iterator[str]:
    if "OFFLINE" in target and isinstance(value, ast.Constant) and str(value.value).lower() in ("0", "false", "no", ""):
        yield f"{target} is switched off: jobs would load from the hub"


def _is(value: Any, wanted: object) -> bool:
    return isinstance(value, ast.Constant) and value.value is wanted
