"""One way to configure: Python and files say the same; a line in a table is all that a name needs."""

import json
import pickle
from pathlib import Path
from typing import Literal, NamedTuple

import networkx as nx
import numpy as np
import pytest
from pydantic import Field

import folkmoot as fm
from folkmoot.algorithms import ALGORITHMS
from folkmoot.bc_ucb.attacks import ATTACKS
from folkmoot.cli import main
from folkmoot.configuration import Configuration, Wrong, of_kind
from folkmoot.experiments import listed
from folkmoot.experiments.catalogue import LISTED, TABLES, catalogue
from folkmoot.experiments.plan import plan
from folkmoot.multiparty.games import DATA, DIVISIONS, LIARS, MODELS
from folkmoot.world import NETWORKS, REWARDS, SCALARISATIONS, datasets
from folkmoot.world.corruption import CORRUPTIONS
from folkmoot.world.in_file import InFile
from folkmoot.world.lies import LIES
from folkmoot.world.means import Uniform, UniformOfClusters, UniformVectors
from folkmoot.world.networks import Network
from folkmoot.world.rewards import Rewards

MEANS = [[0.9, 0.1, 0.5], [0.2, 0.8, 0.5], [0.5, 0.5, 0.5], [0.25, 0.75, 0.0]]
DRAWN = {"law": "uniform", "n_arms": 3, "seed": 7, "low": 0.25, "high": 0.75}
OBSERVED = [[[0.5, 1.0], [0.25]], [[0.0], [1.0, 1.0, 0.5]]]
EDGES, LINKS = "0 1\n1 2\n3 1\n", "1 0 1\n3 2 3\n3 0 3\n"

