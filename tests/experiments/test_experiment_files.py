"""Experiment files: grids, tables, names, and what comes with the package."""

from pathlib import Path

import networkx as nx
import numpy as np
import pytest

import folkmoot as fm
from folkmoot.experiments import files
from folkmoot.experiments.grids import expand
from folkmoot.experiments.plan import plan
from folkmoot.world.means import Uniform

MEANS = [[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.6, 0.4]]


def document(**changes):
    return {
        "name": "test",
        "horizon": 50,
        "rewards": {"type": "bernoulli", "means": MEANS},
        "network": {"type": "static", "base": "complete"},
        "algorithm": [{"type": "ucb"}],
        **changes,
    }


def cells(folder=Path("."), **changes):
    return plan(document(**changes), folder).cells


def only(folder=Path("."), **changes):
    (cell,) = cells(folder, **changes)
    return cell.job


# --- Grids ----------------------------------------------------------------------------------------------


def test_a_grid_is_the_product_in_the_order_of_the_file():
    made = expand({"a": {"grid": [1, 2]}, "b": [{"c": {"grid": ["x", "y"]}}], "d": 0})
    assert [cell.document for cell in made] == [{"a": a, "b": [{"c": c}], "d": 0} for a in (1, 2) for c in ("x", "y")]
    assert list(made[1].settings.items()) == [(("a",), 1), (("b", 0, "c"), "y")]


def test_no_grid_is_one_cell():
    assert [cell.document for cell in expand({"a": 1})] == [{"a": 1}]


def test_a_grid_may_stand_for_a_table_and_hold_grids():
    made = expand({"n": {"grid": [{"type": "s"}, {"type": "e", "p": {"grid": [1, 2]}}]}})
    assert [cell.document["n"] for cell in made] == [{"type": "s"}, {"type": "e", "p": 1}, {"type": "e", "p": 2}]


def test_a_grid_leaves_its_document_alone():
    given = {"a": {"grid": [1, 2]}}
    expand(given)
    assert given == {"a": {"grid": [1, 2]}}


def test_too_many_cells_are_refused():
    values = {"grid": list(range(101))}
    with pytest.raises(ValueError, match="more than 10000 combinations"):
        expand({"a": values, "b": values})


def test_the_names_of_cells():
    network = {"type": "erdos_renyi", "base": "complete", "link_probability": {"grid": [0.5, 0.9]}}
    algorithm = [{"type": "ucb"}, {"type": "gse", "name": "Gossip"}]
    found = cells(network=network, algorithm=algorithm)
    assert [cell.name for cell in found] == [
        "UCB (alone), link_probability = 0.5",
        "Gossip, link_probability = 0.5",
        "UCB (alone), link_probability = 0.9",
        "Gossip, link_probability = 0.9",
    ]
    assert found[3].settings == {"link_probability": 0.9}
    assert found[3].label == "Gossip"
    assert found[3].job.network.link_probability == 0.9


def test_a_setting_of_one_algorithm_does_not_repeat_the_others():
    algorithm = [{"type": "ucb", "exploration": {"grid": [1.0, 2.0]}}, {"type": "gse"}]
    network = {"type": "erdos_renyi", "base": "complete", "link_probability": 0.5}
    names = [cell.name for cell in cells(algorithm=algorithm, network=network)]
    assert names == ["UCB (alone), exploration = 1.0", "GSE", "UCB (alone), exploration = 2.0"]


def test_equal_last_words_are_told_apart_by_the_whole_place():
    algorithm = [{"type": "ucb", "name": n, "exploration": {"grid": [1, 2]}} for n in ("A", "B")]
    rewards = {"type": "gaussian", "means": MEANS, "deviation": {"grid": [1, 2]}}
    network = {"type": "static", "base": {"grid": ["complete", "cycle"]}}
    names = {cell.name for cell in cells(algorithm=algorithm, rewards=rewards, network=network)}
    assert len(names) == 16
    assert "B, deviation = 1, base = cycle, exploration = 2" in names


def test_two_long_values_of_a_grid_never_end_as_one_name():
    values = [[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, n / 10] for n in range(3)]
    found = cells(rewards={"type": "bernoulli", "means": {"grid": values}, "n_agents": 4}, algorithm=[{"type": "ucb"}])
    assert len({cell.name for cell in found}) == 3
    assert [cell.settings["means"] for cell in found] == values


