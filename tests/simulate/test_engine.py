"""The loop: held against a plain Python simulator, and its line to the world outside."""

from math import inf, log, sqrt
from typing import NamedTuple

import networkx as nx
import numpy as np
import pytest

from folkmoot import GSE, UCB, Bernoulli, ErdosRenyi, Static, simulate
from folkmoot.coins import REWARD, replicate_coins, uniform
from folkmoot.interface import Honest, implements
from folkmoot.simulation import engine
from folkmoot.simulation.compiled import loop
from folkmoot.simulation.engine import Control, World
from folkmoot.simulation.simulate import make_job
from folkmoot.simulation.tally import blank_tally

MEANS = np.array([[0.2, 0.5, 0.8, 0.4], [0.9, 0.1, 0.6, 0.4], [0.3, 0.3, 0.3, 0.4]])
TRIANGLE = ErdosRenyi(nx.complete_graph(3), 0.7)


def run(algorithm, rewards, network, replicates=2, horizon=120, name="compiled", seed=3):
    """One call of the loop, without the layers above it."""
    job = make_job(algorithm, rewards, network, horizon=horizon, seed=seed)
    records = (job.params(), job.world())
    return play(loop(name, records), *records, replicates, job.checkpoints, seed)


def play(function, params, world, replicates, checkpoints, seed=3, stop=None):
    n, k = params.n_agents, params.n_arms
    tally = blank_tally(replicates, n, k, len(checkpoints))
    stop = np.zeros(1, np.bool_) if stop is None else stop
    control = Control(np.zeros(1, np.int64), np.zeros(replicates, np.bool_), stop)
    function(params, world, 0, seed, 0, np.arange(replicates), checkpoints, tally, control)
    return tally, control


# --- A twin in plain Python -----------------------------------------------------------------------------


def lone_ucb(means, horizon, seed, replicate, exploration=2.0):
    """The arms every agent pulls, round by round: lists, sums of rewards, no record and no array."""
    coins = replicate_coins(seed, 0, replicate)
    history = []
    count = [[0] * len(row) for row in means]
    mean = [[0.0] * len(row) for row in means]
    for t in range(1, horizon + 1):
        arms = []
        for i, row in enumerate(means):
            unpulled = [k for k in range(len(row)) if count[i][k] == 0]
            width = sqrt(exploration * log(t))
            index = [m + width * (1 / sqrt(n)) if n else inf for m, n in zip(mean[i], count[i], strict=True)]
            arm = unpulled[0] if unpulled else index.index(max(index))
            reward = 1.0 if uniform(coins, REWARD, t, i, arm) < row[arm] else 0.0
            count[i][arm] += 1
            mean[i][arm] += (reward - mean[i][arm]) / count[i][arm]
            arms.append(arm)
        history.append(arms)
    return history


@pytest.mark.parametrize("name", ["interpreted", "compiled"])
def test_a_lone_ucb_pulls_what_plain_python_pulls(name):
    tally, _ = run(UCB(), Bernoulli(MEANS), TRIANGLE, replicates=3, name=name)
    for r in range(3):
        history = np.array(lone_ucb(MEANS.tolist(), 120, 3, r))
        expected = [np.bincount(history[:, i], minlength=4) for i in range(3)]
        assert (tally.pulls[r] == expected).all()


def test_regret_equals_a_recomputation_from_the_history():
    result = simulate(UCB(), Bernoulli(MEANS), TRIANGLE, horizon=120, replicates=2, seed=3)
    overall = [sum(MEANS[i][k] for i in range(3)) / 3 for k in range(4)]
    for r in range(2):
        regret, curve = 0.0, []
        for arms in lone_ucb(MEANS.tolist(), 120, 3, r):
            regret += sum(max(overall) - overall[arm] for arm in arms)
            curve.append(regret)
        expected = [curve[t - 1] for t in result.checkpoints]
        np.testing.assert_allclose(result.regret[r], expected, rtol=1e-12)


# --- Tallies --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", [UCB(), GSE()])
def test_team_pulls_are_the_pulls_of_all_agents(algorithm):
    tally, _ = run(algorithm, Bernoulli(MEANS), TRIANGLE)
    assert (tally.team_pulls[:, -1] == tally.pulls.sum(axis=1)).all()
    assert (np.diff(tally.team_pulls, axis=1) >= 0).all()
    assert (tally.pulls.sum(axis=2) == 120).all()


def test_team_pulls_at_a_checkpoint_are_those_of_a_shorter_game():
    """UCB does not know the horizon, so the game up to a checkpoint is the game that ends there."""
    long, _ = run(UCB(), Bernoulli(MEANS), TRIANGLE, horizon=120)
    rounds = make_job(UCB(), Bernoulli(MEANS), TRIANGLE, horizon=120).checkpoints
    middle = len(rounds) // 2
    short, _ = run(UCB(), Bernoulli(MEANS), TRIANGLE, horizon=int(rounds[middle]))
    assert (long.team_pulls[:, middle] == short.team_pulls[:, -1]).all()


def test_messages_are_counted_at_both_ends_of_every_link():
    tally, _ = run(UCB(), Bernoulli(MEANS), Static(nx.path_graph(3)))
    assert (tally.sent == 2 * 2 * 120).all()


def test_rounds_and_finished_replicates_are_reported():
    _, control = run(UCB(), Bernoulli(MEANS), TRIANGLE, replicates=2)
    assert control.rounds[0] == 240
    assert control.done.all()


# --- Stopping ---------------------------------------------------------------------------------------------


class Stopper(NamedTuple):
    """An algorithm that raises the stop flag in round 5 of the second replicate."""

    n_agents: int
    n_arms: int
    starts: np.ndarray  # int64 [1], replicates begun
    stop: np.ndarray  # bool [1], the loop's own flag


@implements(Stopper)
def init(params):
    params.starts[0] += 1
    return params


@implements(Stopper)
def select(params, state, i, t, coins):
    if params.starts[0] == 2 and t == 5:
        params.stop[0] = True
    return 0


@pytest.mark.parametrize("name", ["interpreted", "compiled"])
def test_the_stop_flag_ends_the_loop_after_the_round(name):
    stop = np.zeros(1, np.bool_)
    params = Stopper(3, 4, np.zeros(1, np.int64), stop)
    records = (params, World(Bernoulli(MEANS).record(), TRIANGLE.record(), Honest(0.0), 0))
    tally, control = play(loop(name, records), *records, 3, np.array([4, 20]), stop=stop)
    assert control.rounds[0] == 20 + 5
    assert control.done.tolist() == [True, False, False]
    assert tally.pulls[1].sum() == 3 * 5
    assert not tally.pulls[2].any()


def test_the_interpreted_loop_is_the_text_itself():
    assert loop("interpreted", ()) is engine.play


def test_another_engine_is_refused():
    with pytest.raises(ValueError, match=r"^engine = 'fast': allowed are 'compiled' and 'interpreted'$"):
        loop("fast", ())
