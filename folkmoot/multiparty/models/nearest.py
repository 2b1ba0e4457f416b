"""Nearest neighbours among stored points, as an operation of a program."""

from typing import Any

import numpy as np

from folkmoot.encoding import Malformed
from folkmoot.multiparty.models.operations import Floats, Made, arrays


def nearest(widths: list[int], given: tuple[Any, ...]) -> Made:
    """(points [m, w], values [m, o], how many, power of the distance, by distance?): the mean of values of the nearest.

    Equal distances count in the order of the points. By distance, each counts 1 / distance; where points are at the
    sample itself, these alone count.

    Raises:
        Malformed: other arrays or numbers.
    """
    if len(widths) != 1 or len(given) != 5:
        raise Malformed("expected one source, two arrays, a whole number, a power and a truth value")
    points, values = arrays(given[:2], (None, widths[0]), (None, None))
    wanted, power, weighted = given[2:]
    if len(points) != len(values) or type(wanted) is not int or not 1 <= wanted <= len(points):
        raise Malformed(f"{len(points)} points, {len(values)} values, {wanted!r:.40} wanted")
    if type(power) is not float or power not in (1.0, 2.0) or type(weighted) is not bool:
        raise Malformed(f"power {power!r:.40}: expected 1.0 or 2.0, and a truth value")

    def run(x: list[Floats]) -> Floats:
        away = np.zeros((len(x[0]), len(points)))
        for column in range(points.shape[1]):
            part = x[0][:, column, None] - points[:, column]
            away += np.abs(part) if power == 1.0 else part * part
        order = np.argsort(away, axis=1, kind="stable")[:, :wanted]
        share = np.ones(order.shape)
        if weighted:
            far = np.take_along_axis(away, order, axis=1)
            far = np.sqrt(far) if power == 2.0 else far
            on = far == 0.0
            share = np.where(on.any(axis=1, keepdims=True), on, 1.0 / np.where(on, 1.0, far))
        found = np.zeros((len(x[0]), values.shape[1]))
        for rank in range(wanted):
            found += share[:, rank, None] * values[order[:, rank]]
        total = np.einsum("sk->s", share)[:, None]
        return np.where(np.isnan(away).any(axis=1, keepdims=True), np.nan, found / total)

    return Made(values.shape[1], run, 4 * len(points))
