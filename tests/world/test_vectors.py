"""Vector rewards: independent Bernoulli coordinates, regret in what they are worth, and what is refused."""

from itertools import combinations
from typing import ClassVar, NamedTuple

import networkx as nx
import numpy as np
import pytest
from jitted import jit
from scipy.stats import chi2

import folkmoot as fm
from folkmoot.coins import replicate_coins
from folkmoot.interface import implements, objectives, pay, scene

MEANS = np.array([[0.9, 0.5, 0.1, 0.7, 0.3], [0.2, 0.4, 0.6, 0.8, 0.5], [0.0, 1.0, 0.25, 0.5, 0.75]])
FLAT = fm.Linear([0.2] * 5)


def paid(law, rounds, agents, arm, coins):
    """float64 [rounds, agents, n_objectives]: what this arm pays."""
    record = law.record()
    out = np.full((rounds, agents, objectives(record)), np.nan)
    _fill(record, scene(record), arm, coins, out)
    return out


@jit
def _fill(record, nature, arm, coins, out):
    for t in range(out.shape[0]):
        for i in range(out.shape[1]):
            pay(record, nature, i, arm, t + 1, coins, out[t])


@pytest.fixture(scope="module")
def drawn():
    """100,000 draws of each arm."""
    law, coins = fm.VectorBernoulli(MEANS, FLAT, n_agents=10), replicate_coins(5, 0, 0)
    return [paid(law, 10_000, 10, arm, coins).reshape(-1, 5) for arm in range(3)]


# --- The law ----------------------------------------------------------------------------------------------


def test_rewards_are_zeros_and_ones(drawn):
    assert set(np.unique(drawn)) == {0.0, 1.0}


def test_every_coordinate_has_its_mean(drawn):
    """Standard error sqrt(p (1 - p) / 100,000); five of them for each of 15 means. Exact where p is 0 or 1."""
    for values, means in zip(drawn, MEANS, strict=True):
        error = 5.0 * np.sqrt(means * (1.0 - means) / len(values))
        assert (np.abs(values.mean(axis=0) - means) <= error).all()


def test_coordinates_are_independent(drawn):
    """Pearson's test of every pair of coordinates that vary: 2 x 2 tables against the product of the known means.

    Four cells with known probabilities: chi-square with 3 degrees of freedom; 23 pairs, each at level 1e-5.
    """
    bound = chi2.isf(1e-5, 3)
    tested = 0
    for values, means in zip(drawn, MEANS, strict=True):
        for a, b in combinations([j for j in range(5) if 0.0 < means[j] < 1.0], 2):
            table = np.bincount((2 * values[:, a] + values[:, b]).astype(int), minlength=4)
            p, q = means[a], means[b]
            expected = len(values) * np.array([(1 - p) * (1 - q), (1 - p) * q, p * (1 - q), p * q])
            assert ((table - expected) ** 2 / expected).sum() < bound, (a, b)
            tested += 1
    assert tested == 10 + 10 + 3


def test_agents_and_rounds_are_independent(drawn):
    """Neighbours in time, and in number: correlations of n products of unit variance are within 5 / sqrt(n)."""
    values = drawn[1].reshape(10_000, 10, 5)
    centred = (values - MEANS[1]) / np.sqrt(MEANS[1] * (1.0 - MEANS[1]))
    for product in (centred[1:] * centred[:-1], centred[:, 1:] * centred[:, :-1]):
        n = product[..., 0].size
        assert (np.abs(product.mean(axis=(0, 1))) < 5.0 / np.sqrt(n)).all()


def test_pay_writes_its_agents_row_only():
    record = fm.VectorBernoulli(MEANS, FLAT, n_agents=3).record()
    reward = np.full((3, 5), np.nan)
    pay(record, scene(record), 1, 0, 7, replicate_coins(1, 0, 0), reward)
    assert np.isnan(reward[[0, 2]]).all()
    assert np.isfinite(reward[1]).all()


@pytest.mark.parametrize("d", [1, 2, 5])
def test_compiled_is_interpreted(d):
    law, coins = fm.VectorBernoulli(MEANS[:, :d], fm.Chebyshev(), n_agents=4), replicate_coins(2, 0, 1)
    slow, record = np.zeros((20, 4, d)), law.record()
    for t in range(20):
        for i in range(4):
            pay(record, scene(record), i, 1, t + 1, coins, slow[t])
    assert (slow == paid(law, 20, 4, 1, coins)).all()


def test_one_objective_pays_what_the_scalar_law_pays():
    """The first coordinate uses the coin of Bernoulli rewards: paired comparisons hold across the two laws."""
    coins = replicate_coins(8, 0, 0)
    vector = paid(fm.VectorBernoulli([[0.3], [0.6]], fm.Chebyshev(), n_agents=5), 200, 5, 1, coins)
    scalar = paid(fm.Bernoulli([0.3, 0.6], n_agents=5), 200, 5, 1, coins)
    assert (vector == scalar).all()
    assert 0 < vector.mean() < 1


def test_objectives_of_the_two_kinds():
    assert objectives(fm.VectorBernoulli(MEANS, FLAT, n_agents=2).record()) == 5
    assert objectives(fm.Bernoulli([[0.5]]).record()) == 1


