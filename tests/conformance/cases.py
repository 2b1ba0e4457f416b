"""The list: one line subscribes an algorithm to every check of this folder."""

from dataclasses import dataclass
from typing import Any

import networkx as nx
import numpy as np

import folkmoot as fm
from folkmoot.algorithms.base import Problem


@dataclass(frozen=True)
class Case:
    """An algorithm and what may be asked of it."""

    name: str
    algorithm: fm.Algorithm
    oracle: bool = False  # sees everybody at once: exempt from the checks on locality
    copes_with_different_means: bool = True
    talks_every_round: bool = True  # every exchange that carries anything goes over every link, in every round
    verification: int = 0  # pulls that may be verified in its worlds
    beats_being_alone: bool = True  # even where nobody corrupts anything

    def verified(self, n_agents: int, horizon: int) -> dict[str, Any]:
        """How many pulls `simulate` is to verify: no more than there are."""
        return {"verification": min(self.verification, n_agents * horizon)}

    def sized(self, n_agents: int) -> fm.Algorithm:
        """The algorithm for fewer agents than six: clusters cut to as many, periods and liars to what these allow."""
        clusters = getattr(self.algorithm, "clusters", None)
        cut: dict[str, object] = {"clusters": clusters[:n_agents], "refresh": 1} if clusters else {}
        if isinstance(self.algorithm, fm.FloodSE) and n_agents < 4:
            cut = {"missing": 0, "faulty": 0}
        return self.algorithm.model_copy(update=cut)


CASES = [
    Case("UCB", fm.UCB(), copes_with_different_means=False, beats_being_alone=False),
    Case("CooperativeUCB", fm.CooperativeUCB(), copes_with_different_means=False),
    Case("CentralUCB", fm.CentralUCB(), oracle=True),
    Case("GSE", fm.GSE()),
    Case("GSE, p estimated", fm.GSE(link_probability="estimate")),
    Case("FloodSE", fm.FloodSE(), talks_every_round=False),
    Case("FloodSE, one missing, one liar", fm.FloodSE(missing=1, faulty=1, delta=0.5), talks_every_round=False),
    Case("FloodSE, tree", fm.FloodSE(aggregate="tree"), talks_every_round=False),
    Case("DrFedUCB", fm.DrFedUCB(c1=0.25, burn_in=20)),
    Case("DrFedUCB, recalled C1", fm.DrFedUCB()),
    Case("UCBSBM", fm.UCBSBM(clusters=(0, 0, 1, 1, 2, 2), c1=0.25, burn_in=20), talks_every_round=False),
    Case(
        "UCBSBM, periods",
        fm.UCBSBM(clusters=(0, 0, 1, 1, 2, 2), refresh=2, c1=0.25, burn_in=20),
        talks_every_round=False,
    ),
    Case("UCBSBM, own goal", fm.UCBSBM(clusters=(0,) * 6, goal="cluster", relay=True), False, False, False),
    Case("GoSInE, c1 = 0.5", fm.GoSInE(c1=0.5), copes_with_different_means=False, talks_every_round=False),
    Case("GossipUCB", fm.GossipUCB()),
    Case("GossipUCB, matching, c1 = 0.5", fm.GossipUCB(c1=0.5, partner="matching")),
    Case("DistUCB", fm.DistUCB()),
    Case("DistUCB, c1 = 0.5", fm.DistUCB(c1=0.5)),
    Case("ByzantineUCB", fm.ByzantineUCB(), copes_with_different_means=False, beats_being_alone=False),
    # These take it that all have the same means, and verify what they pull in the first rounds. With a small delta S3
    # may be stuck for a long epoch with arms wrongly recommended, and then agents do better alone.
    Case("S1, naive", fm.S1(radius="naive"), copes_with_different_means=False, verification=150),
    Case("S1, oracle", fm.S1(radius="oracle"), oracle=True, copes_with_different_means=False),
    Case("S2, naive", fm.S2(radius="naive"), copes_with_different_means=False, verification=150),
    Case("S2, oracle", fm.S2(radius="oracle"), oracle=True, copes_with_different_means=False),
    Case("S3, naive", fm.S3(radius="naive", delta=0.5), False, False, talks_every_round=False, verification=150),
    Case("S3, oracle", fm.S3(radius="oracle", delta=0.5), True, False, talks_every_round=False, verification=150),
    Case("S3Cert, undecided", fm.S3Cert(delta=0.5), False, False, talks_every_round=False, verification=150),
    Case("S3Cert, oracle", fm.S3Cert(radius="oracle", delta=0.5), True, False, False, verification=150),
    Case(
        "S3Cert, filters", fm.S3Cert(filtering=True, delta=0.5), False, False, talks_every_round=False, verification=150
    ),
    Case("S3Cert, decides", fm.S3Cert(verify="elimination", delta=0.5), False, False, False, verification=600),
    Case("Layered", fm.LayeredElimination(), copes_with_different_means=False, beats_being_alone=False),
    Case("Layered, two", fm.LayeredElimination(n_layers=2, delta=0.5), False, False, beats_being_alone=False),
]

# Six agents that disagree: the arm best for all (2) is best for nobody alone but agents 0 and 1.
DIFFERENT = np.array(
    [
        [0.1, 0.2, 0.9, 0.3],
        [0.2, 0.1, 0.9, 0.3],
        [0.9, 0.1, 0.8, 0.2],
        [0.9, 0.2, 0.8, 0.1],
        [0.1, 0.9, 0.8, 0.2],
        [0.2, 0.9, 0.8, 0.1],
    ]
)
ALIKE = np.array([0.1, 0.2, 0.3, 0.9])


def problem(case: Case, rewards: fm.Bernoulli, network: fm.Static | fm.ErdosRenyi, horizon: int) -> Problem:
    """What `simulate` would tell the algorithm; Gaussian rewards, which none here minds, pass for bounded."""
    return Problem(
        rewards.n_agents,
        rewards.n_arms,
        horizon,
        network.base,
        network.link_probability,
        rewards.sub_gaussian,
        verification=case.verification,
    )


def complete(n: int, p: float = 0.9) -> fm.ErdosRenyi:
    """Erdos-Renyi links over all pairs."""
    return fm.ErdosRenyi(nx.complete_graph(n), p)