WRITTEN_REWARDS = {
    "bernoulli": [
        (fm.Bernoulli(MEANS), {"means": MEANS}),
        (fm.Bernoulli([0.1, 0.9], n_agents=4), {"means": [0.1, 0.9], "n_agents": 4}),
        (
            fm.Bernoulli(Uniform(**DRAWN, n_agents=4, shared=True)),
            {"means": {**DRAWN, "n_agents": 4, "shared": True}},
        ),
        (fm.Bernoulli({**DRAWN, "n_agents": 4}, redraw=True), {"means": {**DRAWN, "n_agents": 4, "redraw": True}}),
    ],
    "gaussian": [(fm.Gaussian(np.array(MEANS), 2), {"means": MEANS, "deviation": 2})],
    "beta": [(fm.Beta(np.array(MEANS[:3]), 4), {"means": MEANS[:3], "concentration": 4.0})],
    "replay": [
        (fm.Replay(OBSERVED, "ours", ("a", "b")), {"table": OBSERVED, "dataset": "ours", "arm_names": ["a", "b"]}),
        (datasets.movielens(20, 5), {"dataset": "movielens", "users": 20, "genres": 5}),
    ],
    "clustered": [
        (fm.Clustered(MEANS[:2], [0, 1, 1, 0]), {"means": MEANS[:2], "labels": [0, 1, 1, 0]}),
        (
            fm.Clustered(UniformOfClusters(**DRAWN, n_clusters=2), np.array([0, 0, 0, 1]), "gaussian", 0.5),
            {"means": {**DRAWN, "n_clusters": 2}, "sizes": [3, 1], "law": "gaussian", "deviation": 0.5},
        ),
    ],
    "half_active": [
        (
            fm.HalfActive(fm.Gaussian(MEANS, 0.5), 1),
            {"inner": {"type": "gaussian", "means": MEANS, "deviation": 0.5}, "silent": 1.0},
        )
    ],
    "piecewise": [
        (
            fm.Piecewise([(1, fm.Bernoulli(MEANS)), (9, fm.Bernoulli(MEANS[::-1]))]),
            {"pieces": [{"from": n, "type": "bernoulli", "means": m} for n, m in ((1, MEANS), (9, MEANS[::-1]))]},
        )
    ],
    "drifting": [
        (
            fm.Drifting(fm.Gaussian(MEANS, 0.5), fm.Gaussian(MEANS[::-1], 0.5), 50),
            {
                "start": {"type": "gaussian", "means": MEANS, "deviation": 0.5},
                "end": {"type": "gaussian", "means": MEANS[::-1], "deviation": 0.5},
                "period": 50,
            },
        )
    ],
    "vector_bernoulli": [
        (
            fm.VectorBernoulli(MEANS, fm.Linear((0.5, 0.25, 0.25)), n_agents=4),
            {"means": MEANS, "scalarisation": {"type": "linear", "weights": [0.5, 0.25, 0.25]}, "n_agents": 4},
        ),
        (
            fm.VectorBernoulli(UniformVectors(**DRAWN, n_objectives=2), fm.Chebyshev(), n_agents=4),
            {"means": {**DRAWN, "n_objectives": 2}, "scalarisation": {"type": "chebyshev"}, "n_agents": 4},
        ),
    ],
}
PATH = {"base": "file:path.txt", "link_probability": 0.5}
WRITTEN_NETWORKS = {
    "static": [
        (fm.Static(nx.cycle_graph(4)), {"base": "cycle"}),
        (fm.Static(graph=nx.Graph([(0, 1), (1, 2), (3, 1)])), {"base": "file:edges.txt"}),
    ],
    "erdos_renyi": [
        (fm.ErdosRenyi(nx.complete_graph(4), 1), {"base": "complete", "link_probability": 1}),
        (fm.ErdosRenyi(base_graph=nx.path_graph(4), link_probability=0.5), PATH),
        (fm.ErdosRenyi(nx.path_graph(4), np.array([0.5, 1, 0.25])), {**PATH, "link_probability": [0.5, 1, 0.25]}),
        (
            fm.ErdosRenyi(nx.path_graph(4), {(1, 0): 0.5, (1, 2): 1, (2, 3): 0.25}),
            {**PATH, "link_probability": {"2-3": 0.25, "1-2": 1, "0-1": 0.5}},
        ),
    ],
    "recorded": [
        (fm.Recorded([[(0, 1)], [], [(2, 3), (0, 3)]]), {"file": "links.txt"}),
        (fm.Recorded([[(0, 1)], [], [(3, 2), (0, 3)], []], n_agents=4), {"file": "links.txt", "rounds": 4}),
    ],
    "stochastic_block_model": [
        (fm.StochasticBlockModel([0, 1, 1, 0], 1, 0.25), {"within": 1, "across": 0.25}),
        (fm.StochasticBlockModel([0, 0, 1, 0], 0.5, 0.0), {"within": 0.5, "across": 0, "labels": [0, 0, 1, 0]}),
        (fm.StochasticBlockModel(np.array([0, 0, 0, 1]), 1, 1), {"within": 1, "across": 1, "sizes": [3, 1]}),
        (
            fm.StochasticBlockModel([0, 1, 1, 0], probabilities=[[1, 0.5], [0.5, 0]]),
            {"probabilities": [[1, 0.5], [0.5, 0]]},
        ),
    ],
    "markov": [(fm.Markov(nx.cycle_graph(4), 0.25, 0.5), {"base": "cycle", "up": 0.25, "down": 0.5})],
    "b_connected": [(fm.BConnected(nx.cycle_graph(4), 3), {"base": "cycle", "rounds": 3})],
    "one_sided": [
        (
            fm.OneSided(fm.Static(nx.cycle_graph(4)), 0.25),
            {"network": {"type": "static", "base": "cycle"}, "loss": 0.25},
        ),
        (
            fm.OneSided(fm.ErdosRenyi(nx.path_graph(4), 0.5), np.array([0, 1, 0.5, 0.25])),
            {"network": {"type": "erdos_renyi", **PATH}, "loss": [0, 1, 0.5, 0.25]},
        ),
        (
            fm.OneSided(fm.Static(nx.cycle_graph(4)), {(0, 1): 0.5, (3, 2): 1}),
            {"network": {"type": "static", "base": "cycle"}, "loss": {"3-2": 1.0, "0-1": 0.5}},
        ),
    ],
}
WRITTEN_SCALARISATIONS = {
    "linear": [
        (fm.Linear(np.array([0.25, 0.75])), {"weights": [0.25, 0.75]}),
        (fm.Linear([0, 1]), {"weights": [0, 1]}),
    ],
    "chebyshev": [(fm.Chebyshev(), {})],
    "log_sum_exp": [(fm.LogSumExp(), {}), (fm.LogSumExp(2), {"beta": 2})],
}
WRITTEN = {
    "rewards": (REWARDS, WRITTEN_REWARDS),
    "networks": (NETWORKS, WRITTEN_NETWORKS),
    "scalarisations": (SCALARISATIONS, WRITTEN_SCALARISATIONS),
}
PAIRS = [
    pytest.param(kinds, python, {"type": name, **table}, id=f"{name}-{number}")
    for kinds, written in WRITTEN.values()
    for name, pairs in written.items()
    for number, (python, table) in enumerate(pairs)
]
every_pair = pytest.mark.parametrize(("kinds", "python", "table"), PAIRS)


