"""The worlds of the table: networks good and bad, agents that are absent, outcomes that are late, liars.

Each stands twice: once with agents whose tastes differ, once with agents that all have the same means. All are told in
one form, a probability for each link and who is present, so that each algorithm's loop is compiled once for all but
one-sided links. In whose world everybody is always there, it is as if that were not said.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import networkx as nx
import numpy as np
from numpy.typing import NDArray

import folkmoot as fm
from folkmoot.world.networks import Network
from folkmoot.world.rewards import Rewards

SEED = 1300
N_AGENTS, N_ARMS, HORIZON, REPLICATES = 20, 5, 20_000, 5
LONG = 40_000  # rounds on the grid and the two cliques with tastes that differ: their gap is smaller
COMPLETE, OTHER = 0.98, 0.9  # probabilities of a link; DrFed-UCB's theorem asks for .959 of every pair
WITHIN, ACROSS = 0.01, 0.4  # of the block model
REGIONS = ((0.95, 0.05), (0.20, 0.90))  # two fifths and three fifths of the agents; arm 1 is best on average by .06
SAME = (0.7, 0.5, 0.4, 0.3, 0.2)  # where all agents have the same means
SAME_FAR_APART = (0.8, 0.3, 0.2, 0.1, 0.05)  # the same for liars and for leaving
LEAST_GAP = 0.1
TWO = (4, 13)  # the tenth of the agents that lie, or leave
LEAVES = 10  # the round in which they do

EVERYBODY: Mapping[str, Any] = {"presence": fm.Presence()}

Floats = NDArray[np.float64]


class Setting(NamedTuple):
    """A world, and what is told of it.

    Attributes:
        rewards, network, more: of `folkmoot.simulate`.
        labels: the cluster of each agent, for those that must know it.
        least: the least probability with which a link of the base graph is up, for those that must know it.
        gone: agents that leave for good, for those that can be told.
        horizon, replicates: how long, how often.
    """

    rewards: Rewards
    network: Network
    labels: tuple[int, ...]
    least: float
    more: Mapping[str, Any] = EVERYBODY
    gone: int = 0
    horizon: int = HORIZON
    replicates: int = REPLICATES


# --- What arms pay --------------------------------------------------------------------------------------------------


def drawn(n_rows: int) -> Floats:
    """Means drawn uniformly, with the first seed that puts the best arm on average far enough before the second."""
    for seed in range(SEED, SEED + 10_000):
        means = np.random.default_rng(seed).uniform(size=(n_rows, N_ARMS))
        best = np.sort(means.mean(axis=0))
        if best[-1] - best[-2] >= LEAST_GAP:
            return means
    raise AssertionError("no such means")


def far_apart() -> Floats:
    """Eighteen agents of 20 like arm 0, two arm 1; arm 0 is best on average by .66. For liars and for leaving."""
    means = np.random.default_rng(SEED).uniform(0.0, 0.2, size=(N_AGENTS, N_ARMS))
    liked = np.where(np.arange(N_AGENTS) % 10 == 0, 1, 0)
    means[np.arange(N_AGENTS), liked] = np.random.default_rng(SEED + 1).uniform(0.85, 1.0, size=N_AGENTS)
    return means


def worst_of(means: Floats) -> int:
    """The arm that is worst on average."""
    return int(np.argmin(means.mean(axis=0)))


def gap(means: Floats) -> float:
    """Of the two best arms on average."""
    best = np.sort(means.mean(axis=0))
    return float(best[-1] - best[-2])


def _usual(same: bool, n_agents: int = N_AGENTS) -> Floats:
    return np.tile(SAME, (n_agents, 1)) if same else drawn(n_agents)


def _far_apart(same: bool) -> Floats:
    return np.tile(SAME_FAR_APART, (N_AGENTS, 1)) if same else far_apart()


# --- The worlds -----------------------------------------------------------------------------------------------------


def _network(graph: "nx.Graph[Any]", link_probability: float) -> fm.ErdosRenyi:
    """Links that are up independently, all with one probability."""
    return fm.ErdosRenyi(graph, np.full(graph.number_of_edges(), link_probability))


def _everybody(means: Floats, **more: Any) -> Setting:
    """20 agents, all linked."""
    network = _network(nx.complete_graph(N_AGENTS), COMPLETE)
    return Setting(fm.Bernoulli(means), network, tuple(range(N_AGENTS)), COMPLETE, more or EVERYBODY)


def complete(same: bool) -> Setting:
    """20 agents, all linked."""
    return _everybody(_usual(same))


def petersen(same: bool) -> Setting:
    """Petersen's graph, 10 agents."""
    return Setting(fm.Bernoulli(_usual(same, 10)), _network(nx.petersen_graph(), OTHER), tuple(range(10)), OTHER)


