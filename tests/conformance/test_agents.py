"""Every algorithm, one machine an agent, on a network in memory: arm for arm what the compiled loop plays."""

from typing import Any

import networkx as nx
import numpy as np
import pytest
from cases import ALIKE, CASES, DIFFERENT, Case, complete

import folkmoot as fm
from folkmoot.algorithms import wire
from folkmoot.coins import seed_words
from folkmoot.interface import IMPLEMENTATIONS, late_outbox, outbox
from folkmoot.simulation.agents import Agents
from folkmoot.simulation.compiled import loop
from folkmoot.simulation.engine import Control, play
from folkmoot.simulation.parts import Parts
from folkmoot.simulation.replicates import Job
from folkmoot.simulation.simulate import make_job
from folkmoot.simulation.tally import blank_tally

ROUNDS, HORIZON = 60, 400
RUNNABLE = [case for case in CASES if not case.oracle]
every_algorithm = pytest.mark.parametrize("case", RUNNABLE, ids=[case.name for case in RUNNABLE])

WORLDS = {
    "complete, p = .7": lambda: complete(6, 0.7),
    "ring, always up": lambda: fm.ErdosRenyi(nx.cycle_graph(6), 1.0),
    "block model": lambda: fm.StochasticBlockModel([0, 0, 1, 1, 2, 2], within=0.9, across=0.4),
}


def job_of(case: Case, world: str, corruption: fm.Suppress | None = None) -> Job:
    algorithm = case.algorithm
    if isinstance(algorithm, fm.GSE) and algorithm.link_probability is None and world == "block model":
        algorithm = algorithm.model_copy(update={"link_probability": 0.5})  # there is no constant one
    means = DIFFERENT if case.copes_with_different_means else ALIKE
    rewards = fm.Bernoulli(means, n_agents=6) if means.ndim == 1 else fm.Bernoulli(means)
    more: dict[str, Any] = {"verification": case.verification} if case.verification else {}
    if world == "block model":
        more |= {"engine": "interpreted"}  # the same arms, and nothing more to compile
    return make_job(algorithm, rewards, WORLDS[world](), horizon=HORIZON, seed=17, corruption=corruption, **more)


def arms_of_the_loop(job: Job, replicate: int, rounds: int) -> np.ndarray:
    """int64 [rounds, n_agents]: of the loop, compiled or interpreted as the job says."""
    if job.engine == "compiled":
        return compiled_arms(job, replicate, rounds)
    parts, arms = Parts(job, replicate), []
    for t in range(1, rounds + 1):
        before = parts.tally.pulls[0].copy()
        parts.play(t)
        arms.append((parts.tally.pulls[0] - before).argmax(axis=1))
    return np.array(arms)


def compiled_arms(job: Job, replicate: int, rounds: int) -> np.ndarray:
    """The compiled loop, stopped after every number of rounds."""
    params, world = job.params(), job.world()
    function = loop("compiled", (params, world))
    n, k = job.rewards.n_agents, job.rewards.n_arms
    before, arms = np.zeros((n, k), np.int64), []
    for t in range(1, rounds + 1):
        tally = blank_tally(1, n, k, 1)
        control = Control(np.zeros(1, np.int64), np.zeros(1, np.bool_), np.zeros(1, np.bool_))
        numbers = np.array([replicate], np.int64)
        function(params, world, 0, *seed_words(job.seed), numbers, np.array([t]), tally, control)
        arms.append((tally.pulls[0] - before).argmax(axis=1))
        assert (tally.pulls[0] - before).sum() == n
        before = tally.pulls[0]
    return np.array(arms)


POISON = {"f": np.nan, "b": True, "i": -99}  # no number; no arm, and no count


def poison(record: Any, i: int) -> None:
    """All rows but agent i's."""
    for column in record:
        column[np.arange(len(column)) != i] = POISON[column.dtype.kind]


def is_poisoned(record: Any, i: int) -> bool:
    rows = [np.delete(column, i, axis=0) for column in record]
    return all(np.array_equal(row, np.full_like(row, POISON[row.dtype.kind]), row.dtype.kind == "f") for row in rows)


def machine_arms(job: Job, replicate: int, rounds: int) -> np.ndarray:
    """The same, played by machines whose memory holds nothing of others but what these have sent in this round."""
    game = Agents(job, replicate)
    agents = [host.machine for host in game.hosts]
    arms = []
    for agent in agents:
        poison(agent.learner.state, agent.learner.index)
        poison(agent.learner.seen, agent.learner.index)
    for _ in range(rounds):
        for agent in agents:
            for box in agent.learner.boxes:
                poison(box, agent.learner.index)
        game.play_round()
        arms.append([agent.arm for agent in agents])
    for agent in agents:
        assert is_poisoned(agent.learner.state, agent.learner.index), "a row of somebody else was written"
        assert is_poisoned(agent.learner.seen, agent.learner.index)
    assert (game.pulls.sum(axis=1) == rounds).all()
    return np.array(arms)


