"""The commands that README and docs show, run as they are shown, against the AWS on this machine."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.local import samples
from tunestack.local import LocalAws

pytestmark = pytest.mark.slow
BLOCK = re.compile(r"```bash\n(.*?)```", re.DOTALL)
# What isn't run here, and where it is.
ELSEWHERE = {
    "make demo": "test_executions.py does what it does, on a tiny model",
    "make test": "is running",
    "tunestack local up": "the fixture `local`",
    "tunestack local down": "test_emulator.py; the other tests need the server",
    "tunestack local up --no-enforce": "test_emulator.py; the other tests need the enforcing one",
    "npx cdk destroy --all -c env=dev": "test_deployments.py; it asks before it destroys",
    "tunestack local build-images": "test_container.py builds the same Dockerfile",
}
SIZING_PAGES = ("memory-model", "planning")
LOCAL_PAGES = ("local-aws", "permissions")
# What a user fills in, and what keeps a real recipe short on a machine without a GPU.
SHORT = " ".join(
    f"--param {name}={value}"
    for name, value in {
        "MaxSteps": 8, "LearningRate": 0.01, "PerDeviceTrainBatchSize": 2, "GradientAccumulationSteps": 1,
    }.items()
)  # fmt: skip


def shown(page: str) -> list[str]:
    text = (ROOT / page).read_text(encoding="utf-8")
    lines = [line for block in BLOCK.findall(text) for line in block.splitlines()]
    # test_deployments.py deploys, destroys and imports prod.
    return [line for line in lines if line not in ELSEWHERE and not re.search("tunestack-prod|env=prod", line)]


class Shell:
    """A user's shell: credentials and address in the environment, the virtual environment active."""

    def __init__(self, local: LocalAws, project: Path, assembly: Path) -> None:
        tools = f"{ROOT / '.venv' / 'bin'}:{ROOT / 'node_modules' / '.bin'}"
        self.project = project
        self.environment = {
            **os.environ, **local.environment(), "PATH": f"{tools}:{os.environ['PATH']}", "CI": "true",
            "CDK_OUTPUT": str(assembly), "CDK_REQUIRE_APPROVAL": "never", "COLUMNS": str(samples.WIDTH),
        }  # fmt: skip

    def show(self, page: str, line: str, more: str = "") -> str:
        """Run a line of a page, with more behind it, and hold the page's sample of its output to what it prints."""
        printed = self.run(line + more)
        samples.hold(page, line, printed)
        return printed

    def run(self, line: str) -> str:
        cwd = ROOT if line.startswith(("npx", "make", "source")) else self.project
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", line], cwd=cwd, env=self.environment, capture_output=True, text=True
        )
        assert done.returncode == 0, f"{line}\n{(done.stdout + done.stderr)[-3000:]}"
        return done.stdout


@pytest.fixture
def shell(local: LocalAws, project: Path, tmp_path: Path) -> Shell:
    return Shell(local, project, tmp_path / "assembly")


def test_every_page_with_commands_is_run() -> None:
    pages = {str(page.relative_to(ROOT)) for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]}
    with_commands = {page for page in pages if BLOCK.search((ROOT / page).read_text(encoding="utf-8"))}
    run_here = {
        "README.md",
        *(f"docs/{page}.md" for page in ("first-deployment", *LOCAL_PAGES, "operating", *SIZING_PAGES, "tutorial")),
        # Of three accounts: test_promotion.py.
        "docs/accounts.md",
    }
    assert with_commands == {*run_here, "docs/index.md"} and not shown("docs/index.md")


def test_each_command_of_the_docs_shows_its_output() -> None:
    pages = [str(page.relative_to(ROOT)) for page in (ROOT / "docs").glob("*.md")]
    with_output = {command for page in pages for command in samples.commands_with_output(page)}
    silent = {"tunestack definition show --env dev", "tunestack models delete-versions --env dev --yes"}
    pages = [page for page in pages if page != "docs/accounts.md"]
    commands = {line for page in pages for line in shown(page) if line.startswith("tunestack")}
    assert commands - with_output == silent


@pytest.mark.parametrize("page", ["README.md", "docs/first-deployment.md"])
def test_a_deployment_to_an_account_as_the_page_shows_it(
    page: str, shell: Shell, tiny_model: Path, project: Path, uploaded: dict[str, str]
) -> None:
    (project / "my-data.jsonl").write_text((project / "rows.jsonl").read_text())
    (project / "my-questions.jsonl").write_text((project / "questions.jsonl").read_text())
    uri = ""
    for line in shown(page):
        if "tunestack tune" in line:  # the tutorial's test
            continue
        if "--from-hub" in line:  # no hub can be reached from a test
            shell.run(line.replace("--from-hub", f"{tiny_model} --name"))
        elif "DataUri=s3://…" in line:
            printed = shell.run(f"{line.replace('s3://…', uri)} {SHORT}")
            samples.hold(page, line, printed)
            assert "Succeeded" in printed
        else:
            printed = shell.show(page, line)
            uri = next(iter(re.findall(r"DataUri=(s3://\S+)", printed)), uri)
    assert uri


@pytest.mark.parametrize("page", SIZING_PAGES)
def test_sizing_and_planning_as_the_page_shows_it(page: str, shell: Shell) -> None:
    for line in shown(f"docs/{page}.md"):
        assert shell.show(f"docs/{page}.md", line)


@pytest.mark.parametrize("page", LOCAL_PAGES)
def test_the_local_aws_is_used_as_its_pages_show(page: str, shell: Shell) -> None:
    for line in shown(f"docs/{page}.md"):
        shell.show(f"docs/{page}.md", line)


def test_operating_as_its_page_shows(shell: Shell, uploaded: dict[str, str]) -> None:
    parameters = " ".join(f"--param '{name}={value}'" for name, value in uploaded.items() if name != "MaxSteps")
    for line in shown("docs/operating.md"):
        shell.show("docs/operating.md", line, f" {parameters}" if line.startswith("tunestack run") else "")


def test_the_tutorial_as_its_page_shows_it(shell: Shell, uploaded: dict[str, str], project: Path) -> None:
    (project / "my-data.jsonl").write_text((project / "rows.jsonl").read_text())
    (project / "my-questions.jsonl").write_text((project / "questions.jsonl").read_text())
    (project / "my-chat.txt").write_text("what does function 3 do\n")
    for line in shown("docs/tutorial.md"):
        tiny = f" --param BaseModelUri={uploaded['BaseModelUri']} {SHORT}" if line.startswith("tunestack tune") else ""
        assert shell.show("docs/tutorial.md", line, tiny) or line.startswith("source")


def test_following_a_log_ends_with_the_step(shell: Shell, uploaded: dict[str, str]) -> None:
    parameters = " ".join(f"--param '{name}={value}'" for name, value in {**uploaded, "MaxSteps": "3"}.items())
    execution = json.loads(shell.run(f"tunestack run --detach --json {parameters}"))["id"]
    shell.run(f"until tunestack logs {execution} FineTune >/dev/null 2>&1; do sleep 0.5; done")
    assert "adapter saved" in shell.run(f"tunestack logs {execution} FineTune --follow")
    shell.run(f"until tunestack describe {execution} | grep -q 'BatchTransform  Succeeded'; do sleep 0.5; done")
