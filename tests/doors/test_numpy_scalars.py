"""Scalars of NumPy wherever a number may stand, results that can be saved, and a `repr` that fits on a line."""

import json

import networkx as nx
import numpy as np
import pytest

import folkmoot as fm

MEANS = np.array([[0.2, 0.8], [0.3, 0.7]])
NETWORK = fm.Static(nx.path_graph(2))


@pytest.mark.parametrize("whole", [np.int64, np.int16, np.uint8, np.uint64])
def test_whole_numbers_of_a_run(whole, tmp_path):
    numbers = {"horizon": 50, "replicates": 2, "seed": 3, "jobs": 1}
    given = {name: whole(number) for name, number in numbers.items()}
    one = fm.simulate(fm.UCB(), fm.Bernoulli(MEANS), NETWORK, engine="interpreted", **given)
    other = fm.simulate(fm.UCB(), fm.Bernoulli(MEANS), NETWORK, engine="interpreted", **numbers)
    assert np.array_equal(one.pulls, other.pulls)
    one.save(tmp_path / "kept")
    json.loads((tmp_path / "kept" / "result.json").read_text(encoding="utf-8"))
    assert np.array_equal(fm.load(tmp_path / "kept").pulls, one.pulls)


SETTINGS = {
    "exploration": lambda f, w: fm.UCB(exploration=w(2)),
    "arm": lambda f, w: fm.PromotingLie(arm=w(1)),
    "beta": lambda f, w: fm.LogSumExp(f(5)),
    "deviation": lambda f, w: fm.Gaussian(MEANS, deviation=f(0.5)),
    "concentration": lambda f, w: fm.Beta(MEANS, concentration=w(5)),
    "n_agents": lambda f, w: fm.Bernoulli([0.1, 0.2], n_agents=w(3)),
    "law": lambda f, w: fm.Bernoulli({"law": "uniform", "n_agents": w(3), "n_arms": w(2)}),
    "link_probability": lambda f, w: fm.ErdosRenyi(nx.path_graph(2), f(0.5)),
    "markov": lambda f, w: fm.Markov(nx.path_graph(2), f(0.5), f(0.25)),
    "feedback": lambda f, w: fm.Feedback(delay="geometric", mean=f(1), loss=f(0.25)),
    "delay": lambda f, w: fm.Feedback(delay=w(2)),
    "presence": lambda f, w: fm.Presence(probability=f(0.5)),
    "budget": lambda f, w: fm.Suppress(budget=w(3)),
    "period": lambda f, w: fm.Drifting(fm.Bernoulli(MEANS), fm.Bernoulli(MEANS), period=w(9)),
}


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize(("real", "whole"), [(np.float64, np.int64), (np.float32, np.uint8)])
def test_settings_are_those_of_python(name, real, whole):
    one, other = SETTINGS[name](real, whole), SETTINGS[name](float, int)
    assert one == other
    assert repr(one) == repr(other)


def test_a_truth_value_of_numpy_is_one():
    law = {"law": "uniform", "n_agents": 3, "n_arms": 2}
    assert fm.Bernoulli(law, redraw=np.True_) == fm.Bernoulli(law, redraw=True)


@pytest.mark.parametrize("value", [np.timedelta64(3), np.datetime64("2024-01-01"), np.complex128(1), np.str_("a")])
def test_what_is_no_number_is_refused(value):
    with pytest.raises(ValueError, match=r"^[^\n]*exploration[^\n]*\Z"):
        fm.UCB(exploration=value)


def test_a_result_is_shown_on_a_line():
    means = np.linspace(0.1, 0.9, 200).reshape(20, 10)
    result = fm.simulate(
        fm.UCB(), fm.Bernoulli(means), fm.Static(nx.complete_graph(20)), horizon=20, engine="interpreted"
    )
    assert repr(result) == "Result('UCB (alone)', replicates=1)"


def test_a_call_without_an_argument_that_it_needs_names_the_function():
    with pytest.raises(TypeError, match=r"simulate\(\) missing .*'horizon'"):
        fm.simulate(fm.UCB(), fm.Bernoulli(MEANS), NETWORK)
