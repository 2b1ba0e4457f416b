"""The page as text: the state as of loading. Its script puts what comes later in its place; without script it stays."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
_UNITS = ((1e9, "GB", 2), (1e6, "MB", 1), (1e3, "kB", 1))


def _short(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}"


def _size(count: int) -> str:
    unit = next(((size, name, places) for size, name, places in _UNITS if count >= size), None)
    return f"{count} B" if unit is None else f"{count / unit[0]:.{unit[2]}f} {unit[1]}"


def _counts(told: Mapping[str, int]) -> str:
    """Why, and how often."""
    return ", ".join(f"{why}: {count}" for why, count in told.items()) or "–"


@cache
def _template() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    found = Environment(loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined)
    found.filters.update(short=_short, size=_size, counts=_counts)
    return found.get_template("page.html")


def page(state: dict[str, Any]) -> str:
    """The page of a node in this state; what changes, its script fills in."""
    since = f"since this node started, {datetime.fromtimestamp(state['since'], UTC):%H:%M} UTC"
    last = state["history"][-1] if state["history"] else None
    return str(_template().render(state=state, since=since, last=last, recent=state["history"][-20:]))
