"""How long a synth takes: beside a nearly empty app, beside the same resources as plain ones, and by environment."""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from tunestack.settings.recipe import CONFIG_FOLDER

ROOT = Path(__file__).parents[1]
MANY = 20
# As empty as CDK's own validation lets a stack be.
EMPTY_APP = """
from aws_cdk import App, CfnWaitConditionHandle, Stack
app = App()
CfnWaitConditionHandle(Stack(app, "empty"), "Nothing")
app.synth()
"""
# The resources of a synthesized assembly, as nothing but their types and properties.
PLAIN_APP = """
import json
from pathlib import Path
from aws_cdk import App, CfnResource, Stack
app = App()
for file in sorted(Path({assembly!r}).glob("*.template.json")):
    stack = Stack(app, file.name.removesuffix(".template.json"))
    for name, item in json.loads(file.read_text())["Resources"].items():
        CfnResource(stack, name, type=item["Type"], properties=item.get("Properties", {{}}))
app.synth()
"""


def cases(folder: Path) -> dict[str, Callable[[], None]]:
    """The apps to synthesize, each a whole process; their files go under a folder."""
    assembly = folder / "assembly"
    synthesize(ROOT, "dev", out=assembly)
    empty, plain = folder / "empty", folder / "plain"
    for app, code in ((empty, EMPTY_APP), (plain, PLAIN_APP.format(assembly=str(assembly)))):
        app.mkdir()
        (app / "app.py").write_text(code, encoding="utf-8")
        context = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))
        (app / "cdk.json").write_text(json.dumps({**context, "app": "python app.py"}), encoding="utf-8")
    return {
        "empty": lambda: synthesize(empty, "dev"),
        "plain": lambda: synthesize(plain, "dev"),
        "kit": lambda: synthesize(ROOT, "dev"),
    }


def many_environments(folder: Path) -> Callable[[int], None]:
    """A copy of the kit with many environments: synthesize(count) takes so many of them in one synth."""
    kit = folder / "kit"
    left_out = shutil.ignore_patterns(".*", "node_modules", "cdk.out", "docs", "tests", "__pycache__")
    shutil.copytree(ROOT, kit, ignore=left_out)
    dev = (CONFIG_FOLDER / "dev.yaml").read_text(encoding="utf-8")
    names = [f"dev{number:02}" for number in range(MANY)]
    for name in names:
        (kit / "config" / f"{name}.yaml").write_text(dev, encoding="utf-8")
    return lambda count: synthesize(kit, ",".join(names[:count]))


def synthesize(folder: Path, env: str, *, out: Path | None = None) -> None:
    """`cdk synth` of an app, with the code of its own folder."""
    # A user's Python writes its bytecode once; some build machines forbid it.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["TUNESTACK_CONFIG"] = str(CONFIG_FOLDER if folder == ROOT else folder / "config")
    environment["PYTHONPATH"] = os.pathsep.join(str(folder / name) for name in ("", "constructs", "training_code"))
    with tempfile.TemporaryDirectory() as scratch:
        command = ["cdk", "synth", "--quiet", "-c", f"env={env}", "--output", str(out or scratch)]
        subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
