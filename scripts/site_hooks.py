"""MkDocs hooks: pictures are drawn with Mermaid from node_modules, without a network; what scrolls takes the focus."""

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

MERMAID = Path(__file__).parents[1] / "node_modules/@mermaid-js/tiny/dist/mermaid.tiny.js"


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the script that `extra_javascript` names; Material takes it instead of a CDN's."""
    files.append(File.generated(config, "javascripts/mermaid.js", abs_src_path=str(MERMAID)))
    return files


def on_page_content(html: str, **_: object) -> str:
    """Let blocks of code be scrolled by keyboard."""
    return re.sub(r"(<pre[^>]*>(?:<span></span>)?)<code>", r'\1<code tabindex="0">', html)