@pytest.fixture(autouse=True)
def context(tmp_path, monkeypatch):
    """A file beside a graph and a recording; its rewards are for 4 agents in two clusters."""
    monkeypatch.delenv("FOLKMOOT_DATA", raising=False)
    monkeypatch.setenv("FOLKMOOT_CACHE", str(tmp_path))
    (tmp_path / "edges.txt").write_text(EDGES, encoding="utf-8")
    (tmp_path / "path.txt").write_text("0,1 # the first\n2 1\n\n2 3\n", encoding="utf-8")
    (tmp_path / "links.txt").write_text(LINKS, encoding="utf-8")
    return InFile(tmp_path, datasets.load, 4, np.array([0, 1, 1, 0]))


# --- Equal, and described equally ---------------------------------------------------------------------------


@pytest.mark.parametrize(("kinds", "written"), WRITTEN.values(), ids=WRITTEN)
def test_every_class_of_every_table_is_written_both_ways(kinds, written):
    assert list(kinds) == list(written)
    for name, pairs in written.items():
        assert {type(python) for python, _ in pairs} == {kinds[name]}


@every_pair
def test_python_and_a_file_say_the_same(kinds, python, table, context):
    read = of_kind(kinds, table, context)
    assert read == python
    assert hash(read) == hash(python)
    assert read.describe() == python.describe()
    if not isinstance(python, fm.Linear | fm.Chebyshev | fm.LogSumExp):
        np.testing.assert_equal(read.record(), python.record())


@pytest.mark.parametrize("kinds", [ALGORITHMS, CORRUPTIONS, ATTACKS], ids=["algorithms", "corruptions", "attacks"])
def test_so_do_algorithms_adversaries_and_attacks(kinds, context):
    for name, kind in kinds.items():
        given = {"budget": 5.0} if kinds is CORRUPTIONS else {}
        assert of_kind(kinds, {"type": name, **given}, context) == kind(**given)


def test_what_is_not_the_same_is_not_equal():
    assert fm.Bernoulli(MEANS) != fm.Bernoulli(MEANS[::-1])
    assert fm.Bernoulli(MEANS) != fm.Bernoulli(MEANS[:3])
    assert fm.Bernoulli(MEANS) != fm.Gaussian(MEANS)
    assert fm.Gaussian(MEANS) != fm.Gaussian(MEANS, 2)
    assert fm.HalfActive(fm.Bernoulli(MEANS)) != fm.HalfActive(fm.Bernoulli(MEANS[::-1]))
    assert fm.Static(nx.cycle_graph(4)) != fm.Static(nx.path_graph(4))
    assert fm.Recorded([[(0, 1)]]) != fm.Recorded([[(0, 1)]], n_agents=3)
    assert fm.Linear([0.5, 0.5]) != fm.Linear([0.25, 0.75])
    assert fm.Bernoulli(MEANS) != MEANS


# --- Immutable values: copies, pickles, short texts ----------------------------------------------------------


@every_pair
def test_copies_and_pickles_are_equal_and_nothing_can_be_changed(kinds, python, table):
    assert python.model_copy() == python.model_copy(deep=True) == pickle.loads(pickle.dumps(python)) == python
    for name in type(python).model_fields:
        with pytest.raises(ValueError, match=f": {name} cannot be set: "):
            setattr(python, name, 0)


def test_a_copy_with_changes_is_checked_and_made_anew():
    law = fm.Bernoulli([0.1, 0.9], n_agents=4)
    assert law.model_copy(update={"means": [[0.5, 0.25]]}) == fm.Bernoulli([[0.5, 0.25]])
    clustered = fm.Clustered(MEANS[:2], [0, 1, 1, 0])
    assert clustered.means.shape == (4, 3)  # made and kept
    longer = clustered.model_copy(update={"labels": [1, 0, 1, 0, 0]})
    assert longer == fm.Clustered(MEANS[:2], [1, 0, 1, 0, 0])
    assert longer.means.shape == (5, 3)
    network = fm.ErdosRenyi(nx.complete_graph(4), 0.5)
    assert network.model_copy(update={"link_probability": 1.0}).link_probability == 1.0
    recorded = fm.Recorded([[(0, 1)], []], n_agents=3)
    assert recorded.model_copy(update={"rounds": recorded.rounds[:1]}) == fm.Recorded([[(0, 1)]], n_agents=3)
    with pytest.raises(ValueError, match=r"^link_probability = 1\.5: expected a probability in \(0, 1\]$"):
        network.model_copy(update={"link_probability": 1.5})
    with pytest.raises(ValueError, match=r"^ErdosRenyi: field 'probability': unknown; did you mean 'link_probability'"):
        network.model_copy(update={"probability": 0.5})


