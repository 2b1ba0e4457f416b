"""The rows of the table: what is played, and in which worlds its source promises that it learns."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import folkmoot as fm
from folkmoot.algorithms.base import Algorithm

from .worlds import TWO, WORLDS, Setting

Make = Callable[[Setting], Algorithm]
Names = frozenset[str]

LYING, LEAVING = "10 % liars", "10 % leave"
ORACLE, ALONE, FLOOD, MIXING = "Central UCB (oracle)", "UCB (alone)", "FloodSE", "Dist_UCB"
TOLD = f"FloodSE, told of {len(TWO)} liars"


class Row(NamedTuple):
    """A line of the table.

    Attributes:
        make: the algorithm for a world.
        promised: the worlds in which the assumptions of the source hold, under which it promises sublinear regret.
        recommended: the worlds for which `docs/compare-algorithms.md` recommends it.
        played: the worlds in which it is played. FloodSE told of liars is played where its gap can be told; not on the
            grid, where a game of it takes many minutes.
        told: the worlds in which it is told more than elsewhere, so that its line alone does not say it.
    """

    make: Make
    promised: Names = frozenset()
    recommended: Names = frozenset()
    played: Names = frozenset(WORLDS)
    told: Names = frozenset()


_ALL = frozenset(WORLDS)
_CONNECTED = frozenset({"complete", "grid 20x20", "two cliques", "Petersen"})  # a base graph, links alike
_LINKS = _CONNECTED | {"block model", "one-sided loss"}  # all present and honest, outcomes at once

_FLOOD = Row(lambda s: fm.FloodSE(missing=s.gone), _LINKS | {"delay 50"}, _ALL - {LYING}, told=frozenset({LEAVING}))

DIFFERENT: Mapping[str, Row] = {  # rows where tastes differ
    ORACLE: Row(lambda s: fm.CentralUCB(), _LINKS | {LYING}),
    FLOOD: _FLOOD,
    TOLD: Row(
        lambda s: fm.FloodSE(missing=len(TWO), faulty=len(TWO)), frozenset(), frozenset({LYING}),
        frozenset({LYING, LEAVING}),
    ),
    "GSE": Row(lambda s: fm.GSE(link_probability=s.least), _CONNECTED),
    MIXING: Row(lambda s: fm.DistUCB(), _CONNECTED | {"block model"}),
    "Gossip_UCB": Row(lambda s: fm.GossipUCB(), _CONNECTED),
    "Gossip_UCB, c1 = 2": Row(lambda s: fm.GossipUCB(c1=2.0, partner="matching")),
    "DrFed-UCB": Row(lambda s: fm.DrFedUCB(), frozenset({"complete"})),
    "UCB-SBM": Row(lambda s: fm.UCBSBM(clusters=s.labels), frozenset({"complete"})),
    "Cooperative UCB": Row(lambda s: fm.CooperativeUCB()),
    "Byzantine UCB": Row(lambda s: fm.ByzantineUCB(faulty=len(TWO))),
    "GoSInE": Row(lambda s: fm.GoSInE()),
    "S1": Row(lambda s: fm.S1()),
    "S2": Row(lambda s: fm.S2()),
    "S3": Row(lambda s: fm.S3()),
    "S3 with certificates": Row(lambda s: fm.S3Cert()),
    "Layered elimination": Row(lambda s: fm.LayeredElimination()),
    ALONE: Row(lambda s: fm.UCB()),
}  # fmt: skip

ALIKE: Mapping[str, Row] = {  # rows where all agents have the same means
    ORACLE: DIFFERENT[ORACLE],
    FLOOD: _FLOOD,
    "Cooperative UCB": Row(lambda s: fm.CooperativeUCB(), frozenset({"complete"}), _ALL - {LYING}),
    "Byzantine UCB": Row(lambda s: fm.ByzantineUCB(faulty=len(TWO)), _CONNECTED | {LYING}, _ALL),
    "GoSInE": Row(lambda s: fm.GoSInE(), _CONNECTED),
    "S1": DIFFERENT["S1"],
    "S2": Row(lambda s: fm.S2(), frozenset(), _ALL - {LYING}),
    "S3": DIFFERENT["S3"],
    "S3 with certificates": DIFFERENT["S3 with certificates"],
    "Layered elimination": DIFFERENT["Layered elimination"],
    ALONE: Row(lambda s: fm.UCB(), _ALL - {"delay 50"}, _ALL),
}

PARTS: Mapping[str, Mapping[str, Row]] = {"different": DIFFERENT, "alike": ALIKE}
