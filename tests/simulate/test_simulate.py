"""simulate(): what it refuses, and that neither workers nor engine nor grouping change the result."""

import networkx as nx
import numpy as np
import pytest

import folkmoot as fm
from folkmoot.simulation import replicates as runner

MEANS = [[0.2, 0.5, 0.8], [0.9, 0.1, 0.6], [0.3, 0.3, 0.3], [0.5, 0.6, 0.7]]
REWARDS = fm.Bernoulli(MEANS)
NETWORK = fm.ErdosRenyi(nx.cycle_graph(4), 0.7)


def simulate(algorithm=None, rewards=REWARDS, network=NETWORK, **options):
    options = {"horizon": 60, "progress": False, **options}
    return fm.simulate(algorithm or fm.GSE(), rewards, network, **options)


# --- Refusals ---------------------------------------------------------------------------------------------

REFUSED = {
    "algorithm a class": ({"algorithm": fm.UCB}, r"^algorithm = the class UCB: expected an algorithm"),
    "algorithm a name": ({"algorithm": "gse"}, r"^algorithm = str: expected an algorithm"),
    "rewards a table": ({"rewards": MEANS}, r"^rewards = list: expected a reward law"),
    "network a graph": ({"network": nx.cycle_graph(4)}, r"^network = Graph: expected a network"),
    "engine": ({"engine": "fast"}, r"^engine = 'fast': allowed are 'compiled' and 'interpreted'$"),
    "horizon 0": ({"horizon": 0}, r"^horizon = 0: expected an integer"),
    "horizon negative": ({"horizon": -5}, r"^horizon = -5: expected an integer"),
    "horizon a float": ({"horizon": 60.0}, r"^horizon = 60\.0: expected an integer"),
    "horizon a bool": ({"horizon": True}, r"^horizon = True: expected an integer"),
    "horizon a word": ({"horizon": "60"}, r"^horizon = '60': expected an integer"),
    "horizon 2**32": ({"horizon": 2**32}, r"^horizon = 4294967296: expected an integer"),
    "horizon below arms": ({"horizon": 2}, r"^horizon = 2: expected at least the number of arms, 3$"),
    "replicates 0": ({"replicates": 0}, r"^replicates = 0: expected an integer"),
    "replicates a float": ({"replicates": 1.5}, r"^replicates = 1\.5: expected an integer"),
    "seed negative": ({"seed": -1}, r"^seed = -1: expected an integer"),
    "seed 2**64": ({"seed": 2**64}, r"^seed = 18446744073709551616: expected an integer"),
    "seed a float": ({"seed": 0.5}, r"^seed = 0\.5: expected an integer"),
    "seed nothing": ({"seed": None}, r"^seed = None: expected an integer"),
    "checkpoints empty": ({"checkpoints": []}, r"^checkpoints.*: expected increasing rounds"),
    "checkpoints from 0": ({"checkpoints": [0, 60]}, r"^checkpoints.*: expected increasing rounds"),
    "checkpoints too short": ({"checkpoints": [10, 50]}, r"^checkpoints.*horizon 60$"),
    "checkpoints beyond": ({"checkpoints": [10, 61]}, r"^checkpoints.*horizon 60$"),
    "checkpoints falling": ({"checkpoints": [20, 10, 60]}, r"^checkpoints.*: expected increasing rounds"),
    "checkpoints twice": ({"checkpoints": [10, 10, 60]}, r"^checkpoints.*: expected increasing rounds"),
    "checkpoints a word": ({"checkpoints": ["first", 60]}, r"^checkpoints.*: expected increasing rounds"),
    "checkpoints a fraction": ({"checkpoints": [1.5, 60]}, r"^checkpoints.*: expected increasing rounds"),
    "jobs 0": ({"jobs": 0}, r"^jobs = 0: expected an integer of at least 1$"),
    "jobs a float": ({"jobs": 2.0}, r"^jobs = 2\.0: expected an integer of at least 1$"),
    "jobs a bool": ({"jobs": True}, r"^jobs = True: expected an integer of at least 1$"),
    "backend": ({"backend": "threads"}, r"^backend = 'threads': allowed are None, 'dask' and 'ray'$"),
    "agents differ": (
        {"network": fm.Static(nx.path_graph(5))},
        r"^rewards are for 4 agents, the network has 5: expected the same number$",
    ),
    "corruption a class": (
        {"corruption": fm.Suppress},
        r"^corruption = the class Suppress: expected an adversary such as ",
    ),
    "corruption a budget": (
        {"corruption": 100},
        r"^corruption = int: expected an adversary such as folkmoot\.Suppress",
    ),
    "an adversary and rewards without bounds": (
        {"corruption": fm.Suppress(budget=1), "rewards": fm.Gaussian(MEANS)},
        r"^Suppress: expected rewards from 0 to 1; these may lie outside$",
    ),
    "an adversary of an arm that is not there": (
        {"corruption": fm.Suppress(budget=1, target=3)},
        r"^Suppress: target = 3: expected an arm from 0 to 2, or 'best', 'second', 'worst'$",
    ),
    "verification negative": (
        {"verification": -1},
        r"^verification = -1: expected a number of pulls from 0 to .* = 240$",
    ),
    "verification of more than there is": ({"verification": 241}, r"^verification = 241: expected .* = 240$"),
    "verification a fraction": ({"verification": 2.5}, r"^verification = 2\.5: expected a number of pulls from 0 to "),
    "verification NaN": ({"verification": np.nan}, r"^verification = nan: expected a number of pulls from 0 to "),
    "verification a word": ({"verification": "all"}, r"^verification = 'all': expected a number of pulls from 0 to "),
    "verification a bool": ({"verification": True}, r"^verification = True: expected a number of pulls from 0 to "),
    "vectors for an algorithm of single rewards": (
        {"rewards": fm.VectorBernoulli([[0.5, 0.5], [0.1, 0.2]], fm.Chebyshev(), n_agents=4)},
        r"^GSE: learns from single rewards, got vectors of 2 \(S1 to S3 and layered elimination take those\)$",
    ),
    "refused by the algorithm": (
        {"network": fm.Static(nx.empty_graph(4))},
        r"^base graph: GSE expects a connected one",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_input_is_refused_in_one_line(case):
    options, message = REFUSED[case]
    with pytest.raises(ValueError, match=message) as caught:
        simulate(**options)
    assert "\n" not in str(caught.value)


# --- Same seed, same result -------------------------------------------------------------------------------

COUNTS = ("checkpoints", "team_pulls", "pulls", "messages", "bytes", "regret")


def same(one, other):
    return all((getattr(one, name) == getattr(other, name)).all() for name in COUNTS)


@pytest.fixture(scope="module", params=[fm.UCB(), fm.GSE()], ids=lambda algorithm: algorithm.label)
def algorithm(request):
    return request.param


@pytest.fixture(scope="module")
def reference(algorithm):
    return simulate(algorithm, replicates=5, seed=8)


@pytest.mark.parametrize("jobs", [1, 2, 3])
@pytest.mark.parametrize("engine", ["compiled", "interpreted"])
def test_neither_jobs_nor_engine_change_the_result(algorithm, reference, jobs, engine):
    assert same(simulate(algorithm, replicates=5, seed=8, jobs=jobs, engine=engine), reference)


def test_a_replicate_does_not_depend_on_how_many_there_are(algorithm, reference):
    fewer = simulate(algorithm, replicates=2, seed=8)
    assert (fewer.team_pulls == reference.team_pulls[:2]).all()


def test_replicates_differ_and_so_do_seeds_in_both_words():
    games = [simulate(fm.UCB(), replicates=5, seed=seed).pulls for seed in (8, 9, 8 + 2**32)]
    assert len({replicate.tobytes() for game in games for replicate in game}) == 15


def test_batches_cut_small_change_nothing(algorithm, reference, monkeypatch):
    monkeypatch.setattr(runner, "_BATCH_STEPS", 1)
    assert same(simulate(algorithm, replicates=5, seed=8, jobs=2), reference)


def test_many_agents_take_the_parallel_loop_and_get_the_same(algorithm, reference, monkeypatch):
    monkeypatch.setattr(runner, "_MANY_AGENTS", 2)
    assert same(simulate(algorithm, replicates=5, seed=8, jobs=2), reference)


# --- Checkpoints ------------------------------------------------------------------------------------------


def test_default_checkpoints_are_log_spaced_from_the_first_round_to_the_horizon():
    rounds = simulate(algorithm=fm.UCB(), horizon=10_000).checkpoints
    assert rounds[0] == 1
    assert rounds[-1] == 10_000
    assert 100 < len(rounds) <= 200
    assert (np.diff(rounds) > 0).all()
    late = rounds[rounds > 100]
    np.testing.assert_allclose(late[1:] / late[:-1], 10_000 ** (1 / 199), atol=0.02)


def test_the_shortest_horizon_has_a_checkpoint():
    result = simulate(rewards=fm.Bernoulli([[0.5]] * 4), horizon=1)
    assert result.checkpoints.tolist() == [1]
    assert result.pulls.tolist() == [[[1]] * 4]


@pytest.mark.parametrize("checkpoints", [[60], [1, 2, 3, 60], range(1, 61), np.array([7, 60], np.int32)])
def test_given_checkpoints_are_kept_and_do_not_change_the_game(algorithm, reference, checkpoints):
    result = simulate(algorithm, replicates=5, seed=8, checkpoints=checkpoints)
    assert result.checkpoints.tolist() == list(checkpoints)
    assert (result.pulls == reference.pulls).all()
    at = np.isin(reference.checkpoints, result.checkpoints)
    shared = np.isin(result.checkpoints, reference.checkpoints)
    assert (result.team_pulls[:, shared] == reference.team_pulls[:, at]).all()


# --- What a result says about its origin ------------------------------------------------------------------


def test_the_configuration_is_enough_to_repeat_the_run():
    configuration = simulate(fm.GSE(), replicates=5, seed=8).configuration
    assert configuration["algorithm"]["type"] == "GSE"
    assert configuration["rewards"]["means"] == MEANS
    assert configuration["network"]["link_probability"] == 0.7
    assert len(configuration["network"]["edge_list"]) == 4
    assert (configuration["horizon"], configuration["seed"]) == (60, 8)
    assert configuration["replicates"] == [0, 1, 2, 3, 4]
    assert not {"corruption", "verification"} & set(configuration)


def test_the_configuration_names_the_adversary_and_what_may_be_verified():
    result = simulate(fm.UCB(), corruption=fm.Swap(budget=7, decoy=0), verification=9, engine="interpreted")
    said = {"type": "Swap", "budget": 7.0, "spending": "front_loaded", "target": "best", "decoy": 0}
    assert result.configuration["corruption"] == said
    assert result.configuration["verification"] == 9


def test_as_many_pulls_may_be_verified_as_there_are():
    assert simulate(fm.UCB(), verification=240, engine="interpreted").verified.tolist() == [0]