@every_algorithm
@pytest.mark.parametrize("world", WORLDS)
def test_machines_play_the_arms_of_the_loop(case: Case, world: str) -> None:
    job = job_of(case, world)
    assert (machine_arms(job, 1, ROUNDS) == arms_of_the_loop(job, 1, ROUNDS)).all()


@pytest.mark.parametrize("what", ["reads a neighbour's state", "writes a neighbour's state", "reads who did not send"])
def test_an_algorithm_that_cheats_is_caught(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Breaks the rule: in one program nobody would notice."""
    job = job_of(next(case for case in RUNNABLE if case.name == "GSE"), "complete, p = .7")
    record = type(job.params())
    honest = IMPLEMENTATIONS[record, "update"]

    def update(params: Any, state: Any, i: Any, t: Any, seen: Any, inbox: Any, neighbours: Any, coins: Any) -> None:
        honest(params, state, i, t, seen, inbox, neighbours, coins)
        other = (i + 1) % params.n_agents
        if what == "reads a neighbour's state":
            state.gossip[i, 0] += 0.5 * state.pulls[other, 0]
        elif what == "writes a neighbour's state":
            state.pulls[other, 0] += 1
        else:
            for j in range(params.n_agents):
                state.gossip[i, 0] += 0.1 * inbox.gossip[j, 0]

    in_one_program = interpreted_arms(job, update, monkeypatch)
    monkeypatch.setitem(IMPLEMENTATIONS, (record, "update"), update)
    with pytest.raises((AssertionError, ValueError)):  # other arms, a row written, or no number to be sent
        assert (machine_arms(job, 0, ROUNDS) == in_one_program).all()


def interpreted_arms(job: Job, update: Any, monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    """The arms of the interpreted loop with this update."""
    arms = np.zeros((ROUNDS, job.rewards.n_agents), np.int64)
    record = type(job.params())
    with monkeypatch.context() as patch:
        choose = IMPLEMENTATIONS[record, "select"]

        def select(params: Any, state: Any, i: Any, t: Any, coins: Any) -> Any:
            arms[t - 1, i] = choose(params, state, i, t, coins)
            return arms[t - 1, i]

        patch.setitem(IMPLEMENTATIONS, (record, "update"), update)
        patch.setitem(IMPLEMENTATIONS, (record, "select"), select)
        tally = blank_tally(1, job.rewards.n_agents, job.rewards.n_arms, 1)
        control = Control(np.zeros(1, np.int64), np.zeros(1, np.bool_), np.zeros(1, np.bool_))
        words = seed_words(job.seed)
        play(job.params(), job.world(), 0, *words, np.array([0]), np.array([ROUNDS]), tally, control)
    return arms


@pytest.mark.parametrize("case", [c for c in RUNNABLE if c.verification], ids=lambda case: case.name)
def test_with_an_adversary_and_verified_pulls_too(case: Case) -> None:
    job = job_of(case, "complete, p = .7", fm.Suppress(budget=30))
    assert (machine_arms(job, 0, ROUNDS) == compiled_arms(job, 0, ROUNDS)).all()


def test_vectors_of_rewards_too() -> None:
    means = np.array([[0.2, 0.9], [0.8, 0.7], [0.5, 0.1]])
    rewards = fm.VectorBernoulli(means, fm.Chebyshev(), n_agents=6)
    job = make_job(fm.S1(radius="naive"), rewards, complete(6, 0.7), horizon=HORIZON, seed=5)
    assert (machine_arms(job, 0, ROUNDS) == compiled_arms(job, 0, ROUNDS)).all()


@every_algorithm
def test_messages_survive_the_wire(case: Case) -> None:
    """Any row, to the last bit, whatever the numbers are."""
    params = job_of(case, "complete, p = .7").params()
    boxes = outbox(params), late_outbox(params)
    dice = np.random.default_rng(1)
    for exchange, box in enumerate(boxes):
        for column in box:
            if column.dtype.kind == "f":
                column[:] = dice.standard_normal(column.shape) * 10.0 ** dice.integers(-300, 30, column.shape)
            else:
                column[:] = dice.integers(0, 2 if column.dtype.kind == "b" else 2**62, column.shape)
        data = wire.pack(12, exchange, box, 3)
        message = wire.unpack(data, boxes, wire.limits(boxes))
        assert (message.round, message.exchange) == (12, exchange)
        target = type(box)(*(np.zeros_like(column) for column in box))
        wire.write(target, 5, message)
        for before, after in zip(box, target):
            assert before[3].tobytes() == after[5].tobytes()
            assert before.dtype == after.dtype


def test_an_algorithm_that_never_says_anything_sends_nothing() -> None:
    game = Agents(job_of(RUNNABLE[0], "complete, p = .7"))
    assert len(game.hosts[0].machine.stages) == 3
    assert all(stage.messages == 0 for stage in game.hosts[0].machine.stages)
    game.play(5)
    assert not any(game._under_way)
