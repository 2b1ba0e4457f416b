"""What every algorithm must do, whatever it thinks."""

import os
import subprocess
import sys
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from cases import ALIKE, CASES, DIFFERENT, Case, complete, problem
from own_loop import digests, rounds

import folkmoot as fm
from folkmoot import interface
from folkmoot.coins import replicate_coins
from folkmoot.conformance.rows import Rows
from folkmoot.interface import late_outbox, outbox

every_algorithm = pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
TALKERS = [case for case in CASES if case.talks_every_round]
BETTER_TOGETHER = [case for case in CASES if case.beats_being_alone]
# Agents in threads are the engine's matter and cost a compilation each; that no algorithm touches the row of another
# agent, which is what it takes, is asked of every one below. Others, GSE with its second exchange among them, are in
# tests/simulate/test_shared_rounds.py; here is one that draws coins in `update`, and one whose record holds another.
IN_PARALLEL = ("GoSInE, c1 = 0.5", "S3, naive")


def one_type() -> list[list[str]]:
    """Names of cases, those together whose records are of one type: one compilation serves them all."""
    types: dict[type, list[str]] = {}
    for case in CASES:
        params = case.algorithm.params(problem(case, fm.Bernoulli(DIFFERENT), complete(6, 0.6), 300))
        types.setdefault(type(params), []).append(case.name)
    return list(types.values())


ONE_TYPE = one_type()


