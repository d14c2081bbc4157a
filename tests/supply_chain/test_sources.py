"""Dockerfile, locks, setup and training code bring nothing unpinned and run nothing unseen; a change is named."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.supply_chain.checks import (
    code_problems,
    dockerfile_problems,
    lock_problems,
    requirement_problems,
    shell_problems,
)

Check = Callable[[str], Iterator[str]]
CODE = ROOT / "training_code" / "tunestack_training"
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
    *((file, code_problems) for file in sorted(CODE.glob("*.py"))),
]


@pytest.mark.parametrize(("file", "check"), FILES, ids=[str(file.relative_to(ROOT)) for file, _ in FILES])
def test_it_is_as_it_must_be(file: Path, check: Check) -> None:
    assert list(check(file.read_text(encoding="utf-8"))) == []


def test_every_lock_of_the_project_is_among_them() -> None:
    ours = {file for file in ROOT.glob("**/*.lock") if not {".venv", "node_modules", ".tunestack", "cdk.out"} & {*file.relative_to(ROOT).parts}}  # fmt: skip
    ours = {file for file in ours if not any(part.startswith(".") for part in file.relative_to(ROOT).parts)}
    assert ours == set(LOCKS)


LOCK, TEXT = ROOT / "training_code" / "requirements.lock", ROOT / "training_code" / "requirements.txt"
MAKE = ROOT / "Makefile"
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
