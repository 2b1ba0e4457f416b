"""`fm.check_algorithm` names the first rule that an algorithm breaks."""

import random
from collections.abc import Callable
from typing import Any, NamedTuple

import networkx as nx
import numpy as np
import pytest

import folkmoot as fm
from folkmoot.algorithms.base import Problem
from folkmoot.conformance.check import _MEANS, RULES, _Broken, _compare, _World
from folkmoot.interface import IMPLEMENTATIONS, implements


class Means(fm.Algorithm):
    """Plays the best average of the neighbours' means."""

    def params(self, problem: Problem) -> "Params":
        return Params(problem.n_agents, problem.n_arms)


class Params(NamedTuple):
    n_agents: int
    n_arms: int


class State(NamedTuple):
    pulls: np.ndarray
    mean: np.ndarray
    opinion: np.ndarray


class Message(NamedTuple):
    mean: np.ndarray


@implements(Params)
def init(params):
    shape = (params.n_agents, params.n_arms)
    return State(np.zeros(shape, np.int64), np.zeros(shape), np.zeros(shape))


@implements(Params)
def outbox(params):
    return Message(np.zeros((params.n_agents, params.n_arms)))


@implements(Params)
def select(params, state, i, t, coins):
    if t <= params.n_arms:
        return t - 1
    best = 0
    for k in range(params.n_arms):
        if state.opinion[i, k] > state.opinion[i, best]:
            best = k
    return best


@implements(Params)
def publish(params, state, i, t, seen, outbox):
    for k in range(params.n_arms):
        outbox.mean[i, k] = state.mean[i, k]


@implements(Params)
def update(params, state, i, t, seen, inbox, neighbours, coins):
    k = seen.arm[i]
    if k >= 0:
        state.pulls[i, k] += 1
        state.mean[i, k] += (seen.reward[i, 0] - state.mean[i, k]) / state.pulls[i, k]
    for arm in range(params.n_arms):
        total = state.mean[i, arm]
        for j in neighbours:
            total += inbox.mean[j, arm]
        state.opinion[i, arm] = total / (len(neighbours) + 1)


def reads_a_state(params, state, i, t, seen, inbox, neighbours, coins):
    update(params, state, i, t, seen, inbox, neighbours, coins)
    state.opinion[i, 0] += state.mean[(i + 1) % params.n_agents, 0]


def writes_a_state(params, state, i, t, seen, inbox, neighbours, coins):
    update(params, state, i, t, seen, inbox, neighbours, coins)
    state.pulls[(i + 1) % params.n_agents, 0] += 1


def hears_everybody(params, state, i, t, seen, inbox, neighbours, coins):
    update(params, state, i, t, seen, inbox, neighbours, coins)
    for j in range(params.n_agents):
        state.opinion[i, 3] += inbox.mean[j, 3]


def learns_from_nothing(params, state, i, t, seen, inbox, neighbours, coins):
    update(params, state, i, t, seen, inbox, neighbours, coins)
    state.opinion[i, 1] += seen.reward[i, 0]


def tosses_numpy(params, state, i, t, coins):
    return int(np.random.randint(params.n_arms))


def tosses_python(params, state, i, t, coins):
    return random.randrange(params.n_arms)


def goes_astray(params, state, i, t, coins):
    return params.n_arms if t == 5 else 0


@pytest.mark.parametrize(
    ("name", "function", "rule", "how"),
    [
        ("select", goes_astray, "arms", "select gave arm 4 for agent 5 in round 5"),
        ("select", tosses_numpy, "chance", "two interpreted runs with one seed differ"),
        ("select", tosses_python, "chance", "two interpreted runs with one seed differ"),
        ("update", reads_a_state, "rows", "update of agent 0 in round 1 reads a row that it may not read"),
        ("update", writes_a_state, "rows", "update of agent 0 in round 1 writes to a row of somebody else"),
        ("update", hears_everybody, "rows", "reads a row that it may not read"),
    ],
)
def test_the_first_broken_rule_is_named(
    name: str, function: Callable[..., Any], rule: str, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(IMPLEMENTATIONS, (Params, name), function)
    with pytest.raises(ValueError, match="breaks the rule") as caught:
        fm.check_algorithm(Means())
    assert str(caught.value).startswith(f"Means breaks the rule {rule!r} ({RULES[rule]}): ")
    assert how in str(caught.value)


def world() -> _World:
    return _World(Means(), fm.Bernoulli(_MEANS), fm.ErdosRenyi(nx.cycle_graph(6), 0.8), 60, 0)


@pytest.mark.parametrize(("rule", "function"), [("late", learns_from_nothing), ("wire", hears_everybody)])
def test_a_rule_by_itself(rule: str, function: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(IMPLEMENTATIONS, (Params, "update"), function)
    with pytest.raises(_Broken):
        getattr(world(), rule)()


def test_the_honest_one_keeps_what_needs_no_compiler() -> None:
    for rule in ("arms", "chance", "rows", "wire"):
        getattr(world(), rule)()


def test_results_that_differ_are_told_apart() -> None:
    options = {"horizon": 30, "engine": "interpreted", "progress": False}
    place = fm.Bernoulli(_MEANS), fm.Static(nx.cycle_graph(6))
    one, other = (fm.simulate(fm.UCB(), *place, seed=seed, **options) for seed in (1, 2))
    _compare(one, one, "")
    with pytest.raises(_Broken, match=r"^the engines differ, in pulls$"):
        _compare(one, other, "the engines differ")


def test_a_report_of_what_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """All checks in their order; the compiled runs are those of the interpreter here, to save the compiler's time."""
    run = _World._run
    monkeypatch.setattr(_World, "_run", lambda self, engine="", *rest, **more: run(self, "interpreted", *rest, **more))
    random.seed(1)
    before = random.getstate()
    checked = fm.check_algorithm(fm.CentralUCB(), horizon=20)
    assert random.getstate() == before
    assert checked.kept == ("arms", "chance", "compiled", "workers", "late")
    assert checked.left_out == ("rows", "wire")
    assert str(checked).splitlines()[-1] == "  left out: wire"
    assert fm.check_algorithm(Means(), horizon=20).kept == tuple(RULES)


def test_what_is_no_configuration_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^algorithm: expected a configuration such as"):
        fm.check_algorithm(Means)  # type: ignore[arg-type]