def test_a_text_shows_what_is_small_and_names_what_is_large():
    assert repr(fm.Bernoulli([[0.5, 0.25]])) == "Bernoulli(means=[[0.5, 0.25]])"
    large = fm.Clustered(np.full((2, 1_000), 0.5), np.arange(100_000) % 2)
    assert repr(fm.HalfActive(large)).startswith(
        "HalfActive(inner=Clustered(means=float64[2, 1000], labels=int64[100000], law='bernoulli'"
    )
    assert repr(fm.ErdosRenyi(nx.path_graph(3), 0.5)) == (
        "ErdosRenyi(base=BaseGraph(3 agents, 2 edges), link_probability=0.5)"
    )
    long = fm.Replay([[np.full(10_000, 0.5)]] * 50), fm.Recorded([[(0, 1)]] * 1_000)
    assert all(len(repr(one)) < 120 and "\n" not in repr(one) for one in long)


def test_large_arrays_are_not_turned_into_lists(monkeypatch):
    """An array that counts what is taken out of it one by one."""

    class Watched(np.ndarray):
        def __iter__(self):
            raise AssertionError("went through it in Python")

        def tolist(self):
            raise AssertionError("turned into a list")

    means = np.full((1_000, 4), 0.5).view(Watched)
    labels = (np.arange(1_000) % 4).view(Watched)
    assert fm.Bernoulli(means).n_agents == 1_000
    assert fm.Clustered(means[:4], labels).n_agents == 1_000
    assert fm.StochasticBlockModel(labels, 0.1, 0.0).n_agents == 1_000


# --- A class in a table is all that a name needs --------------------------------------------------------------


class OneRecord(NamedTuple):
    """Nothing to know."""

    n_agents: int


class Certain(Rewards):
    """Every arm pays 1."""

    n: int = Field(alias="n_agents", ge=1)

    @property
    def means(self):
        return np.ones((self.n, 2))

    def record(self):
        return OneRecord(self.n)


class Lonely(Network):
    """Nobody can talk to anybody."""

    reason: Literal["shy", "far"] = "shy"


class Luck(fm.Algorithm):
    """Pulls what it likes."""


class Least(fm.Chebyshev):
    """The smallest, under another name."""


@pytest.mark.parametrize(
    ("kind", "table", "mine", "fields"),
    [
        ("rewards", REWARDS, Certain, {"n_agents": 3}),
        ("networks", NETWORKS, Lonely, {"reason": "far"}),
        ("scalarisations", SCALARISATIONS, Least, {}),
        ("algorithms", ALGORITHMS, Luck, {}),
        ("corruptions", CORRUPTIONS, type("Mine", (fm.Suppress,), {"__doc__": "Ours."}), {"budget": 2.0}),
        ("attacks", ATTACKS, type("Mine", (fm.Drift,), {"__doc__": "Ours."}), {"value": -1.0}),
    ],
)
def test_a_class_added_to_a_table_can_be_listed_and_written(kind, table, mine, fields, context, capsys):
    table["mine"] = mine
    try:
        assert ("mine", mine.__doc__) in catalogue(kind)
        assert main(["list", kind]) == 0
        assert "\nmine " in capsys.readouterr().out
        assert of_kind(table, {"type": "mine", **fields}, context) == mine(**fields)
        with pytest.raises(Wrong, match="field 'else': unknown; "):
            of_kind(table, {"type": "mine", "else": 1}, context)
    finally:
        del table["mine"]


@pytest.mark.filterwarnings("ignore:Field name:UserWarning")
def test_a_field_that_a_property_would_hide_is_refused():
    with pytest.raises(
        TypeError, match=r"^Marked: field 'labels' has the name of a property; call it something else, w"
    ):

        class Marked(Rewards):
            labels: tuple[int, ...]


