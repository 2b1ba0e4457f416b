"""Names of classes: inside everything counts, outside a class may be called what it is."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from folkmoot.errors import brief

MOST_LABEL = 64  # characters


def checked_labels(labels: object) -> tuple[str, ...]:
    """Names of classes, in the order of their numbers.

    Raises:
        ValueError: other than 2 or more different texts of 1 to 64 printable characters.
    """
    if (
        type(labels) is not tuple
        or not all(isinstance(label, str) for label in labels)
        or len(set(labels)) < max(len(labels), 2)
    ):
        raise ValueError(f"labels = {brief(labels)}: expected a tuple of two or more different names")
    for label in labels:
        if type(label) is not str or not 1 <= len(label) <= MOST_LABEL or not label.isprintable():
            raise ValueError(f"labels: {brief(label)}: expected 1 to {MOST_LABEL} printable characters")
    return labels


def named(classes: Iterable[int], labels: Sequence[str]) -> str:
    """Classes as a message calls them: by name where they have names, else by number; with commas."""
    return ", ".join(labels[one] if 0 <= one < len(labels) else str(one) for one in classes)


def every(n_classes: int, labels: Sequence[str]) -> str:
    """All classes, as a message says what is allowed: their names, or 0 to C - 1."""
    return named(range(n_classes), labels) if labels else f"0 to {n_classes - 1}"


def numbered(values: NDArray[Any] | Sequence[Any], labels: tuple[str, ...], what: str) -> NDArray[Any]:
    """Names become their places in `labels`; what is no text stays as it is.

    Raises:
        ValueError: no list or array, a name that is none of them, or a truth value in a list.
    """
    inside = isinstance(values, Iterable) and not isinstance(values, str | bytes | bytearray)
    if not inside or getattr(values, "shape", (1,)) == ():
        raise ValueError(f"{what} = {brief(values)}: expected labels [samples]")
    listed = [] if isinstance(values, np.ndarray) else values
    flag = next((one for one in listed if isinstance(one, bool | np.bool_)), None)
    if flag is not None:
        raise ValueError(f"{what}: {brief(flag)}: expected whole numbers or names")
    try:
        found = np.asarray(values)
    except (ValueError, TypeError, OverflowError):  # rows of different lengths, or objects that refuse it
        raise ValueError(f"{what} = {brief(values)}: expected labels [samples]") from None
    if found.dtype.kind not in "UOT":
        return found
    if not labels:
        first = str(found.flat[0]) if found.size else ""
        raise ValueError(f"{what}: {brief(first)}: names of classes need a model that was made with labels=(...)")
    table = {name: number for number, name in enumerate(labels)}
    unknown = [one for one in found.flat if not isinstance(one, str) or str(one) not in table][:1]
    if unknown:
        shown = str(unknown[0]) if isinstance(unknown[0], str) else unknown[0]
        raise ValueError(f"{what}: {brief(shown)}: expected one of {', '.join(labels):.200}")
    return np.array([table[str(one)] for one in found.flat], np.int64).reshape(found.shape)
