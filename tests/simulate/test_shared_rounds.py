"""Agents of a round in several threads: the same to the last bit, errors and stops that leave nobody waiting."""

import hashlib
import threading
from typing import NamedTuple

import networkx as nx
import numpy as np
import pytest

import folkmoot as fm
from folkmoot.algorithms.base import Algorithm, Problem
from folkmoot.interface import implements
from folkmoot.simulation.cells import new_control
from folkmoot.simulation.crew import let_go, take, together
from folkmoot.simulation.replicates import Job, run_batch
from folkmoot.simulation.simulate import make_job
from folkmoot.simulation.turns import each, gather, release, strayed

N, K = 12, 4
UP, DOWN = np.linspace(0.1, 0.9, K), np.linspace(0.9, 0.1, K)
MEANS = fm.Bernoulli(UP, n_agents=N)
MOVING = fm.Drifting(MEANS, fm.Bernoulli(DOWN, n_agents=N), 60)
VECTORS = fm.VectorBernoulli(np.stack([UP, DOWN], 1), fm.Chebyshev(), n_agents=N)
COMPLETE = fm.ErdosRenyi(nx.complete_graph(N), 0.8)
GRID = fm.ErdosRenyi(nx.grid_2d_graph(3, 4), 0.8)
FIELDS = ("pulls", "team_pulls", "messages", "bytes", "verified", "spent", "decisions", "decided_at")


def digest(job: Job, threads: int) -> str:
    """Of all that two replicates come to, and of what is kept on request."""
    found = hashlib.sha256()
    for outcome in run_batch(job, [0, 3], threads):
        for name in FIELDS:
            found.update(np.ascontiguousarray(getattr(outcome, name)).tobytes())
        for name in sorted(outcome.more):
            found.update(np.ascontiguousarray(outcome.more[name]).tobytes())
    return found.hexdigest()


