"""Dockerfile, locks, setup and training code bring nothing unpinned and run nothing unseen; a change is named."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.supply_chain.checks import (
    drift_problems,
    lock_problems,
    package_lock_problems,
    requirement_problems,
    shell_problems,
)
from tests.supply_chain.code_checks import FUNCTIONS, TRAINING, code_problems
from tests.supply_chain.dockerfile_checks import dockerfile_problems
from tests.supply_chain.workflow_checks import EVENTS, workflow_problems

Check = Callable[[str], Iterator[str]]
CODE = ROOT / "training_code" / "tunestack_training"
OF_LAMBDA = ROOT / "constructs" / "tunestack_functions"
WORKFLOWS = ROOT / ".github" / "workflows"
DOCKERFILE = ROOT / "training_code" / "Dockerfile"
LOCKS = [
    ROOT / name
    for name in (
        "requirements.lock", "requirements-sdk.lock", "requirements-uv.lock", "demo/requirements.lock",
        "requirements-checkov.lock", "training_code/requirements.lock", "training_code/requirements-test.lock",
        "training_code/requirements-sbom.lock",
    )
]  # fmt: skip
REQUIREMENTS = [lock.with_suffix(".txt") for lock in LOCKS if lock.with_suffix(".txt").exists()]
SCRIPTS = [ROOT / "Makefile", *(file for file in (ROOT / "scripts").iterdir() if file.suffix == "" and file.is_file())]
FILES: list[tuple[Path, Check]] = [
    (DOCKERFILE, dockerfile_problems),
    *((file, lock_problems) for file in LOCKS),
    *((file, requirement_problems) for file in REQUIREMENTS),
    *((file, shell_problems) for file in SCRIPTS),
    *((file, partial(code_problems, file=file.name, allowed=TRAINING)) for file in sorted(CODE.glob("*.py"))),
    *((file, partial(code_problems, file=file.name, allowed=FUNCTIONS)) for file in sorted(OF_LAMBDA.glob("*.py"))),
    *((file, partial(workflow_problems, file=file.name)) for file in sorted(WORKFLOWS.glob("*.yml"))),
    (ROOT / "package-lock.json", package_lock_problems),
]


@pytest.mark.parametrize(("file", "check"), FILES, ids=[str(file.relative_to(ROOT)) for file, _ in FILES])
def test_it_is_as_it_must_be(file: Path, check: Check) -> None:
    assert list(check(file.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("lock", [lock for lock in LOCKS if lock.with_suffix(".txt") in REQUIREMENTS], ids=str)
def test_a_lock_has_the_versions_that_its_requirements_ask_for(lock: Path) -> None:
    requirements = lock.with_suffix(".txt").read_text(encoding="utf-8")
    # torch is pip's alone, and what is overridden says so.
    elsewhere = {"torch"} | {
        line.partition("==")[0] for line in (ROOT / "requirements-overrides.txt").read_text().splitlines()
    }
    found = drift_problems(lock.read_text(encoding="utf-8"), requirements)
    assert [problem for problem in found if problem.split()[0] not in elsewhere] == []


def test_every_workflow_is_known() -> None:
    assert {file.name for file in WORKFLOWS.iterdir()} == EVENTS.keys()


def test_every_lock_of_the_project_is_among_them() -> None:
    ours = {file for file in ROOT.glob("**/*.lock") if not {".venv", "node_modules", ".tunestack", "cdk.out"} & {*file.relative_to(ROOT).parts}}  # fmt: skip
    ours = {file for file in ours if not any(part.startswith(".") for part in file.relative_to(ROOT).parts)}
    assert ours == set(LOCKS)


LOCK, TEXT = ROOT / "training_code" / "requirements.lock", ROOT / "training_code" / "requirements.txt"
MAKE, NPM = ROOT / "Makefile", ROOT / "package-lock.json"
PROMOTE = OF_LAMBDA / "promote.py"
CI, DELIVER, DEPLOY = (WORKFLOWS / name for name in ("ci.yml", "deliver.yml", "deploy.yml"))
BASE, TOKENIZER = CODE / "base_model.py", CODE / "tokenizer.py"
END = "\n# the end\n"
# What is changed → the file, a text in it (END: at its end), what stands there instead, and what is said.
CHANGES: dict[str, tuple[Path, str, str, str]] = {
    "base without digest": (DOCKERFILE, "@sha256:", ":", "isn't pinned by its digest"),
    "base by name": (DOCKERFILE, "FROM ${BASE_IMAGE}", "FROM python:3.11", "isn't pinned by its digest"),
    "no hashes in the image": (DOCKERFILE, "--require-hashes ", "", "installs without hashes"),
    "unpinned package in the image": (DOCKERFILE, END, "\nRUN pip install requests\n", "installs without hashes"),
    "package over http": (DOCKERFILE, "https://download.pytorch.org", "http://download.pytorch.org", "plain HTTP"),
    "trusted host": (DOCKERFILE, "--no-deps -r", "--trusted-host x --no-deps -r", "without its certificate"),
    "another index": (DOCKERFILE, "--no-deps -r", "--extra-index-url https://x --no-deps -r", "whichever index"),
    "script from the net": (DOCKERFILE, END, "\nRUN curl -s https://x/install.sh | bash\n", "just downloaded"),
    "certificates skipped": (DOCKERFILE, END, "\nRUN curl -k https://x -o y\n", "doesn't look at a certificate"),
    "unsigned Debian packages": (DOCKERFILE, "--no-install-recommends", "--allow-unauthenticated", "signature"),
    "file from the net": (DOCKERFILE, END, "\nADD https://x/y /z\n", "use COPY"),
    "the whole folder": (DOCKERFILE, "COPY tunestack_training tunestack_training", "COPY . .", "name the files"),
    "secret in the image": (DOCKERFILE, END, "\nENV HF_TOKEN=x\n", "looks like a secret"),
    "secret as an argument": (DOCKERFILE, END, "\nARG API_KEY=x\n", "looks like a secret"),
    "credential in the image": (DOCKERFILE, END, "\nENV A=AKIA" + "A" * 16 + "\n", "looks like a secret"),
    "hub in the image": (DOCKERFILE, "HF_HUB_OFFLINE=1", "HF_HUB_OFFLINE=0", "load from the hub"),
    "hub left on": (DOCKERFILE, "HF_HUB_OFFLINE=1", "X=1", "load from the hub"),
    "everybody writes": (DOCKERFILE, END, "\nRUN chmod -R 777 /opt\n", "lets everybody write"),
    "lock without a hash": (LOCK, " \\\n    --hash=sha256:", " #", "has no sha256"),
    "lock with md5": (LOCK, "--hash=sha256:", "--hash=md5:", "has no sha256"),
    "lock with a range": (LOCK, "==", ">=", "isn't pinned by =="),
    "lock with a URL": (LOCK, END, "\nx @ https://y/z.whl\n", "isn't pinned by =="),
    "lock with an index": (LOCK, END, "\n--index-url https://x\n", "option --index-url"),
    "lock from a repository": (LOCK, END, "\ngit+https://x/y@main\n", "isn't pinned by =="),
    "requirement without a pin": (TEXT, "transformers==", "transformers>=", "isn't pinned by =="),
    "requirement of any version": (TEXT, END, "\nrequests\n", "isn't pinned by =="),
    "requirement with a star": (TEXT, END, "\nrequests==2.*\n", "isn't pinned by =="),
    "setup without hashes": (MAKE, "--require-hashes -r requirements-uv.lock", "-r requirements-uv.txt", "without hashes"),
    "sync without hashes": (MAKE, "--require-hashes requirements.lock", "requirements.lock", "without hashes"),
    "setup over http": (MAKE, "pip install -q", "pip install -q -i http://x", "plain HTTP"),
    "remote code": (BASE, "trust_remote_code=recipe.model.trust_remote_code", "trust_remote_code=True", "came with the model"),
    "pickled weights": (BASE, "use_safetensors=True", "use_safetensors=False", "takes pickled weights"),
    "weights of any form": (BASE, "        use_safetensors=True,\n", "", "takes pickled weights"),
    "weights from the hub": (BASE, "        local_files_only=True,\n", "", "may go to the hub"),
    "tokenizer from the hub": (TOKENIZER, ", local_files_only=True", "", "may go to the hub"),
    "remote code of a tokenizer": (TOKENIZER, "local_files_only=True", "local_files_only=True, trust_remote_code=True", "came with"),
    "a pickle": (BASE, END, "\npickle.load(open('x', 'rb'))\n", "runs what a pickle holds"),
    "a torch file": (BASE, END, "\ntorch.load('x')\n", "use safetensors"),
    "a pickled array": (BASE, END, "\nnp.load('x', allow_pickle=True)\n", "runs what a pickle holds"),
    "any YAML": (BASE, END, "\nyaml.load(x)\n", "use safe_load"),
    "text that is run": (BASE, END, "\neval(x)\n", "runs text"),
    "a shell": (BASE, END, "\nsubprocess.run(x, shell=True)\n", "in a shell"),
    "a download": (BASE, END, "\nsnapshot_download('x')\n", "nobody has pinned"),
    "no certificate": (BASE, END, "\nhttpx.get('x', verify=False)\n", "certificate"),
    "offline off": (BASE, END, "\nos.environ['HF_HUB_OFFLINE'] = '0'\n", "switched off"),
    "datasets offline off": (BASE, END, "\nos.environ.setdefault('HF_DATASETS_OFFLINE', '0')\n", "switched off"),
    "a row in the log": (CODE / "prepare.py", END, "\nlog.info('bad row %s', row)\n", "content of rows"),
    "rows in the log": (CODE / "evaluate.py", END, "\nlog.warning(f'{answers[0]}')\n", "content of rows"),
    "a prompt printed": (CODE / "serve.py", END, "\nprint(prompt)\n", "content of rows"),
    # By forms that nobody spelled out: whatever isn't known is named.
    "another user": (DOCKERFILE, END, "\nUSER root\n", "USER isn't one of the instructions"),
    "another command": (DOCKERFILE, END, '\nCMD ["sh"]\n', "CMD isn't one of the instructions"),
    "what others build on": (DOCKERFILE, END, "\nONBUILD RUN true\n", "ONBUILD isn't one"),
    "another entry point": (DOCKERFILE, '["python", "-m", "tunestack_training"]', '["sh", "-c", "x"]', "isn't the kit's"),
    "another variable": (DOCKERFILE, END, "\nENV LD_PRELOAD=/x.so\n", "isn't what is known of it"),
    "another path first": (DOCKERFILE, "PATH=/opt/tunestack/bin:", "PATH=/tmp/x:", "isn't what is known of it"),
    "another argument": (DOCKERFILE, END, "\nARG MIRROR=x\n", "ARG MIRROR isn't one"),
    "another file": (DOCKERFILE, END, "\nCOPY extra.sh /usr/bin/extra.sh\n", "isn't one of those that are known"),
    "another program": (DOCKERFILE, END, "\nRUN nc -l 4444\n", "nc isn't one of the programs"),
    "another package": (DOCKERFILE, "gcc libc6-dev", "gcc libc6-dev openssh-server", "which nobody has looked at"),
    "another index of torch": (DOCKERFILE, "download.pytorch.org", "download.example.org", "another use of python"),
    "a module that runs": (DOCKERFILE, END, "\nRUN python -m http.server\n", "another use of python"),
    "a socket": (BASE, END, "\nimport socket\n", "import of socket"),
    "an HTTP client": (BASE, END, "\nfrom urllib import request\n", "import of urllib"),
    "a pickle by another name": (BASE, END, "\nfrom cloudpickle import load\n", "import of cloudpickle"),
    "a process": (BASE, END, "\nimport subprocess\n", "import of subprocess"),
    "a module by name": (BASE, END, "\n__import__(x)\n", "hides what is called"),
    "a member by name": (BASE, END, "\ngetattr(os, x)('id')\n", "hides what is called"),
    "a class's inside": (BASE, END, "\n().__class__.__base__.__subclasses__()\n", "hides what is called"),
    "another call of os": (BASE, END, "\nos.popen('id')\n", "os.popen isn't one of what this code uses"),
    "an address": (BASE, END, "\nx = 'https://example.org/collect'\n", "an address outside"),
    "a file of the host": (BASE, END, "\nPath('/etc/passwd').read_text()\n", "a place outside"),
    "silence": (BASE, END, "\ntry:\n    f()\nexcept Exception:\n    pass\n", "swallows every error"),
    "every error": (BASE, END, "\ntry:\n    f()\nexcept:\n    log.info('x')\n", "swallows every error"),
    "remote code by a variable": (BASE, "=recipe.model.trust_remote_code", "=always", "came with the model"),
    "a weak hash": (CODE / "checkpoints.py", "hashlib.sha256", "hashlib.md5", "breaks"),
    "an archive anywhere": (CODE / "package.py", END, "\narchive.extractall(x)\n", "may write anywhere"),
    "a data set of the hub": (CODE / "train.py", END, "\nload_dataset('x')\n", "nobody has pinned"),
    "a function's socket": (PROMOTE, END, "\nimport socket\n", "import of socket"),
    "a function's HTTP": (PROMOTE, END, "\nimport urllib.request\n", "import of urllib.request"),
    "a function's silence": (PROMOTE, END, "\ntry:\n    f()\nexcept Exception:\n    return\n", "swallows every error"),
    "a function's marshal": (PROMOTE, END, "\nimport marshal\n", "import of marshal"),
    "npm without a hash": (NPM, '"sha512-', '"sha1-', "has no sha512"),
    "npm from elsewhere": (NPM, '"dev": true', '"resolved": "https://x/y.tgz", "dev": true', "comes from"),
    "npm with a script": (NPM, '"dev": true', '"hasInstallScript": true, "dev": true', "runs a script"),
    "npm of a range": (NPM, '"aws-cdk": "2', '"aws-cdk": "^2', "isn't pinned"),
    "a job for forks": (DELIVER, "  pull_request:\n", "  pull_request_target:\n", "is started by"),
    "a job by hand": (DELIVER, "  pull_request:\n", "  pull_request:\n  workflow_dispatch:\n", "is started by"),
    "every branch": (DELIVER, "branches: [main]", "branches: ['**']", "is started by"),
    "a token that writes": (CI, "contents: read", "contents: write", "permissions"),
    "an action by a tag": (CI, "@3d3c42e5aac5ba805825da76410c181273ba90b1", "@v7", "known actions by a commit"),
    "somebody's action": (CI, "actions/checkout@", "somebody/checkout@", "known actions by a commit"),
    "a token that stays": (CI, "persist-credentials: false", "persist-credentials: true", "is given persist-cred"),
    "a fork's source": (CI, "persist-credentials: false", "persist-credentials: false\n          ref: x", "is given ref"),
    "somebody's machine": (CI, "runs-on: ubuntu-24.04", "runs-on: self-hosted", "GitHub's own machines"),
    "no end": (CI, "    timeout-minutes: 60\n", "", "timeout-minutes"),
    "a fork's review": (DELIVER, "      && github.event.pull_request.head.repo.full_name == github.repository\n", "", "must ask"),
    "a guard that is none": (DELIVER, "github.event_name == 'push' &&", "always() ||", "if must ask"),
    "prod at once": (DELIVER, "needs: deploy-staging", "needs: deploy-dev", "needs deploy-dev"),
    "unchecked": (DELIVER, "    needs: check\n", "", "needs None"),
    "prod for dev": (DELIVER, "      environment: dev", "      environment: prod", "deploys prod"),
    "nobody is asked": (DEPLOY, "    environment: ${{ inputs.environment }}\n", "", "nobody would be asked"),
    "a secret in a job": (DEPLOY, "ENVIRONMENT: ${{ inputs.environment }}", "KEY: ${{ secrets.KEY }}", "known variables"),
    "an input in a command": (DEPLOY, '"env=$ENVIRONMENT"', '"env=${{ inputs.environment }}"', "known commands"),
    "a script of the net": (CI, "- run: .ci/run", "- run: curl https://x | sh", "known commands"),
    "checks waived": (DEPLOY, "--app cdk.out --require", "--app cdk.out -c allow=budget --require", "known commands"),
    "errors let pass": (CI, "- run: .ci/run", "- continue-on-error: true\n        run: .ci/run", "continue-on-error"),
    "half a deployment": (DELIVER, "cancel-in-progress: false", "cancel-in-progress: true", "half-way"),
    "another role": (DEPLOY, "vars.AWS_ROLE_ARN", "vars.ADMIN_ROLE_ARN", "is given role-to-assume"),
    "a service beside": (CI, "    steps:\n", "    services: {x: {image: y}}\n    steps:\n", "services, which isn't one"),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_for_the_worse_is_named(name: str) -> None:
    file, old, new, message = CHANGES[name]
    text = file.read_text(encoding="utf-8")
    changed = text + new if old is END else text.replace(old, new)
    assert changed != text
    check = next(check for path, check in FILES if path == file)
    found = list(check(changed))
    assert any(message in problem for problem in found), found