def _regions(same: bool, graph: "nx.Graph[Any]", first: int, replicates: int) -> Setting:
    """Tastes of two regions: the first so many agents, and the rest."""
    sizes = first, graph.number_of_nodes() - first
    means = np.tile(SAME, (sum(sizes), 1)) if same else np.repeat(REGIONS, sizes, axis=0)
    labels = tuple(np.repeat((0, 1), sizes).tolist())
    return Setting(
        fm.Bernoulli(means), _network(graph, OTHER), labels, OTHER,
        horizon=HORIZON if same else LONG, replicates=replicates,
    )  # fmt: skip


def grid(same: bool) -> Setting:
    """A grid of 20 x 20 agents, tastes by region."""
    return _regions(same, nx.convert_node_labels_to_integers(nx.grid_2d_graph(20, 20)), 160, 3)


def two_cliques(same: bool) -> Setting:
    """Cliques of 80 and 120 agents with different tastes and one bridge."""
    graph = nx.disjoint_union(nx.complete_graph(80), nx.complete_graph(120))
    graph.add_edge(0, 80)
    return _regions(same, graph, 80, 2)


def block_model(same: bool) -> Setting:
    """20 agents in 4 clusters that hardly meet inside (.01) and often across (.4)."""
    labels = tuple(i // 5 for i in range(N_AGENTS))
    mates = np.equal.outer(labels, labels)
    links = np.where(mates, WITHIN, ACROSS) * (1.0 - np.eye(N_AGENTS))
    means = np.tile(SAME, (N_AGENTS, 1)) if same else np.repeat(drawn(4), 5, axis=0)
    return Setting(fm.Bernoulli(means), fm.ErdosRenyi(nx.complete_graph(N_AGENTS), links), labels, WITHIN)


def one_sided(same: bool) -> Setting:
    """As complete; of each link's two directions each is lost with .3, and nobody is told."""
    setting = complete(same)
    return setting._replace(network=fm.OneSided(setting.network, loss=0.3), least=0.7 * COMPLETE)


def absent(same: bool) -> Setting:
    """As complete; each agent is absent from three rounds in ten."""
    return _everybody(_usual(same), presence=fm.Presence(probability=0.7))


def delay(same: bool) -> Setting:
    """As complete; outcomes come 50 rounds late."""
    return _everybody(_usual(same), feedback=fm.Feedback(delay=50))


def liars(same: bool) -> Setting:
    """As complete, arms far apart; two agents promote the worst arm, as if they had pulled each arm in every round."""
    means = _far_apart(same)
    return _everybody(means, liars=fm.Liars(TWO, fm.PromotingLie(arm=worst_of(means)), counts="most"))


def leaving(same: bool) -> Setting:
    """As complete, arms far apart; two agents leave for good."""
    setting = _everybody(_far_apart(same), presence=fm.Presence(absences=[(i, LEAVES) for i in TWO]))
    return setting._replace(gone=len(TWO))


WORLDS: Mapping[str, Callable[[bool], Setting]] = {
    "complete": complete,
    "grid 20x20": grid,
    "two cliques": two_cliques,
    "Petersen": petersen,
    "block model": block_model,
    "one-sided loss": one_sided,
    "30 % absent": absent,
    "delay 50": delay,
    "10 % liars": liars,
    "10 % leave": leaving,
}