def test_the_list_that_is_kept_is_that_of_the_tables():
    kept = json.loads(listed.FILE.read_text(encoding="utf-8"))
    made = {kind: [list(row) for row in catalogue(kind)] for kind in LISTED}
    assert kept == made, "python -m folkmoot.experiments.catalogue writes it anew"
    assert listed.kinds() == LISTED


def test_every_table_is_listed():
    assert [*TABLES, "experiments"] == list(LISTED)
    of_bandits = (ALGORITHMS, REWARDS, SCALARISATIONS, NETWORKS, CORRUPTIONS, ATTACKS)
    every = {id(table) for table in (*of_bandits, LIES, DATA, DIVISIONS, MODELS, LIARS)}
    assert {id(table) for table in TABLES.values()} == every
    for kind, table in TABLES.items():
        assert [name for name, text in catalogue(kind) if text] == list(table)


# --- Tables in tables: every error has its place ---------------------------------------------------------------


GAUSSIAN = {"type": "gaussian", "means": MEANS}


class Leaf(Configuration):
    """With one field."""

    size: int = Field(ge=1)


@pytest.mark.parametrize(
    ("rewards", "message"),
    [
        ({"inner": {**GAUSSIAN, "deviation": "x"}}, "rewards.inner.deviation = 'x': expected a number"),
        ({"inner": {**GAUSSIAN, "deviation": -1}}, "rewards.inner: deviation = -1.0: expected a number from 0 to"),
        ({"inner": {**GAUSSIAN, "type": "gausian"}}, "rewards.inner.type = 'gausian': unknown; did you mean 'gauss"),
        ({"inner": {"means": MEANS}}, "rewards.inner.type: missing; allowed are bernoulli, gaussian, "),
        ({"inner": 5}, "rewards.inner = 5: expected a table"),
        ({}, "rewards.inner: missing"),
        (
            {"inner": {"type": "half_active", "inner": {"type": "bernoulli", "means": MEANS}}},
            "rewards: inner = HalfActive: expected a reward law that is not half active itself",
        ),
        (
            {"inner": {"type": "clustered", "means": {**DRAWN, "n_clusters": 0}, "sizes": [2, 2]}},
            "rewards.inner.means.n_clusters = 0: expected at least 1",
        ),
        (
            {"inner": {"type": "bernoulli", "means": {**DRAWN, "n_agents": 2, "low": 0.8}}},
            "rewards.inner.means: low = 0.8, high = 0.75: expected low not above high",
        ),
    ],
)
def test_the_place_of_what_is_wrong(rewards, message):
    document = {
        "name": "test",
        "horizon": 50,
        "rewards": {"type": "half_active", **rewards},
        "network": {"type": "static", "base": "complete"},
        "algorithm": [{"type": "ucb"}],
    }
    with pytest.raises(ValueError, match=r"^[^\n]+$") as caught:
        plan(document, Path("."))
    assert str(caught.value).startswith(message)
    assert " more: " not in str(caught.value)


def test_a_network_is_looked_at_though_the_rewards_are_wrong():
    document = {
        "name": "test",
        "horizon": 50,
        "rewards": {"type": "bernoulli", "means": [[2.0]]},
        "network": {"type": "erdos_renyi", "base": "petersen", "link_probability": 0},
        "algorithm": [{"type": "ucb"}],
    }
    message = r"^rewards: mean of agent 0, arm 0 = 2\.0: expected a number from 0 to 1"
    with pytest.raises(ValueError, match=rf"{message} \(and 1 more: network\.link_probability\)$"):
        plan(document, Path("."))
    document["network"]["link_probability"] = 1  # whether petersen fits is not known before the rewards are
    with pytest.raises(ValueError, match=f"{message}$"):
        plan(document, Path("."))


def test_several_things_wrong_in_one_table_are_a_line_each(context):
    with pytest.raises(Wrong) as caught:
        of_kind({"leaf": Leaf}, {"type": "leaf", "size": 0.5}, context)
    assert caught.value.lines(("a", 0)) == ["a[0].size = 0.5: expected a whole number"]
    with pytest.raises(Wrong) as caught:
        of_kind(NETWORKS, {"type": "markov", "base": "cycle", "up": "x"}, context)
    assert caught.value.lines(("network",)) == [
        "network.up = 'x': expected a number",
        "network.down: missing; expected a number",
    ]