def test_equal_tables_give_the_same_objects():
    """So that a large graph is studied once, not once a cell."""
    found = cells(seed={"grid": [1, 2]})
    assert found[0].job.network is found[1].job.network
    assert found[0].job.rewards is found[1].job.rewards


# --- Rewards --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "law"),
    [
        ({"type": "bernoulli", "means": MEANS}, fm.Bernoulli(MEANS)),
        ({"type": "bernoulli", "means": [0.5, 0.1], "n_agents": 3}, fm.Bernoulli([0.5, 0.1], n_agents=3)),
        ({"type": "gaussian", "means": MEANS, "deviation": 2}, fm.Gaussian(MEANS, deviation=2.0)),
        ({"type": "beta", "means": MEANS, "concentration": 4.0}, fm.Beta(MEANS, concentration=4.0)),
        (
            {"type": "half_active", "inner": {"type": "bernoulli", "means": MEANS}},
            fm.HalfActive(fm.Bernoulli(MEANS)),
        ),
    ],
)
def test_rewards(table, law):
    assert only(rewards=table).rewards.describe() == law.describe()


def test_rewards_of_a_data_set(monkeypatch, tmp_path):
    monkeypatch.delenv("FOLKMOOT_DATA", raising=False)
    monkeypatch.setenv("FOLKMOOT_CACHE", str(tmp_path))
    job = only(rewards={"type": "replay", "dataset": "movielens", "users": 20})
    assert (job.rewards.n_agents, job.rewards.n_arms) == (20, 5)
    assert job.rewards.dataset == "movielens"


def test_drawn_means_are_fixed_by_their_own_seed():
    table = {"law": "uniform", "n_agents": 400, "n_arms": 50, "seed": 3, "low": 0.2, "high": 0.6}
    one = Uniform(**table).table()
    np.testing.assert_array_equal(one, Uniform(**table).table())
    assert not np.array_equal(one, Uniform(**{**table, "seed": 4}).table())
    assert one.shape == (400, 50)
    assert one.min() >= 0.2
    assert one.max() <= 0.6
    # 20,000 independent values of standard deviation 0.4 / sqrt(12): five standard errors of the mean are 0.0041.
    assert abs(one.mean() - 0.4) < 5 * 0.4 / np.sqrt(12 * 20_000)
    assert len(np.unique(one)) == one.size


def test_drawn_means_are_known():
    """The first raw word of NumPy's Philox with key 1 is fixed; an experiment means the same in every version."""
    word = np.random.Philox(key=1).random_raw()
    assert Uniform(law="uniform", n_agents=1, n_arms=1, seed=1).table()[0, 0] == (int(word) >> 11) / 2**53
    assert Uniform(law="uniform", n_agents=1, n_arms=1, seed=1).table()[0, 0] == pytest.approx(0.3035680343067586)


def test_shared_means_are_the_same_for_all_agents():
    table = Uniform(law="uniform", n_agents=5, n_arms=3, shared=True).table()
    assert table.shape == (5, 3)
    assert (table == table[0]).all()
    assert len(np.unique(table[0])) == 3


# --- Networks -------------------------------------------------------------------------------------------


def test_networks_take_the_number_of_agents_from_the_rewards():
    job = only(network={"type": "erdos_renyi", "base": "cycle", "link_probability": 1})
    assert job.network.describe() == fm.ErdosRenyi(nx.cycle_graph(4), 1.0).describe()


def test_files_are_found_beside_the_experiment(tmp_path):
    (tmp_path / "edges.txt").write_text("0 1\n1 2\n2 3\n", encoding="utf-8")
    job = only(tmp_path, network={"type": "static", "base": "file:edges.txt"})
    assert job.network.base.n_edges == 3


