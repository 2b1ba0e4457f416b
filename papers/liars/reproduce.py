"""No paper: every algorithm under every law of lies, in the world of Zhu and others (2023). docs/lying-agents.md."""

from .laws import laws

FIGURES = {"laws": laws}