GAMES = {
    "two exchanges, on request": (fm.GSE(), MEANS, GRID, {"per_agent": True, "realised": True}),
    "late outcomes, absent agents, liars": (
        fm.DrFedUCB(), MEANS, COMPLETE,
        {
            "feedback": fm.Feedback(delay="geometric", mean=3.0, loss=0.1),
            "presence": fm.Presence(probability=0.9),
            "liars": fm.Liars([1, 7], "promote"),
        },
    ),
    "means that move, verified pulls, an adversary": (
        fm.S1(), MOVING, COMPLETE, {"corruption": fm.Suppress(budget=30), "verification": 40},
    ),
    "clusters, a block model": (fm.UCBSBM(), MEANS, fm.StochasticBlockModel([0, 1] * (N // 2), 0.8, 0.2), {}),
    "a record in a record": (fm.S1(), VECTORS, COMPLETE, {}),
    "an oracle": (fm.CentralUCB(), MEANS, COMPLETE, {}),
}  # fmt: skip


@pytest.mark.parametrize("name", GAMES)
def test_any_number_of_threads_gives_the_same(name):
    algorithm, rewards, network, more = GAMES[name]
    job = make_job(algorithm, rewards, network, horizon=150, checkpoints=[10, 77, 150], **more)
    alone = digest(job, 1)
    assert [digest(job, threads) for threads in (2, 3, 2 * N)] == [alone] * 3


# --- Ends ---------------------------------------------------------------------------------------------


class Ending(Algorithm):
    """Ends in round 5 by what it is told to."""

    how: str

    def params(self, problem: Problem) -> "Params":
        how = ("error", "astray", "stop").index(self.how)
        return Params(problem.n_agents, problem.n_arms, how, STOP)


class Params(NamedTuple):
    n_agents: int
    n_arms: int
    how: int
    stop: np.ndarray  # bool [1]


STOP = np.zeros(1, np.bool_)


@implements(Params)
def init(params):
    return params


@implements(Params)
def select(params, state, i, t, coins):
    if t == 5 and i % 3 == 1:
        if params.how == 0:
            raise OverflowError("round 5")
        if params.how == 1:
            return 90 + i
        params.stop[0] = True
    return 0


def ending(how, threads):
    """Two replicates that end, with a line to them: what finished, the line."""
    STOP[0] = False
    job = make_job(Ending(how=how), MEANS, COMPLETE, horizon=20)
    control = new_control(2)._replace(stop=STOP)
    return run_batch(job, [0, 1], threads, control), control


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_all_stop_after_the_same_round(threads):
    finished, control = ending("stop", threads)
    assert finished == []
    assert control.rounds[0] == 5
    assert not control.done.any()


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_the_last_agent_that_goes_astray_is_named(threads):
    with pytest.raises(ValueError, match=r"^Ending: select gave arm 100 for agent 10 in round 5; expected 0 to 3$"):
        ending("astray", threads)


@pytest.mark.parametrize("threads", [2, 3])
def test_an_error_of_one_thread_ends_all(threads):
    for _ in range(20):
        with pytest.raises(OverflowError, match="round 5"):
            ending("error", threads)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("folkmoot ")]


@pytest.mark.parametrize("failing", [0, 1, 2])
@pytest.mark.parametrize("after", [0, 1, 30])
def test_nobody_waits_for_a_thread_that_failed(failing, after):
    def play(crew):
        for t in range(1_000_000):
            if crew.number == failing and t == after:
                raise RuntimeError("gone")
            if gather(crew):
                if strayed(crew, crew.astray[0]):
                    crew.over[0] = True
                release(crew)
            if crew.over[0]:
                return

    with pytest.raises(RuntimeError, match="gone"):
        together(play, 3, N)


def test_a_system_without_more_threads_says_so(monkeypatch):
    begun, start = [], threading.Thread.start

    def start_some(thread):
        if len(begun) == 2:
            raise RuntimeError("can't start new thread")
        begun.append(thread)
        start(thread)

    def play(crew):
        let_go(int(crew.came[crew.number]))
        take(int(crew.go[crew.number]))

    monkeypatch.setattr(threading.Thread, "start", start_some)
    with pytest.raises(RuntimeError, match="can't start new thread"):
        together(play, 5, N)
    assert not any(thread.is_alive() for thread in begun)


# --- Which error ----------------------------------------------------------------------------------------


def test_of_two_errors_the_first_agents_is_raised():
    claimed = threading.Event()

    def play(crew):
        def body(low, high):
            claimed.set()
            raise RuntimeError(f"agent {low}")

        if crew.number == 0:
            claimed.wait()  # so that the other thread has the first agent
        each(crew, 2, body, ())

    for _ in range(5):
        claimed.clear()
        with pytest.raises(RuntimeError, match="agent 0"):
            together(play, 2, 2)


def test_what_follows_from_an_error_is_not_raised():
    def play(crew):
        if crew.number == 1:
            raise RuntimeError("the reason")
        if gather(crew):
            raise RuntimeError("what follows")

    with pytest.raises(RuntimeError, match="the reason"):
        together(play, 2, N)


class Wrong(fm.Bernoulli):
    """Pays many agents what its range does not allow."""

    def record(self):
        return WrongRecord(self.means)


class WrongRecord(NamedTuple):
    means: np.ndarray


@implements(WrongRecord)
def pay(rewards, scene, i, arm, t, coins, reward):
    reward[i, 0] = 2.0 + i if t == 3 and i >= 7 else 0.5


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_a_law_that_pays_wrongly_is_told_of_the_first_agent(threads):
    n = 500
    job = make_job(fm.UCB(), Wrong(UP, n_agents=n), fm.Static(nx.empty_graph(n)), horizon=20)
    for _ in range(30):
        with pytest.raises(ValueError, match=r"^Wrong: pay gave 9 to agent 7 for arm \d in round 3; expected "):
            run_batch(job, [0], threads)
