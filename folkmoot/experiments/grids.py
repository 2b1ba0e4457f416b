"""`{ grid = [...] }` in place of any value: one cell for each combination, in the order of the file."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from folkmoot.experiments.problems import Place, path, shown

_MOST_CELLS = 10_000
_NO_GRID = ("name", "description", "replicates")  # one value for the whole experiment


class GridCell(NamedTuple):
    """One combination.

    Attributes:
        settings: the value taken at each place that is a grid, in the order of the file.
        document: the experiment with these values in place.
    """

    settings: dict[Place, Any]
    document: dict[str, Any]


def _first(value: Any, place: Place = ()) -> Place | None:
    """The place of the first grid, depth first."""
    if isinstance(value, dict):
        if isinstance(value.get("grid"), list):
            beside = next((key for key in value if key != "grid"), None)
            if beside is not None:
                raise ValueError(f"{path(place)}: field {beside!r} beside grid: expected grid alone")
        if set(value) == {"grid"}:
            return place
        steps: Any = value.items()
    elif isinstance(value, list):
        steps = enumerate(value)
    else:
        return None
    return next((found for step, inner in steps if (found := _first(inner, (*place, step))) is not None), None)


def _at(value: Any, place: Place) -> Any:
    for step in place:
        value = value[step]
    return value


def _put(value: Any, place: Place, new: Any) -> Any:
    """A copy with one value replaced; what is beside the way is shared."""
    if not place:
        return new
    copy = value.copy()
    copy[place[0]] = _put(value[place[0]], place[1:], new)
    return copy


def _expand(document: dict[str, Any], settings: dict[Place, Any]) -> Iterator[GridCell]:
    place = _first(document)
    if place is None:
        yield GridCell(settings, document)
        return
    values = _at(document, place)["grid"]
    if place[:1] and place[0] in _NO_GRID:
        raise ValueError(f"{path(place)}: expected one value for the whole experiment, not a grid")
    if not isinstance(values, list) or not values:
        raise ValueError(f"{path(place)}.grid = {shown(values)}: expected a list of at least one value")
    for value in values:
        yield from _expand(_put(document, place, value), {**settings, place: value})


def expand(document: dict[str, Any]) -> list[GridCell]:
    """All combinations of the grids in a document; the first grid of the file changes slowest.

    Raises:
        ValueError: a grid that is no list or empty, one where none may be, or more than 10,000 cells.
    """
    cells = []
    for cell in _expand(document, {}):
        cells.append(cell)
        if len(cells) > _MOST_CELLS:
            raise ValueError(f"grid: more than {_MOST_CELLS} combinations; allowed are {_MOST_CELLS}")
    return cells