def test_a_recording(tmp_path):
    (tmp_path / "links.txt").write_text("# round, agents\n3, 0, 1\n1 2 3\n\n1 0 2 # twice\n", encoding="utf-8")
    table = {"type": "recorded", "file": "links.txt"}
    network = only(tmp_path, network=table).network
    expected = fm.Recorded([[(2, 3), (0, 2)], [], [(0, 1)]], n_agents=4)
    for ours, theirs in zip(network.record(), expected.record(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    longer = only(tmp_path, network={**table, "rounds": 5}).network
    assert len(longer.rounds) == 5
    with pytest.raises(ValueError, match=r"^network: rounds = 2: the recording has links in round 3$"):
        cells(tmp_path, network={**table, "rounds": 2})


# --- Algorithms and the whole ---------------------------------------------------------------------------


def test_algorithms_are_the_classes_of_python():
    job = only(algorithm=[{"type": "drfed_ucb", "burn_in": 7}], network={"type": "static", "base": "complete"})
    assert job.algorithm == fm.DrFedUCB(burn_in=7)


def test_strict_values():
    with pytest.raises(ValueError, match=r"^algorithm\[0\]\.burn_in = 7\.0: expected a whole number; write 7$"):
        cells(algorithm=[{"type": "drfed_ucb", "burn_in": 7.0}])
    with pytest.raises(ValueError, match=r"^seed = true: expected a whole number$"):
        cells(seed=True)


def test_checkpoints():
    assert only(checkpoints=[10, 50]).checkpoints.tolist() == [10, 50]


def test_every_cell_is_checked_before_any_is_returned():
    network = {"type": "static", "base": {"grid": ["complete", "petersen"]}}
    with pytest.raises(ValueError, match=r"^network: base graph 'petersen' with 4 agents: expected 10$"):
        cells(network=network)


def test_a_world_that_an_algorithm_refuses_names_the_algorithm():
    network = {"type": "recorded", "file": "four_links.txt"}
    algorithm = [{"type": "ucb"}, {"type": "gse"}]
    with pytest.raises(ValueError, match=r"^algorithm\[1\]: GSE link_probability = None: "):
        cells(Path(__file__).parent, network=network, algorithm=algorithm)


@pytest.mark.parametrize("name", files.builtin_names())
def test_the_experiments_of_the_package_are_sound(name, monkeypatch, tmp_path):
    monkeypatch.delenv("FOLKMOOT_DATA", raising=False)
    monkeypatch.setenv("FOLKMOOT_CACHE", str(tmp_path))
    made = plan(files.read(files.find(name)), tmp_path)
    assert made.name == name
    assert made.description
    assert made.replicates == 20


def test_the_demo_is_the_comparison_it_says(monkeypatch, tmp_path):
    monkeypatch.delenv("FOLKMOOT_DATA", raising=False)
    monkeypatch.setenv("FOLKMOOT_CACHE", str(tmp_path))
    made = plan(files.read(files.find("demo")), tmp_path)
    kinds = dict.fromkeys(type(cell.job.algorithm).__name__ for cell in made.cells)  # in their order, each once
    assert list(kinds) == ["FloodSE", "GSE", "DistUCB", "DrFedUCB", "CooperativeUCB", "CentralUCB", "UCB"]
    job = made.cells[0].job
    assert (job.rewards.n_agents, job.rewards.n_arms, job.horizon) == (20, 5, 10_000)
    assert set(dict(job.network.base.to_networkx().degree()).values()) == {4}
    assert job.network.link_probability == 0.9


def test_a_file_may_be_named_without_its_ending_when_a_folder_is_given():
    assert files.find("demo").name == "demo.toml"
    assert files.find("here/demo") == Path("here/demo")
    assert files.find("demo2.toml") == Path("demo2.toml")


# --- Hostile files ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (".".join("a" * 5_000) + " = 1", "nested more than 100 deep"),
        ("[" + ".".join("a" * 5_000) + "]", "nested more than 100 deep"),
        ("[chain]\nx = " + "{a = " * 120 + "1" + "}" * 120, "nested more than 100 deep"),
        ("seed = 0x" + "f" * 6_000, "an integer of more than 1024 bits"),
        ("seed = " + "9" * 5_000, "an integer of thousands of digits"),
    ],
)
def test_what_nobody_writes_is_refused_in_one_line(tmp_path, text, words):
    file = tmp_path / "hostile.toml"
    file.write_text(text)
    with pytest.raises(ValueError, match=words):
        files.read(file)


CHAIN = {"name": "x", "horizon": 12, "rewards": {"type": "bernoulli", "means": [0.9, 0.5], "n_agents": 4}}


