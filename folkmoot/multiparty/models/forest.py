"""Decision trees of others as arrays: checked to be trees before anybody walks through them."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from folkmoot.encoding import Malformed
from folkmoot.multiparty.models.operations import Floats, Made, arrays, indices

MOST_DEPTH, MOST_TREES = 128, 1 << 14
Whole = NDArray[np.int64]


class Trees(NamedTuple):
    """Many trees in one table of nodes. A leaf is its own left and right child; other children come later.

    Attributes:
        roots: uint32 [trees], the node each begins with.
        feature: uint32 [nodes], the column that a node looks at.
        threshold: float64 [nodes], finite or infinite: a sample goes left if its value is at most this.
        left: uint32 [nodes].
        right: uint32 [nodes].
        missing: bool [nodes]: a sample without this value goes left.
        values: float64 [leaves, outputs], of the leaves in the order of their nodes.
        start: float64 [outputs], what the values of the leaves are added to.
        single: bool [1]: values are rounded to float32 before they are compared, as scikit-learn does in most trees.
    """

    roots: Any
    feature: Any
    threshold: Any
    left: Any
    right: Any
    missing: Any
    values: Any
    start: Any
    single: Any


def forest(widths: list[int], given: tuple[Any, ...]) -> Made:
    """The operation with these arrays: the sum of what each tree says.

    Raises:
        Malformed: arrays that are no trees, or too many or too deep ones.
    """
    if len(widths) != 1 or len(given) != len(Trees._fields):
        raise Malformed(f"{len(given)} arrays: expected one source and {len(Trees._fields)} arrays")
    trees = Trees(*given)
    nodes = len(trees.feature) if type(trees.feature) is np.ndarray and trees.feature.ndim == 1 else 0
    feature, left, right = (indices(a, below) for a, below in (
        (trees.feature, widths[0]), (trees.left, nodes), (trees.right, nodes)))  # fmt: skip
    roots = indices(trees.roots, nodes)
    flags = [trees.missing, trees.single]
    if any(type(a) is not np.ndarray or a.dtype != np.bool_ for a in flags) or trees.single.shape != (1,):
        raise Malformed("expected arrays of truth values")
    threshold = trees.threshold
    if type(threshold) is not np.ndarray or threshold.dtype != np.float64 or len(roots) > MOST_TREES:
        raise Malformed(f"expected thresholds of float64, and at most {MOST_TREES} trees")
    if not left.shape == right.shape == threshold.shape == trees.missing.shape == (nodes,):
        raise Malformed(f"arrays of different lengths for {nodes} nodes")
    leaf = left == np.arange(nodes)
    depth = _depth(roots, left, right, leaf)
    values, start = arrays((trees.values, trees.start), (int(leaf.sum()), None), (None,))
    if values.shape[1] != len(start):
        raise Malformed(f"leaves of {values.shape[1]} numbers, and {len(start)} to begin with")
    row = np.cumsum(leaf) - 1
    single = bool(trees.single[0])

    def run(x: list[Floats]) -> Floats:
        looked = x[0].astype(np.float32).astype(np.float64) if single else x[0]
        samples = np.arange(len(looked))[:, None]
        at = np.broadcast_to(roots, (len(looked), len(roots)))
        for _ in range(depth):
            value = looked[samples, feature[at]]
            goes = (value <= threshold[at]) | (np.isnan(value) & trees.missing[at])
            at = np.where(goes, left[at], right[at])
        found = np.repeat(start[None], len(looked), axis=0)
        for tree in range(len(roots)):  # one order, whatever the processor
            found += values[row[at[:, tree]]]
        return found

    return Made(len(start), run, 4 * len(roots))


def _depth(roots: Whole, left: Whole, right: Whole, leaf: NDArray[np.bool_]) -> int:
    """Steps from a root to the furthest leaf.

    Raises:
        Malformed: not every node is reached from one root in one way; too many steps.
    """
    inner = np.flatnonzero(~leaf)
    if (right[leaf] != left[leaf]).any() or (left[inner] <= inner).any() or (right[inner] <= inner).any():
        raise Malformed("no trees: a leaf is its own child on both sides, and other children come after their node")
    reached = np.concatenate([roots, left[inner], right[inner]])
    if len(reached) != len(leaf) or (np.bincount(reached, minlength=len(leaf)) != 1).any():
        raise Malformed("no trees: each node must be a root, or the child of one node")
    here, depth = roots[~leaf[roots]], 0
    while len(here):
        depth += 1
        if depth > MOST_DEPTH:
            raise Malformed(f"trees of more than {MOST_DEPTH} steps")
        below = np.concatenate([left[here], right[here]])
        here = below[~leaf[below]]
    return depth