@pytest.mark.parametrize("names", ONE_TYPE, ids=[names[0] for names in ONE_TYPE])
def test_compiled_it_is_bit_identical_and_stays_in_bounds(names: list[str]) -> None:
    """Compiled code reads garbage out of bounds without a word, unless asked to check: that needs another process."""
    script = Path(__file__).with_name("own_loop.py")
    paths = os.pathsep.join(filter(None, sys.path))
    environment = {**os.environ, "NUMBA_BOUNDSCHECK": "1", "FOLKMOOT_CACHE": os.devnull, "PYTHONPATH": paths}
    done = subprocess.run([sys.executable, script, *names], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    slow = [f"{case.name}\t{digests(case, rounds)}" for case in CASES if case.name in names]
    assert done.stdout.splitlines() == slow


@every_algorithm
def test_the_two_engines_agree(case: Case) -> None:
    world, more = (fm.Bernoulli(DIFFERENT), complete(6, 0.6)), case.verified(6, 300)
    a = fm.simulate(case.algorithm, *world, horizon=300, seed=11, engine="interpreted", replicates=2, **more)
    b = fm.simulate(case.algorithm, *world, horizon=300, seed=11, engine="compiled", replicates=2, **more)
    for field in ("pulls", "team_pulls", "messages", "bytes", "regret", "verified", "decisions", "decided_at"):
        assert getattr(a, field).tobytes() == getattr(b, field).tobytes(), field


@every_algorithm
def test_same_result_for_any_number_of_workers(case: Case) -> None:
    world, more = (fm.Bernoulli(DIFFERENT), complete(6)), {"replicates": 5, **case.verified(6, 500)}
    runs = [fm.simulate(case.algorithm, *world, horizon=500, seed=5, jobs=jobs, **more) for jobs in (1, 2, 3)]
    for other in runs[1:]:
        assert (other.pulls == runs[0].pulls).all()
        assert (other.team_pulls == runs[0].team_pulls).all()


@pytest.mark.parametrize("case", [case for case in CASES if case.name in IN_PARALLEL], ids=lambda case: case.name)
def test_agents_in_parallel_give_the_same(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    world, more = (fm.Bernoulli(DIFFERENT), complete(6)), case.verified(6, 200)
    one = fm.simulate(case.algorithm, *world, horizon=200, seed=5, **more)
    monkeypatch.setattr("folkmoot.simulation.replicates._MANY_AGENTS", 1)
    many = fm.simulate(case.algorithm, *world, horizon=200, seed=5, jobs=2, **more)
    assert (one.pulls == many.pulls).all()


@every_algorithm
def test_replicates_differ_and_seeds_differ(case: Case) -> None:
    world, more = (fm.Bernoulli(DIFFERENT), complete(6)), case.verified(6, 400)
    r = fm.simulate(case.algorithm, *world, horizon=400, seed=5, replicates=2, **more).pulls
    other = fm.simulate(case.algorithm, *world, horizon=400, seed=6, **more).pulls
    assert (r[0] != r[1]).any()
    assert (r[0] != other[0]).any()


@pytest.mark.parametrize("case", [c for c in CASES if not c.oracle], ids=[c.name for c in CASES if not c.oracle])
def test_an_agent_sees_its_row_and_its_inbox_only(case: Case) -> None:
    """Every function is called twice, once with all other rows poisoned: its own row must come out the same,
    and it may write to no other."""
    rewards, network = fm.Bernoulli(DIFFERENT), complete(6, 0.5)
    params = case.algorithm.params(problem(case, rewards, network, 200))
    Rows(params, rewards.record(), network.record(), replicate_coins(3, 0, 0)).check(60)


@every_algorithm
@pytest.mark.parametrize(
    ("n_agents", "n_arms", "network"),
    [
        (1, 3, fm.ErdosRenyi(nx.empty_graph(1), 1.0)),
        (3, 1, complete(3, 1.0)),
        (1, 1, fm.ErdosRenyi(nx.empty_graph(1), 1.0)),
        (4, 3, fm.ErdosRenyi(nx.path_graph(4), 1e-9)),
        (2, 2, fm.ErdosRenyi(nx.path_graph(2), 1.0)),
    ],
    ids=["one agent", "one arm", "one of each", "no links", "two of each"],
)
def test_survives_the_smallest_worlds(case: Case, n_agents: int, n_arms: int, network: fm.ErdosRenyi) -> None:
    rewards = fm.Bernoulli(np.linspace(0.9, 0.1, n_arms), n_agents=n_agents)
    for engine in ("interpreted", "compiled"):
        more = case.verified(n_agents, 100)
        result = fm.simulate(case.sized(n_agents), rewards, network, horizon=100, engine=engine, **more)
        assert (result.pulls.sum(axis=2) == 100).all()
        assert np.isfinite(result.regret).all()


@every_algorithm
def test_finds_the_arm_that_is_best_for_all(case: Case) -> None:
    """In the last half of the run at least 90 % of all pulls go to the best arm."""
    means = DIFFERENT if case.copes_with_different_means else np.tile(ALIKE, (6, 1))
    horizon = 40_000
    result = fm.simulate(
        case.algorithm,
        fm.Bernoulli(means),
        complete(6),
        horizon=horizon,
        replicates=3,
        checkpoints=[horizon // 2, horizon],
        **case.verified(6, horizon),
    )
    late = result.team_pulls[:, 1] - result.team_pulls[:, 0]
    assert (late[:, result.gaps == 0.0].sum(axis=1) >= 0.9 * 6 * horizon / 2).all()


@pytest.mark.parametrize("case", BETTER_TOGETHER, ids=[c.name for c in BETTER_TOGETHER])
def test_talking_beats_being_alone(case: Case) -> None:
    means = DIFFERENT if case.copes_with_different_means else np.tile(ALIKE, (6, 1))
    world = {"rewards": fm.Bernoulli(means), "network": complete(6), "horizon": 20_000, "replicates": 5}
    world |= case.verified(6, 20_000)
    assert fm.simulate(case.algorithm, **world).regret[:, -1].max() < fm.simulate(fm.UCB(), **world).regret[:, -1].min()


@pytest.mark.parametrize("case", TALKERS, ids=[c.name for c in TALKERS])
def test_bytes_are_the_message_times_the_links(case: Case) -> None:
    """Every exchange that carries anything carries one row of its record over every link, both ways."""
    network = fm.ErdosRenyi(nx.cycle_graph(6), 1.0)
    params = case.algorithm.params(problem(case, fm.Bernoulli(DIFFERENT), network, 50))
    rows = [b"".join(column[0].tobytes() for column in box) for box in (outbox(params), late_outbox(params))]
    result = fm.simulate(case.algorithm, fm.Bernoulli(DIFFERENT), network, horizon=50)
    assert result.messages[0] == 50 * 6 * 2 * sum(len(row) > 0 for row in rows)
    assert result.bytes[0] == 50 * 6 * 2 * sum(len(row) for row in rows)


@every_algorithm
def test_every_interface_function_is_named_as_the_interface_names_it(case: Case) -> None:
    params = type(case.algorithm.params(problem(case, fm.Bernoulli(DIFFERENT), complete(6), 100)))
    defined = {name for record, name in interface.IMPLEMENTATIONS if record is params}
    assert {"init", "select"} <= defined
    assert ("publish" in defined) == ("outbox" in defined)
    assert ("publish_late" in defined) == ("late_outbox" in defined) == ("update_late" in defined)