@pytest.mark.parametrize("name", ["log.jsonl", "log.jsonl.lock", "RESULT.json", "curves.npz", "report.html", "n" * 201])
def test_a_ledger_has_no_name_of_another_file_of_the_results(name):
    """One called log.jsonl took the place of the log, and the run could not be resumed."""
    told = CHAIN | {"chain": {"fidelity": "protocol", "ledger": name}}
    with pytest.raises(ValueError, match=r"chain\.ledger = .*expected"):
        plan(told, Path("."))
    assert plan(told | {"chain": {"fidelity": "protocol", "ledger": "game.ledger"}}, Path("."))


@pytest.mark.parametrize("number", [2**31, 2**62, 10**26])
@pytest.mark.parametrize("means", [[0.9, 0.5], {"law": "uniform", "n_arms": 2}, {"law": "uniform", "n_agents": 4}])
def test_more_agents_or_arms_than_have_numbers_are_refused_by_name(number, means):
    rewards = {"type": "bernoulli", "means": means, "n_agents": number}
    if isinstance(means, dict):
        key = "n_arms" if "n_agents" in means else "n_agents"
        rewards = {"type": "bernoulli", "means": {**means, key: number}}
    with pytest.raises(ValueError, match=r"n_(agents|arms) = \d+: expected at most 2147483647"):
        plan(CHAIN | {"rewards": rewards, "chain": {}}, Path("."))


def test_a_name_no_folder_can_have_leaves_no_folder():
    with pytest.raises(ValueError, match="expected at most 200"):
        plan(document(name="n" * 300), Path("."))


@pytest.mark.parametrize("document", [{"name": "x"}, {"name": "x", "horizon": 5, "rewards": {"type": "bernoulli"}}])
def test_a_file_that_says_nothing_of_what_to_play(tmp_path, document):
    with pytest.raises(ValueError, match=r"\[network\] and \[\[algorithm\]\].*, \[chain\].* or \[consortium\]"):
        plan(document, tmp_path)


def test_names_that_are_cut_alike_are_numbered():
    kinds = [{"type": "bernoulli", "means": [[0.8] * 9 + [last]] * 3} for last in (0.1, 0.2)]
    first, second = [cell.name for cell in cells(rewards={"grid": kinds})]
    assert second == f"{first} (2)"


# --- What is kept on request --------------------------------------------------------------------------------


def test_states_pulls_by_agent_and_payment_are_kept_on_request():
    job = only(per_agent=True, realised=True, observe=["mean"])
    assert job.wanted == (("mean",), True, True)
    assert only().wanted == ((), False, False)
    assert job.key() != only().key()


def test_an_algorithm_may_have_states_of_its_own():
    both = [{"type": "ucb", "observe": ["mean", "pulls"]}, {"type": "gse"}, {"type": "ucb", "name": "B", "observe": []}]
    made = cells(observe=["gossip"], algorithm=both)
    assert [cell.job.wanted.observe for cell in made] == [("mean", "pulls"), ("gossip",), ()]
    assert "observe" not in made[0].job.configuration()["algorithm"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"observe": ["gossip"]}, r"^algorithm\[0\]: observe = 'gossip': unknown; .*allowed are pulls, mean, "),
        ({"observe": "mean"}, r"^observe = 'mean': expected a list$"),
        ({"per_agent": 1}, r"^per_agent = 1: expected true or false$"),
        ({"realised": "no"}, r"^realised = 'no': expected true or false$"),
        ({"algorithm": [{"type": "ucb", "observe": "mean"}]}, r"^algorithm\[0\]\.observe = 'mean': expected a list"),
    ],
)
def test_what_cannot_be_kept_is_named_with_its_place(changes, said):
    with pytest.raises(ValueError, match=said):
        cells(**changes)


def test_a_type_that_is_no_text_gets_no_guess():
    for table in ("rewards", "network"):
        with pytest.raises(ValueError, match=rf"^{table}\.type = 3: expected text in quotes; allowed are "):
            cells(**{table: {"type": 3}})
    with pytest.raises(ValueError, match=r"^algorithm\[0\]\.type = 3: expected text in quotes; allowed are "):
        cells(algorithm=[{"type": 3}])


def test_a_grid_stands_alone():
    with pytest.raises(ValueError, match=r"^network\.link_probability: field 'x' beside grid: expected grid alone$"):
        expand({"network": {"link_probability": {"grid": [0.9], "x": 1}}})
