"""Trees of fitted libraries, put into one table of nodes (`forest.Trees`)."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from folkmoot.multiparty.models.forest import Trees
from folkmoot.multiparty.models.operations import Floats


class Tree(NamedTuple):
    """One tree, its root first; arrays [nodes]."""

    feature: Any
    threshold: Any
    left: Any  # -1: a leaf
    right: Any
    missing: Any  # does a sample without this value go left?
    values: Floats  # [nodes, outputs]; those of leaves count


def joined(trees: list[Tree], start: Floats, *, single: bool) -> tuple[Any, ...]:
    """Many trees as the arrays of the operation `forest`.

    Args:
        trees: in the order in which they are added up.
        start: [outputs], what they are added to.
        single: values are compared as float32.
    """
    parts: list[tuple[Any, ...]] = []
    roots, at = [], 0
    for tree in trees:
        order = np.array(list(_from_the_root(tree)))
        place = np.empty(len(tree.left), np.int64)
        place[order] = np.arange(at, at + len(order))
        leaf = np.asarray(tree.left)[order] < 0
        own = place[order]
        left, right = (np.where(leaf, own, place[np.asarray(side)[order]]) for side in (tree.left, tree.right))
        feature = np.where(leaf, 0, np.asarray(tree.feature)[order])
        threshold = np.where(leaf, 0.0, np.asarray(tree.threshold, np.float64)[order])
        missing = np.where(leaf, False, np.asarray(tree.missing, np.bool_)[order])
        parts.append((feature, threshold, left, right, missing, np.asarray(tree.values, np.float64)[order][leaf]))
        roots.append(at)
        at += len(order)
    feature, threshold, left, right, missing, values = (np.concatenate(part) for part in zip(*parts, strict=True))
    whole = [np.asarray(part, np.uint32) for part in (roots, feature, left, right)]
    found = Trees(whole[0], whole[1], threshold, whole[2], whole[3], missing.astype(np.bool_), values,
                  np.asarray(start, np.float64), np.array([single]))  # fmt: skip
    return tuple(found)


def _from_the_root(tree: Tree) -> Iterator[int]:
    """Nodes, each before its children."""
    waiting = [0]
    while waiting:
        node = waiting.pop()
        yield node
        if tree.left[node] >= 0:
            waiting += [int(tree.right[node]), int(tree.left[node])]
