"""What reproductions hold their runs against, by hand: messages of the protocols, and the burn-in of Theorem C.2."""

import sys
from math import log, sqrt
from pathlib import Path

import networkx as nx
import numpy as np
import pytest

import folkmoot as fm
from folkmoot.algorithms.gse import Params, estimate_link
from folkmoot.interface import init
from folkmoot.reproductions.papers import figures

PAPERS = Path(__file__).resolve().parents[2] / "papers"


def module(paper: str, name: str):
    figures(PAPERS, paper)
    return sys.modules[f"folkmoot_papers_{paper}.{name}"]


@pytest.mark.parametrize("name", ["S1", "S2", "S3", "S3Cert"])
def test_broadcasts_are_those_that_the_paper_describes(name: str, monkeypatch) -> None:
    """Three agents, 20 arms, d = 5, 150 rounds: epochs end in rounds 20, 60 and 140."""
    counts = module("corruption", "messages")
    monkeypatch.setattr(counts, "VERIFIED", 60)
    assert counts.epochs(150) == counts.epochs(140) == 3
    assert counts.epochs(139) == 2
    algorithm, broadcasts, numbers = counts.promised(3, 150)[name]
    rewards = fm.VectorBernoulli([[0.5] * 5] * 20, fm.Linear([0.2] * 5), n_agents=3)
    result = fm.simulate(
        algorithm, rewards, fm.Static(nx.complete_graph(3)), horizon=150, replicates=1, checkpoints=[150],
        verification=60 if name == "S3Cert" else 0, engine="interpreted", progress=False,
    )  # fmt: skip
    assert result.messages[0] == 2 * broadcasts
    assert result.bytes[0] == 2 * 8 * numbers


@pytest.mark.parametrize(("n", "degree", "p"), [(16, 15, 0.5), (10, 3, 0.9), (16, 2, 0.3)])
def test_a_burn_in_ends_when_four_doubts_are_a_probability(n: int, degree: int, p: float) -> None:
    """It ends at 3 doubts <= share, and share >= p - doubt on the good event: so at 4 doubts <= p at the latest."""
    estimate = module("gse", "estimate")
    trials = degree * estimate.last_round(n, degree, p)
    horizon = sys.modules["folkmoot_papers_gse.settings"].HORIZON
    doubt = sqrt(log(4 * n * horizon**2 / (1 / horizon)) / (2 * trials))
    assert 4 * doubt == pytest.approx(p)
    assert (p - doubt) - doubt == pytest.approx(p / 2)  # the estimate that is used then, at its lowest


def test_the_burn_in_of_the_reproduction_is_that_of_the_kernel() -> None:
    """On the same links, agent by agent and round by round."""
    estimate, horizon, p = module("gse", "estimate"), 400, 0.9
    graph = nx.star_graph(3)
    found = estimate.burn_in(graph, p, 1, horizon)
    dice = np.random.default_rng(sys.modules["folkmoot_papers_gse.settings"].SEED)
    links = dice.random((horizon, 3)) < p
    params = Params(4, 2, horizon, 0.0, 1.0, np.array([3, 1, 1, 1]), 1.0 / horizon, 0)
    state = init(params)
    for t in range(1, horizon + 1):
        for i in range(4):
            if state.link[i] == 0.0:
                estimate_link(params, state, i, t, int(links[t - 1].sum() if i == 0 else links[t - 1, i - 1]))
                assert (state.link[i] > 0.0) == (found.end[0, i] == t)
    np.testing.assert_allclose(found.used[0], state.link, rtol=1e-12)
    assert (found.end <= horizon).all()
    assert found.end[0, 0] < found.end[0, 1:].min()  # the hub has three links to watch
