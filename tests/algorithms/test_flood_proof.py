"""FloodSE: the lemmas of docs/decisions/0031-flood-se.md on small runs in which nothing is left to chance.

Rewards are the means themselves, so the event of Theorem 1 holds, and links follow a schedule in which each edge is up
once in every B rounds, so that F is known. What the proof then says holds to the letter, for every schedule: runs are
drawn at random to find one in which it does not.
"""

from math import comb, log, sqrt

import networkx as nx
import numpy as np
import pytest
from by_hand import COINS, rows_of

import folkmoot as fm
from folkmoot.algorithms import flood_se, flood_tree
from folkmoot.algorithms.base import Problem
from folkmoot.algorithms.flood_threshold import sample_counts
from folkmoot.interface import init, nothing_seen, outbox, publish, select, update
from folkmoot.world.graphs import as_base_graph


class Drawn:
    """A small problem drawn at random: means, graph, schedule of links, delay."""

    def __init__(self, seed: int, rounds: int, aggregate: str = "table", missing: int = 0, delay: int = 0) -> None:
        dice = np.random.default_rng(seed)
        self.n, self.k = int(dice.integers(2 + 2 * missing, 6 + missing)), int(dice.integers(2, 5))
        self.rounds, self.missing, self.delay = rounds, missing, delay
        self.gone = missing if dice.random() < 0.7 else 0  # the last ones
        there = self.n - self.gone
        tree = nx.random_labeled_tree(there, seed=seed)
        more = [tuple(dice.integers(0, there, 2)) for _ in range(int(dice.integers(0, 3)))]
        tree.add_edges_from([(int(a), int(b)) for a, b in more if a != b])
        self.graph, self.period = tree, int(dice.integers(1, 7))
        self.phase = {edge: int(dice.integers(self.period)) for edge in tree.edges}
        self.means = dice.uniform(size=(self.n, self.k)) / (1 + 3 * missing)
        self.means[:, dice.integers(self.k)] += 0.7 * (missing > 0)
        average = self.means.mean(axis=0)
        self.best, self.gaps = int(average.argmax()), average.max() - average
        self.told = [k for k in range(self.k) if self.gaps[k] > 2 * missing / self.n]
        self.sigma = self.doubt(int(dice.integers(2, 30)))
        base = nx.Graph(tree)
        base.add_edges_from((there - 1, i) for i in range(there, self.n))
        problem = Problem(
            self.n, self.k, rounds, as_base_graph(nx.convert_node_labels_to_integers(base)), None, self.sigma
        )
        self.p = fm.FloodSE(delta=0.5, aggregate=aggregate, missing=missing).params(problem)
        assert any(self.first(k) < 40 for k in self.told), "a run in which nothing is to be dropped shows nothing"

    def doubt(self, samples: int) -> float:
        """A sigma with which the smallest gap that can be told needs so many samples: n* of the page."""
        n, m, smallest = self.n, self.missing, min(self.gaps[k] for k in self.told)
        subsets = (m + 1) * max(comb(n, r) for r in range(m + 1))
        width = log((self.k - 1) * len(sample_counts(1.1, self.rounds)) * subsets / 0.5)
        return float((n * smallest - 2 * m) * sqrt(samples / (16 * n * width)))

    def links(self, t: int) -> "nx.Graph[int]":
        graph = nx.empty_graph(self.n)
        graph.add_edges_from(edge for edge, phase in self.phase.items() if t % self.period == phase)
        return graph

    @property
    def flood(self) -> int:
        """F: one edge of a shortest path at least in every `period` rounds."""
        return self.period * max(1, nx.diameter(self.graph))

    @property
    def spread(self) -> float:
        """Eq. (10)."""
        return self.flood * (0.5 - 1 / self.k) + 2 * self.k - 2

    def first(self, k: int) -> float:
        """n_e: the first point at which twice the threshold is below the gap, however many rows are missing."""
        told = 2 * self.p.thresholds.max(axis=0) < self.gaps[k]
        return float(self.p.counts[told.argmax()]) if told.any() else float(self.rounds)

    def play(self, late: int = 0):
        """Yields (t, state) after every round; outcomes come `delay` rounds late, messages at most `late`."""
        dice, sent = np.random.default_rng(late), []
        state, box, pulls = init(self.p), outbox(self.p), []
        seen = nothing_seen(self.n)._replace(pulled=np.full(self.n, -1))
        there = range(self.n - self.gone)
        for t in range(1, self.rounds + 1):
            rows = rows_of(self.links(t))
            pulls.append([select(self.p, state, i, t, COINS) for i in there])
            for i in there:
                seen.pulled[i] = pulls[-1][i]
                seen.arm[i] = pulls[t - 1 - self.delay][i] if t > self.delay else -1
                seen.reward[i, 0] = self.means[i, seen.arm[i]] if t > self.delay else 0.0
                publish(self.p, state, i, t, seen, box)
            sent.append(copied(box))
            for i in there:
                heard = box
                if late > 0:
                    heard = copied(box)
                    for j in rows[i]:
                        set_row(heard, j, sent[max(0, t - 1 - int(dice.integers(late + 1)))])
                update(self.p, state, i, t, seen, heard, rows[i], COINS)
            yield t, state


