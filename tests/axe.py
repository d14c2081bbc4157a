"""What axe-core says of a page, in a real browser: https://github.com/dequelabs/axe-core, from npm."""

import html
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

AXE = Path(__file__).parents[1] / "node_modules" / "axe-core" / "axe.min.js"
_SCHEMES = {"dark": 0, "light": 1}
_RUN = """
<script>
// What a page's own scripts do when it is loaded is a part of it.
addEventListener("load", () => setTimeout(() => axe.run(document, {resultTypes: ["violations"]}).then(found => {
  const pre = document.createElement("pre");
  pre.id = "axe";
  pre.textContent = JSON.stringify(found.violations.map(v => [v.impact, v.id, v.nodes.map(n => n.html.slice(0, 120))]));
  document.body.append(pre);
}), 500));
</script>
"""


def serious(page: Path, folder: Path, *, scheme: str, width: int) -> list[list[object]]:
    """The serious and critical findings on a page, as [impact, rule, elements]."""
    browser = shutil.which("chromium")
    if browser is None:
        assert not os.environ.get("CI"), "CI must have a Chromium: scripts/ensure-chromium"
        pytest.skip("no Chromium")
    script = f"<script>{AXE.read_text(encoding='utf-8')}</script>{_RUN}"
    # Beside the page, so that what it names is found.
    watched = page.with_name(f"axe-{scheme}-{width}-{page.name}")
    watched.write_text(page.read_text(encoding="utf-8").replace("</body>", f"{script}</body>"), encoding="utf-8")
    command = [
        browser, "--headless=new", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=20000",
        f"--window-size={width},900", f"--blink-settings=preferredColorScheme={_SCHEMES[scheme]}",
        f"--user-data-dir={folder / 'profile'}", "--dump-dom", watched.as_uri(),
    ]  # fmt: skip
    try:
        dom = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False).stdout
    finally:
        watched.unlink()
    said = re.search(r'<pre id="axe">(.*?)</pre>', dom, re.DOTALL)
    assert said, f"axe has said nothing: {dom[-500:]}"
    found: list[list[object]] = json.loads(html.unescape(said[1]))
    return [item for item in found if item[0] in ("serious", "critical")]
