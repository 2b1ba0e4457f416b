"""The page as text."""

from functools import cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent


@cache
def _template() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    found = Environment(loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined)
    return found.get_template("page.html")


def page(state: dict[str, Any]) -> str:
    """The page of a node in this state; what changes, its script fills in."""
    return str(_template().render(state=state))