def copied(box: flood_se.Message) -> flood_se.Message:
    return type(box)(*(part.copy() for part in box))


def set_row(box: flood_se.Message, j: int, older: flood_se.Message) -> None:
    """What agent j says is what it said in an earlier round, all of one moment."""
    for part, was in zip(box, older, strict=True):
        part[j] = was[j]


def check_rows(game: Drawn, state: flood_se.State) -> None:
    """Lemma 2: whatever rows an agent holds are exact, and speak of all its arms in play."""
    for i in range(game.n - game.gone):
        assert state.active[i, game.best]
        if state.active[i].sum() > 1:
            held = np.flatnonzero(state.have[i])
            assert state.held[i] == len(held)
            assert state.valid[i, held][:, state.active[i]].all()
            here = state.valid[i, held]
            np.testing.assert_allclose(state.row[i, held][here], game.means[held][here], atol=1e-12)


def check_spread(game: Drawn, before: np.ndarray, made: np.ndarray) -> None:
    """Eq. (10): while two arms are in all sets, counts of arms in play differ by less than W between agents."""
    there = game.n - game.gone
    if before[:there].all(axis=0).sum() >= 2:
        counts = made[:there][before[:there]]
        assert counts.max() - counts.min() < game.spread


@pytest.mark.parametrize("delay", [0, 9])
@pytest.mark.parametrize("seed", range(5))
def test_theorem_2_pull_by_pull(seed: int, delay: int) -> None:
    """Nobody pulls k as often as n_e + 3 F + 4 K - 2 + d, rows are exact, and agents keep pace."""
    game = Drawn(seed, 160, delay=delay)
    before = np.ones((game.n, game.k), np.bool_)
    for _, state in game.play():
        check_spread(game, before, state.made)
        check_rows(game, state)
        before = state.active.copy()
    for k in game.told:
        assert state.made[:, k].max() < game.first(k) + 3 * game.flood + 4 * game.k - 2 + delay


@pytest.mark.parametrize("missing", [0, 1])
@pytest.mark.parametrize("seed", range(5))
def test_lemma_2_with_messages_that_are_late(seed: int, missing: int) -> None:
    """Rows are exact and speak of all arms in play also where messages come up to 12 rounds late, and out of order."""
    game, dropped = Drawn(seed, 240, missing=missing), 0
    for _, state in game.play(late=12):
        check_rows(game, state)
        dropped = int((~state.active[: game.n - game.gone]).sum())
    assert dropped > 0, "a run in which nothing is dropped shows nothing"


@pytest.mark.parametrize("seed", range(5))
def test_theorem_3_pull_by_pull(seed: int) -> None:
    """The same with one agent that may be missing, and in most runs is."""
    game = Drawn(seed, 240, missing=1)
    for _, state in game.play():
        check_rows(game, state)
    flood, k_arms = game.flood, game.k
    for k in game.told:
        most = (1 + k_arms / 2) * (game.first(k) - 1 + flood / 2 + 2 * k_arms) + 3.5 * flood + 2 * k_arms
        assert state.made[:, k].max() <= most


@pytest.mark.parametrize("seed", range(5))
def test_theorem_4_pull_by_pull(seed: int) -> None:
    """The tree: n_e + 2 F + C + 4 K - 2, where sums come in within C rounds along at most N - 1 edges."""
    game = Drawn(seed, 160, aggregate="tree")
    for _, state in game.play():
        assert state.active[:, game.best].all()
        if state.included[0] == game.n and state.active[0].sum() > 1:
            here = state.active[0]
            np.testing.assert_allclose(state.sum[0, here], game.means[:, here].sum(axis=0), atol=1e-9)
    climb = game.period * (game.n - 1)
    for k in game.told:
        assert state.made[:, k].max() < game.first(k) + 2 * game.flood + climb + 4 * game.k - 2


def test_rows_of_a_point_beyond_the_grid_are_no_reason_to_judge() -> None:
    """Honest agents have none; liars and damaged messages may. There is no threshold to hold them against."""
    base = as_base_graph(nx.complete_graph(3))
    p = fm.FloodSE(missing=1).params(Problem(3, 2, 40, base, 1.0, 0.5))
    state, box, end = init(p), outbox(p), len(p.counts)
    state.point[0] = box.point[:] = end
    box.have[1, 1] = box.have[2, 2] = box.valid[1, 1] = box.valid[2, 2] = True
    box.row[1, 1] = box.row[2, 2] = [1.0, 0.0]
    update(p, state, 0, 30, nothing_seen(3), box, np.array([1, 2]), COINS)
    assert state.active[0].all()
    p = fm.FloodSE(missing=1, aggregate="tree").params(Problem(3, 2, 40, base, 1.0, 0.5))
    state, box = init(p), outbox(p)
    state.point[0] = box.point[:] = end
    box.parent[1:], box.included[1:], box.sum[1:] = flood_tree.ROOT, 1, [1.0, 0.0]
    update(p, state, 0, 30, nothing_seen(3), box, np.array([1, 2]), COINS)
    assert state.active[0].all()
