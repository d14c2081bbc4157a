"""An environment's report: memory, plans, costs and assumptions, as HTML, Markdown or JSON."""

from tunestack.report.write import write_report

__all__ = ["write_report"]
