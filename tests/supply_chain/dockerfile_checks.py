"""The image's Dockerfile: each instruction and command is one that is known; whatever else is named."""

import re
from collections.abc import Iterator
from io import BytesIO

from dockerfile_parse import DockerfileParser

from tests.supply_chain.checks import shell_problems
from tunestack.definition.credentials import credential_in, names_a_secret

OFFLINE = "HF_HUB_OFFLINE"
ARGUMENTS = {"BASE_IMAGE", "TORCH_BUILD"}
# Variable → what its value must be.
VARIABLES = {
    "PATH": "/opt/tunestack/bin:${PATH}", "PYTHONUNBUFFERED": "1", "PYTHONPATH": "/opt/tunestack/code",
    "PIP_NO_CACHE_DIR": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "NVIDIA_VISIBLE_DEVICES": "all",
    "NVIDIA_DRIVER_CAPABILITIES": "compute,utility", OFFLINE: "1",
}  # fmt: skip
COPIED = {
    "requirements.txt requirements.lock wheel[s] wheels/", "requirements-sbom.lock sbom/",
    "tunestack_training tunestack_training",
}  # fmt: skip
ENTRY = '["python", "-m", "tunestack_training"]'
# The programs that commands begin with, and shell's own words.
PROGRAMS = {
    "set", "command", "[", "apt-get", "rm", "python", "python3", "mv", "ls", "sbom/venv/bin/python",
    "sbom/venv/bin/cyclonedx-py", "grep",
}  # fmt: skip
WORDS = re.compile(r"^((if|then|else|fi|do|done)\b|!)\s*")
ASSIGNED = {"missing", "torch"}
DEBIAN = re.compile(r"apt-get (update|install --yes --no-install-recommends \$missing)")
PACKAGES = {"", "gcc libc6-dev", "$missing python3-dev"}
PYTHON = re.compile(
    r"(\S*python3?) (-c .*|-m venv [\w/\- ]+|-m tunestack_training\.image_check [\w. \"$]+"
    r"|-m pip install (wheels/torch-\*\.whl|--require-hashes --no-deps -r \S+"
    r"|--index-url \"https://download\.pytorch\.org/whl/\$TORCH_BUILD\" \"\$torch\"))"
)


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
            if name not in ARGUMENTS:
                yield f"ARG {name} isn't one of those that are known"
            yield from _secret(name, default)
        elif instruction == "ENV":
            for name, item in re.findall(r"(\w+)=(\S+)", value):
                environment[name] = item
                if VARIABLES.get(name) != item:
                    yield f"ENV {name}={item} isn't what is known of it: {VARIABLES.get(name)}"
                yield from _secret(name, item)
        elif instruction == "FROM":
            base = re.sub(r"\$\{?(\w+)\}?", lambda found: arguments.get(found[1], found[0]), value)
            if "@sha256:" not in base:
                yield f"base {base} isn't pinned by its digest"
        elif instruction == "RUN":
            yield from shell_problems(value)
            yield from _command_problems(value)
        elif instruction == "ADD":
            yield "ADD brings and unpacks: use COPY"
        elif instruction == "COPY":
            if re.match(r"(--\S+\s+)*\.\s", value):
                yield "copies whatever lies in the folder: name the files"
            if value not in COPIED:
                yield f"COPY {value} isn't one of those that are known"
        elif instruction == "ENTRYPOINT":
            if value != ENTRY:
                yield f"ENTRYPOINT {value} isn't the kit's"
        elif instruction not in ("COMMENT", "WORKDIR"):
            yield f"{instruction} isn't one of the instructions that the image is made of"
    if environment.get(OFFLINE) != "1":
        yield f"{OFFLINE} must be 1: jobs would load from the hub"


def _secret(name: str, value: str) -> Iterator[str]:
    if names_a_secret(name) or credential_in(value):
        yield f"{name} looks like a secret, and stays in the image"


def _command_problems(value: str) -> Iterator[str]:
    """Commands that aren't one of those that the image is made with."""
    text = re.sub(r"\$\([^()]*(\([^()]*\)[^()]*)*\)", "$SUB", re.sub(r"\\\n", " ", value))
    quoted = re.sub(r'(-c )("[^"]*"|\'[^\']*\')', r"\1CODE", text)
    for part in re.split(r"&&|\|\||;|\|", quoted):
        command = part.strip()
        while WORDS.match(command):
            command = WORDS.sub("", command).strip()
        command = re.sub(r"\s*\d?>\S*(\s*2>&1)?", "", command)
        if not command:
            continue
        assigned = re.match(r"(\w+)=(.*)$", command)
        if assigned:
            plain = assigned[2].strip('"')
            if assigned[1] not in ASSIGNED or (assigned[1] == "missing" and plain not in PACKAGES):
                yield f"RUN sets {command}, which nobody has looked at"
            continue
        program = command.split()[0]
        if program not in PROGRAMS:
            yield f"RUN {command[:60]}: {program} isn't one of the programs that the image is made with"
        elif program == "apt-get" and not DEBIAN.fullmatch(command):
            yield f"RUN {command[:60]}: another use of apt-get than the known ones"
        elif program.endswith(("python", "python3")) and not PYTHON.fullmatch(command):
            yield f"RUN {command[:60]}: another use of python than the known ones"