# --- Regret is in scalarised means --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("law", "theta"),
    [
        (fm.Linear([0.5, 0.1, 0.1, 0.1, 0.2]), MEANS @ [0.5, 0.1, 0.1, 0.1, 0.2]),
        (fm.Chebyshev(), MEANS.min(axis=1)),
        (fm.LogSumExp(5.0), np.log(np.exp(5.0 * MEANS).sum(axis=1)) / 5.0),
    ],
)
def test_means_and_gaps_are_those_of_the_worth(law, theta):
    rewards = fm.VectorBernoulli(MEANS, law, n_agents=4)
    assert rewards.means.shape == (4, 3)
    np.testing.assert_allclose(rewards.means, np.tile(theta, (4, 1)), rtol=1e-14)
    np.testing.assert_allclose(rewards.gaps, theta.max() - theta, atol=1e-15)
    assert rewards.best_arm == int(theta.argmax())
    assert (rewards.n_agents, rewards.n_arms, rewards.n_objectives) == (4, 3, 5)


class Params(NamedTuple):
    """Plays the arms in turn."""

    n_agents: int
    n_arms: int


class Turns(fm.Algorithm):
    """Every arm equally often, so that regret is known beforehand; takes vectors."""

    label: ClassVar[str] = "Turns"
    many_objectives: ClassVar[bool] = True

    def params(self, problem):
        assert problem.n_objectives == 5
        return Params(problem.n_agents, problem.n_arms)


@implements(Params)
def init(params):
    return params


@implements(Params)
def select(params, state, i, t, coins):
    return t % params.n_arms


def test_regret_is_the_gap_in_worth_times_the_pulls():
    """30 rounds in turn are 10 pulls of each of 3 arms by each of 4 agents."""
    rewards = fm.VectorBernoulli(MEANS, fm.Chebyshev(), n_agents=4)
    result = fm.simulate(
        Turns(), rewards, fm.Static(nx.complete_graph(4)), horizon=30, engine="interpreted", progress=False
    )
    # worth 0.1, 0.2 and 0: gaps 0.1, 0 and 0.2
    assert result.regret[0, -1] == pytest.approx(4 * 10 * (0.1 + 0.2))


# --- What it says of itself, and refuses ------------------------------------------------------------------


def test_the_description_is_enough_to_build_it_again():
    law = fm.VectorBernoulli(MEANS, fm.LogSumExp(2.0), n_agents=4)
    said = law.describe()
    assert said == {
        "type": "VectorBernoulli",
        "n_agents": 4,
        "n_arms": 3,
        "n_objectives": 5,
        "scalarisation": {"type": "LogSumExp", "beta": 2.0},
        "means": MEANS.tolist(),
    }


def test_a_long_table_is_left_out_of_the_description():
    law = fm.VectorBernoulli(np.full((2_001, 2), 0.5), fm.Chebyshev(), n_agents=1)
    assert "means" not in law.describe()


def test_the_table_is_a_copy_in_one_layout():
    """A transposed table would make the compiler compile everything once more."""
    given = np.array([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]])
    law = fm.VectorBernoulli(given.T, fm.Chebyshev(), n_agents=1)
    assert law.record().means.flags.c_contiguous
    given[0, 0] = 0.9
    assert law.vector_means[0, 0] == 0.1
    with pytest.raises(ValueError, match="read-only"):
        law.vector_means[0, 0] = 0.9


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"means": [[0.5, 1.5]]}, r"mean of arm 0, objective 1 = 1\.5: expected a number from 0 to 1"),
        ({"means": [[0.5, 0.5], [-0.1, 0.5]]}, r"mean of arm 1, objective 0 = -0\.1: expected a number from 0 to 1"),
        ({"means": [[np.nan, 0.5]]}, r"mean of arm 0, objective 0 = nan: expected a number from 0 to 1"),
        ({"means": [0.5, 0.5]}, r"means of shape \(2,\): expected \[n_arms, n_objectives\]"),
        ({"means": [[]]}, r"means of shape \(1, 0\): expected \[n_arms, n_objectives\]"),
        (
            {"means": [[0.5], [0.5, 0.5]]},
            r"means: not of one shape: expected a table of numbers \[n_arms, n.*",
        ),
        (
            {"means": "half"},
            r"means = 'half': expected a table of numbers \[n_arms, n_objectives\], all.*",
        ),
        ({"scalarisation": "linear"}, r"scalarisation = str: expected Linear\(weights\), Chebyshev\(\) or LogSum.*"),
        ({"scalarisation": fm.Linear([1.0])}, r"1 weights: expected 2, one for each objective"),
        ({"n_agents": 0}, r"n_agents = 0: expected an integer of at least 1"),
        ({"n_agents": 2.0}, r"n_agents = 2\.0: expected an integer of at least 1"),
        ({"n_agents": True}, r"n_agents = True: expected an integer of at least 1"),
    ],
)
def test_bad_input_is_refused_in_one_line(change, message):
    given = {"means": [[0.5, 0.5]], "scalarisation": fm.Chebyshev(), "n_agents": 1, **change}
    with pytest.raises(ValueError, match=f"^{message}$"):
        fm.VectorBernoulli(**given)


def test_half_active_agents_have_one_objective():
    with pytest.raises(ValueError, match=r"^inner = VectorBernoulli: expected rewards with one objective$"):
        fm.HalfActive(fm.VectorBernoulli(MEANS, FLAT, n_agents=2))


@pytest.mark.parametrize("algorithm", [fm.UCB(), fm.GSE(), fm.CentralUCB()], ids=lambda a: a.label)
def test_an_algorithm_for_single_rewards_refuses_vectors(algorithm):
    world = fm.VectorBernoulli(MEANS, FLAT, n_agents=3), fm.Static(nx.complete_graph(3))
    with pytest.raises(
        ValueError,
        match=r": learns from single rewards, got vectors of 5 \(S1 to S3 and layered elimination take those\)$",
    ):
        fm.simulate(algorithm, *world, horizon=10)
