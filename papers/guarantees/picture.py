"""The table as a picture: small, in greys, readable on a telephone."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from .algorithms import PARTS
from .worlds import WORLDS
from .written import Found, per_cent

_TITLES = {"different": "Tastes differ", "alike": "All agents have the same means"}
_DARK, _LIGHT = "0.25", "1.0"


def draw(found: Found) -> Figure:
    """Both parts, one above the other: dark is linear, a frame is what the source promises."""
    heights = [len(rows) for rows in PARTS.values()]
    figure = Figure(figsize=(4.8, 0.19 * sum(heights) + 1.5), layout="constrained")
    for axes, part in zip(figure.subplots(len(PARTS), 1, height_ratios=heights), PARTS, strict=True):
        _part(axes, found, part)
    figure.supxlabel(
        "final regret in % of uniform play's; dark: linear in T, as far as seen;\n"
        "framed: the source promises regret below linear",
        fontsize=7,
    )
    return figure


def _part(axes: Axes, found: Found, part: str) -> None:
    names, worlds = list(PARTS[part]), list(WORLDS)
    for y, name in enumerate(names):
        for x, world in enumerate(worlds):
            if (part, name, world) in found:
                _tile(axes, x, y, found[part, name, world], world in PARTS[part][name].promised)
    axes.set(xlim=(-0.5, len(worlds) - 0.5), ylim=(len(names) - 0.5, -0.5))
    axes.set_yticks(range(len(names)), names, fontsize=7)
    axes.set_xticks(range(len(worlds)), worlds, fontsize=7, rotation=40, ha="left", rotation_mode="anchor")
    axes.tick_params(length=0, top=False, labeltop=True, labelbottom=False, pad=2)
    axes.spines[:].set_visible(False)
    axes.set_title(_TITLES[part], fontsize=8, fontweight="bold", loc="left")


def _tile(axes: Axes, x: int, y: int, cell: object, promised: bool) -> None:
    refuses = isinstance(cell, str)
    linear = not refuses and cell.is_linear  # type: ignore[attr-defined]
    text = "no" if refuses else per_cent(cell.share)  # type: ignore[attr-defined]
    axes.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, facecolor=_DARK if linear else _LIGHT, edgecolor="0.85", lw=0.5))
    if promised:
        edge = "1.0" if linear else "0.0"
        axes.add_patch(Rectangle((x - 0.4, y - 0.4), 0.8, 0.8, fill=False, edgecolor=edge, lw=0.9, zorder=3))
    axes.text(
        x, y, text, ha="center", va="center", fontsize=6.5, color="1.0" if linear else "0.0",
        fontweight="bold" if linear else "normal",
    )  # fmt: skip
