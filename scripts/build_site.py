"""The documentation as a site, built strictly: `python -m scripts.build_site FOLDER`.

What the pages' scripts need is put beside them from node_modules, so that pictures are drawn without a network.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
MERMAID = ROOT / "node_modules" / "@mermaid-js" / "tiny" / "dist" / "mermaid.tiny.js"


def build(folder: Path) -> None:
    """Build the site into a folder, in the place of what is there.

    Raises:
        SystemExit: a page has a broken link, or something else that the builder warns of.
    """
    with tempfile.TemporaryDirectory() as scratch:
        project = Path(scratch)
        shutil.copytree(ROOT / "docs", project / "docs")
        shutil.copy(ROOT / "mkdocs.yml", project)
        shutil.copy(MERMAID, project / "docs" / "javascripts" / "mermaid.js")
        zensical = Path(sys.executable).with_name("zensical")
        done = subprocess.run([zensical, "build", "--strict"], cwd=project, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            sys.exit(f"the site can't be built:\n{done.stdout}{done.stderr}")
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(project / "site", folder)


if __name__ == "__main__":
    build(Path(sys.argv[1]))
