"""README and docs: the commands they show exist and take what they are given; the site builds strictly."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import botocore.session
import click
import pytest
from botocore import xform_name

from scripts import build_site
from tests.axe import serious
from tests.conftest import ROOT
from tunestack.cli.main import tunestack

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"```bash\n(.*?)```", re.DOTALL)


def shown_commands() -> list[str]:
    lines = [line for page in PAGES for block in BLOCK.findall(page.read_text()) for line in block.splitlines()]
    assert len(lines) > 10
    return sorted({line.strip() for line in lines if line.strip()})


@pytest.mark.parametrize("line", shown_commands())
def test_a_shown_command_exists_with_its_options(line: str) -> None:
    """What needs an account, a hub or minutes is parsed; the rest of the suite runs the same commands for real."""
    words = shlex.split(line.partition(" < ")[0].removeprefix(".venv/bin/"))
    if words[0] == "make":
        targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
        assert words[1] in targets
    elif words[0] == "tunestack":
        parse(tunestack, words[1:])
    elif words[:2] in (["npx", "cdk"], ["source", ".venv/bin/activate"]) or words[0] == "eval":
        assert "env=" in line or "delivery=on" in line or words[0] != "npx"
    elif words[0] == "aws":
        parse_aws(*words[1:])
    else:
        raise AssertionError(f"a test must know how to check {line!r}")


def parse(command: click.Command, words: list[str]) -> None:
    """Let click parse a command line, without running it."""
    context = click.Context(command)
    while isinstance(command, click.Group):
        found = command.get_command(context, words[0])
        assert found is not None, words
        command, words = found, words[1:]
    command.make_context(command.name, list(words))


def parse_aws(service: str, operation: str, *words: str) -> None:
    """Hold a line of the AWS CLI to the API's model: its commands and options are the API's, with hyphens."""
    model = botocore.session.get_session().get_service_model(service)
    names = {xform_name(name, "-"): name for name in model.operation_names}
    shape = model.operation_model(names[operation]).input_shape
    assert shape is not None
    options = {f"--{xform_name(name, '-')}" for name in shape.members}
    assert {word.replace("--no-", "--") for word in words if word.startswith("--")} <= options


@pytest.mark.parametrize(
    "arguments",
    [["settings", "check", "--env", "dev"], ["settings", "schema"], ["--help"], ["plan", "smollm2-135m-qlora"]],
)
def test_commands_that_need_no_aws_run(arguments: list[str]) -> None:
    done = subprocess.run([sys.executable, "-m", "tunestack.cli.main", *arguments], cwd=ROOT, capture_output=True)
    assert done.returncode == 0 and done.stdout


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The documentation, built strictly."""
    folder = tmp_path_factory.mktemp("site") / "built"
    build_site.build(folder)
    return folder


def test_the_site_builds_strictly(site: Path) -> None:
    assert (site / "settings" / "index.html").exists()
    # Pictures are drawn without a network: the page names the site's own script, and it is there.
    assert "javascripts/mermaid.js" in (site / "index.html").read_text()
    assert (site / "javascripts" / "mermaid.js").stat().st_size > 1_000_000


@pytest.mark.slow
@pytest.mark.parametrize(
    "page", ["index", *sorted(file.stem for file in (ROOT / "docs").glob("*.md") if file.stem != "index")]
)
@pytest.mark.parametrize(("scheme", "width"), [("light", 390), ("dark", 1200)])
def test_a_page_can_be_read_by_all(page: str, scheme: str, width: int, site: Path, tmp_path: Path) -> None:
    """axe-core's rules, in a real browser: as narrow as a phone, and dark on a desktop."""
    file = site / "index.html" if page == "index" else site / page / "index.html"
    assert serious(file, tmp_path, scheme=scheme, width=width) == []
