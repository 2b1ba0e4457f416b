"""Which agent is in which cluster: labels as given, from sizes, and those of the karate club."""

from collections.abc import Iterable, Mapping, Sequence, Set
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from folkmoot.doors import array, is_whole
from folkmoot.errors import brief

Labels = NDArray[np.int64]
_WRITTEN_OUT = 2_000  # up to so many labels are written out in a result's configuration


def _whole_numbers(labels: Any, allowed: str) -> Labels:
    """The labels as an array, each of them known to be an integer."""
    if isinstance(labels, np.ndarray) and labels.ndim != 1:
        raise ValueError(f"labels of shape {labels.shape}: expected [n_agents]")
    if isinstance(labels, np.ndarray):
        return array("labels", labels, f"of each agent {allowed}", "whole")
    if not isinstance(labels, Iterable) or isinstance(labels, Mapping | Set | str):
        raise ValueError(f"labels = {brief(labels)}: expected a list of integers, one for each agent")
    entries = list(labels)
    for i, label in enumerate(entries):
        if not is_whole(label) or not -(2**63) <= label < 2**63:
            row = isinstance(label, list | tuple | np.ndarray)
            shown = f"a {type(label).__name__}" if row else brief(label)
            raise ValueError(f"label of agent {i} = {shown}: expected {allowed}")
    return np.array(entries, np.int64)


def cluster_labels(labels: ArrayLike, n_clusters: int | None = None) -> Labels:
    """Checked labels, int64 [n_agents], not to be changed: the cluster of each agent.

    Args:
        labels: integers 0, ..., C-1, each of them at least once, in any order.
        n_clusters: C; by default one more than the largest label.

    Raises:
        ValueError: no agents, a label that is not an integer from 0 to C-1, or an empty cluster.
    """
    last = "the number of clusters less 1" if n_clusters is None else str(n_clusters - 1)
    allowed = f"an integer from 0 to {last}"
    out = _whole_numbers(labels, allowed)
    if len(out) == 0:
        raise ValueError("labels: expected at least one agent, got none")
    wrong = out < 0 if n_clusters is None else (out < 0) | (out >= n_clusters)
    if wrong.any():
        i = int(np.argmax(wrong))
        raise ValueError(f"label of agent {i} = {out[i]}: expected {allowed}")
    count = int(out.max()) + 1 if n_clusters is None else n_clusters
    present = np.unique(out)
    if len(present) < count:  # the first that is missing, whatever the size of the largest label
        gaps = np.flatnonzero(present != np.arange(len(present)))
        empty = int(gaps[0]) if len(gaps) else len(present)
        raise ValueError(f"labels: cluster {empty} is empty: expected agents in all clusters 0 to {count - 1}")
    out.setflags(write=False)
    return out


def labels_of_sizes(sizes: Sequence[int]) -> Labels:
    """Labels of clusters of these sizes, one cluster after the other.

    Raises:
        ValueError: no cluster, or a size that is not an integer of at least 1.
    """
    if len(sizes) == 0:
        raise ValueError("sizes: expected at least one cluster, got none")
    for c, size in enumerate(sizes):
        if not is_whole(size) or not 1 <= size < 2**31:
            raise ValueError(f"size of cluster {c} = {brief(size)}: expected an integer of at least 1 and below 2**31")
    return cluster_labels(np.repeat(np.arange(len(sizes)), np.asarray(sizes)))


def chosen_labels(labels: Any, sizes: list[int] | None, otherwise: Labels | None) -> Any:
    """The labels as given, or those of the sizes, or else the ones handed in; still to be checked.

    Raises:
        ValueError: both are given, or nothing is, or a size is no size.
    """
    if labels is not None and sizes is not None:
        raise ValueError("labels and sizes: expected one of them, got both")
    if labels is not None:
        return labels
    if sizes is not None:
        return labels_of_sizes(sizes)
    if otherwise is None:
        raise ValueError("labels: missing; expected labels = [0, 0, 1, ...] or sizes = [2, 1, ...]")
    return otherwise


def karate_labels() -> Labels:
    """The split of Zachary's karate club (1977), int64 [34]: 0 stayed with Mr. Hi, 1 went with the officers.

    Agents are the nodes of networkx's graph in their order; the side is its attribute 'club'.
    """
    import networkx as nx

    clubs = nx.get_node_attributes(nx.karate_club_graph(), "club")
    return cluster_labels([int(club == "Officer") for club in clubs.values()])


def digest(labels: Labels) -> str:
    """SHA-256 (16 hex digits) of the labels, to tell clusterings apart."""
    return sha256(labels.astype("<i8").tobytes()).hexdigest()[:16]


def describe_clusters(labels: Labels) -> dict[str, Any]:
    """Sizes and labels as plain values, for provenance; a digest in place of labels that are many."""
    out: dict[str, Any] = {}
    sizes = np.bincount(labels)
    if len(sizes) <= _WRITTEN_OUT:
        out["cluster_sizes"] = sizes.tolist()
    if len(labels) <= _WRITTEN_OUT:
        out["labels"] = labels.tolist()
    else:
        out["labels_digest"] = digest(labels)
    return out
