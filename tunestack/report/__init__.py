"""An environment's report: memory, plans, costs and assumptions, as HTML, Markdown or JSON."""

from tunestack.report.write import check_place, write_report

__all__ = ["check_place", "write_report"]
