"""No paper: all algorithms in ten worlds, those of others and ours. docs/guarantees.md says what the table shows."""

from .table import table

FIGURES = {"table": table}
