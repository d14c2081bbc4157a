"""MkDocs hooks: the site draws its pictures with Mermaid from node_modules, so that it needs no network."""

from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

MERMAID = Path(__file__).parents[1] / "node_modules/@mermaid-js/tiny/dist/mermaid.tiny.js"


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the script that `extra_javascript` names; Material takes it instead of a CDN's."""
    files.append(File.generated(config, "javascripts/mermaid.js", abs_src_path=str(MERMAID)))
    return files
