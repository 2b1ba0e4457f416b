"""Reward laws: drawn rewards against SciPy's laws, the silent half, errors, interpreted = compiled.

Statistical tests have a fixed seed and one bound, stated here: a p-value above 1e-4 on 200,000 draws,
drawn through the compiled `pay`.
"""

import networkx as nx
import numpy as np
import pytest
from jitted import jit
from scipy import stats

import folkmoot as fm
from folkmoot.coins import replicate_coins
from folkmoot.interface import pay, scene, set_scene
from folkmoot.world.half_active import HalfActive
from folkmoot.world.replay import Replay
from folkmoot.world.rewards import Bernoulli, Beta, Gaussian, Rewards

COINS = replicate_coins(20_250_812, 0, 1)
DRAWS = 200_000
SMALLEST_P = 1e-4


def draw(rewards, n_agents, agent, arm, rounds, coins):
    """float64 [rounds]: what this arm pays this agent; the other agents' rewards must stay as they were."""
    nature = scene(rewards)
    reward = np.full((n_agents, 1), -7.0)
    out = np.zeros(rounds)
    for t in range(1, rounds + 1):
        set_scene(rewards, t, coins, nature)
        pay(rewards, nature, agent, arm, t, coins, reward)
        out[t - 1] = reward[agent, 0]
    for i in range(n_agents):
        if i != agent and reward[i, 0] != -7.0:
            out[0] = np.nan
    return out


def draw_scenes(rewards, rounds, coins):
    """bool [rounds, n_agents]: what nature decided."""
    nature = scene(rewards)
    out = np.zeros((rounds, len(nature)), np.bool_)
    for t in range(1, rounds + 1):
        set_scene(rewards, t, coins, nature)
        out[t - 1] = nature
    return out


compiled, compiled_scenes = jit(draw), jit(draw_scenes)


def sample(law, agent=0, arm=0, rounds=DRAWS):
    return compiled(law.record(), law.n_agents, agent, arm, rounds, COINS)


TABLE = [[[0.0, 0.5, 0.5, 1.0], [0.25]], [[1.0, 0.0, 0.0], [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]]]
LAWS = {
    "bernoulli": Bernoulli([[0.2, 0.7], [0.5, 1.0], [0.0, 0.01]]),
    "gaussian": Gaussian([[0.0, -3.0], [10.0, 0.5]], 0.25),
    "beta": Beta([[0.5, 0.01], [0.999, 0.3]], 4.0),
    "half active bernoulli": HalfActive(Bernoulli([0.2, 0.7], 5)),
    "half active beta": HalfActive(Beta([0.2, 0.7], n_agents=4), silent=1.0),
    "half active replay": HalfActive(Replay(TABLE), silent=0.25),
    "replay": Replay(TABLE),
}


@pytest.mark.parametrize("law", LAWS.values(), ids=LAWS)
def test_interpreted_is_compiled(law):
    for i in range(law.n_agents):
        for k in range(law.n_arms):
            assert (draw(law.record(), law.n_agents, i, k, 60, COINS) == sample(law, i, k, 60)).all()
    assert (draw_scenes(law.record(), 60, COINS) == compiled_scenes(law.record(), 60, COINS)).all()


@pytest.mark.parametrize("law", LAWS.values(), ids=LAWS)
def test_means_are_the_expected_rewards(law):
    """Each empirical mean within 5 standard errors (one in 2e6 is not); at most 10 of them a law."""
    assert law.means.shape == (law.n_agents, law.n_arms)
    for i in range(law.n_agents):
        for k in range(law.n_arms):
            rewards = sample(law, i, k)
            assert abs(rewards.mean() - law.means[i, k]) <= 5.0 * rewards.std() / DRAWS**0.5 + 1e-12


@pytest.mark.parametrize("p", [1e-4, 0.2, 0.5, 0.97])
def test_bernoulli(p):
    rewards = sample(Bernoulli([[p]]))
    assert set(rewards) == {0.0, 1.0}
    assert stats.binomtest(int(rewards.sum()), DRAWS, p).pvalue > SMALLEST_P


@pytest.mark.parametrize(("p", "only"), [(0.0, 0.0), (1.0, 1.0)])
def test_a_certain_bernoulli(p, only):
    assert (sample(Bernoulli([[p]])) == only).all()


@pytest.mark.parametrize(("mean", "deviation"), [(0.0, 1.0), (-3.5, 0.01), (1e3, 20.0)])
def test_gaussian(mean, deviation):
    rewards = sample(Gaussian([[mean]], deviation))
    assert stats.kstest(rewards, stats.norm(mean, deviation).cdf).pvalue > SMALLEST_P
    scatter = stats.chi2(DRAWS).cdf(np.sum(((rewards - mean) / deviation) ** 2))
    assert SMALLEST_P / 2 < scatter < 1 - SMALLEST_P / 2


def test_a_gaussian_without_noise():
    assert (sample(Gaussian([[0.3]], 0.0), rounds=100) == 0.3).all()


@pytest.mark.parametrize(("mean", "concentration"), [(0.5, 10.0), (0.1, 1.0), (0.9, 3.0), (0.3, 1e4), (0.5, 2.0)])
def test_beta(mean, concentration):
    law = stats.beta(mean * concentration, (1 - mean) * concentration)
    rewards = sample(Beta([[mean]], concentration))
    assert rewards.min() >= 0.0
    assert rewards.max() <= 1.0
    assert stats.kstest(rewards, law.cdf).pvalue > SMALLEST_P


@pytest.mark.parametrize(("agent", "arm"), [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_replay_draws_what_was_observed_as_often_as_it_was(agent, arm):
    values, counts = np.unique(TABLE[agent][arm], return_counts=True)
    drawn, frequency = np.unique(sample(Replay(TABLE), agent, arm), return_counts=True)
    assert (drawn == values).all()
    if len(values) > 1:
        assert stats.chisquare(frequency, DRAWS * counts / counts.sum()).pvalue > SMALLEST_P


@pytest.mark.parametrize("name", ["gaussian", "beta"])
def test_rewards_of_rounds_agents_and_arms_are_independent(name):
    """Correlation of n independent pairs: deviation 1 / sqrt(n); allowed are 5, which one in 2e6 exceeds."""
    law = {"gaussian": Gaussian([[0.5, 0.5], [0.5, 0.5]]), "beta": Beta([[0.5, 0.5], [0.5, 0.5]])}[name]
    base, arm, agent = sample(law, 0, 0), sample(law, 0, 1), sample(law, 1, 0)
    for x, y in ((base[1:], base[:-1]), (base, arm), (base, agent), (arm, agent)):
        assert abs(np.corrcoef(x, y)[0, 1]) < 5.0 / len(x) ** 0.5


@pytest.mark.parametrize("n", [1, 2, 5, 6, 16])
def test_exactly_half_are_silent(n):
    assert (compiled_scenes(HalfActive(Bernoulli([0.5], n)).record(), 5_000, COINS).sum(axis=1) == n // 2).all()


@pytest.mark.parametrize(("n", "subsets"), [(6, 20), (5, 10)])
def test_every_half_is_silent_equally_often(n, subsets):
    silent = compiled_scenes(HalfActive(Bernoulli([0.5], n)).record(), DRAWS, COINS)
    _, counts = np.unique(silent @ (1 << np.arange(n)), return_counts=True)
    assert len(counts) == subsets
    assert stats.chisquare(counts).pvalue > SMALLEST_P


def test_silence_does_not_depend_on_the_round_before():
    silent = compiled_scenes(HalfActive(Bernoulli([0.5], 6)).record(), DRAWS, COINS)
    for i in range(6):
        table = np.zeros((2, 2))
        np.add.at(table, (silent[:-1, 0].astype(int), silent[1:, i].astype(int)), 1)
        assert stats.chi2_contingency(table).pvalue > SMALLEST_P


@pytest.mark.parametrize("silent", [0.0, 0.25, 1.0])
def test_the_active_half_is_paid_by_the_inner_law_and_the_other_alike(silent):
    inner = Beta([0.2, 0.7], n_agents=4)
    law = HalfActive(inner, silent)
    quiet = compiled_scenes(law.record(), 5_000, COINS)
    for i in range(4):
        rewards = sample(law, i, 1, 5_000)
        assert (rewards[quiet[:, i]] == silent).all()
        assert (rewards[~quiet[:, i]] == sample(inner, i, 1, 5_000)[~quiet[:, i]]).all()


def test_gaps_of_the_half_active_are_halved():
    law = HalfActive(Bernoulli([0.0, 0.25, 0.5, 0.75, 1.0], 16))
    assert law.gaps == pytest.approx([0.5, 0.375, 0.25, 0.125, 0.0])
    assert HalfActive(Bernoulli([0.2, 0.8], 5)).means[0] == pytest.approx([0.12, 0.48])
    assert HalfActive(Bernoulli([0.2, 0.8], 4), silent=1.0).means[0] == pytest.approx([0.6, 0.9])


def test_gaps_and_best_arm_are_those_of_the_mean_over_agents():
    law = Bernoulli([[1.0, 0.5, 0.0], [0.0, 0.7, 0.6]])
    assert law.best_arm == 1
    assert law.gaps == pytest.approx([0.1, 0.0, 0.3])
    assert Bernoulli([[0.5, 0.5]]).best_arm == 0
    assert (law.n_agents, law.n_arms) == (2, 3)


def test_one_row_for_all_agents():
    assert Bernoulli([0.1, 0.9], n_agents=3).means.tolist() == [[0.1, 0.9]] * 3
    assert Bernoulli(np.full((3, 2), 0.5), n_agents=np.int64(3)).n_agents == 3


def test_the_table_of_means_is_a_copy_and_cannot_be_changed():
    given = np.array([[0.5, 0.1]])
    law = Bernoulli(given)
    given[0, 0] = 0.0
    assert law.means[0, 0] == 0.5
    with pytest.raises(ValueError, match="read-only"):
        law.means[0, 0] = 0.3


@pytest.mark.parametrize("law", LAWS.values(), ids=LAWS)
def test_rewards_are_sub_gaussian_as_stated(law):
    """E exp(x (reward - mean)) <= exp((sigma x)^2 / 2), estimated; 5 standard errors of room."""
    for k in range(law.n_arms):
        centred = sample(law, 0, k) - law.means[0, k]
        for x in (-4.0, -1.0, 1.0, 4.0):
            power = np.exp(x * centred)
            bound = np.exp((law.sub_gaussian * x) ** 2 / 2)
            assert power.mean() <= bound + 5.0 * power.std() / DRAWS**0.5


def test_the_half_active_gaussian_knows_that_silence_adds_spread():
    law = HalfActive(Gaussian([[3.0], [3.0]], 0.5))
    assert law.sub_gaussian == pytest.approx(np.hypot(0.5, 1.5))
    assert sample(law).std() == pytest.approx(np.hypot(0.5 * 0.5**0.5, 1.5), rel=0.01)


def test_descriptions_are_plain():
    assert Beta([[0.5]], 3).describe() == {
        "type": "Beta",
        "n_agents": 1,
        "n_arms": 1,
        "means": [[0.5]],
        "concentration": 3.0,
    }
    assert Gaussian([[0.5]], 2).describe()["deviation"] == 2.0
    assert HalfActive(Bernoulli([[0.5]])).describe()["inner"]["type"] == "Bernoulli"
    replay = Replay(TABLE, "ours", ["left", "right"]).describe()
    assert (replay["dataset"], replay["observations"], replay["arm_names"]) == ("ours", 15, ["left", "right"])
    assert "means" not in Bernoulli(np.zeros((5_000, 2))).describe()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Bernoulli([[0.5, 1.5]]), "mean of agent 0, arm 1 = 1.5: expected a number from 0 to 1"),
        (lambda: Bernoulli([[0.5, 0.5], [0.1, -0.001]]), "mean of agent 1, arm 1 = -0.001"),
        (lambda: Bernoulli([[np.nan]]), "mean of agent 0, arm 0 = nan"),
        (lambda: Bernoulli([0.5, 0.5]), r"shape \(2,\): expected \[n_agents, n_arms\] \(one row .* n_agents=\)"),
        (lambda: Bernoulli(0.5), r"shape \(\)"),
        (lambda: Bernoulli([[[0.5]]]), r"shape \(1, 1, 1\)"),
        (lambda: Bernoulli([]), r"shape \(0,\)"),
        (lambda: Bernoulli([[], []]), r"shape \(2, 0\)"),
        (lambda: Bernoulli([], n_agents=3), r"shape \(3, 0\)"),
        (lambda: Bernoulli([[0.5], [0.5, 0.5]]), "table of numbers"),
        (lambda: Bernoulli([["x"]]), "table of numbers"),
        (lambda: Bernoulli(None), "means = None: expected a table of numbers"),
        (lambda: Bernoulli([[0.5]] * 3, n_agents=2), "expected 2 agents"),
        *[
            (lambda n=n: Bernoulli([0.5], n_agents=n), "n_agents = .*: expected an integer of at least 1")
            for n in (0, -1, 2.0, True, "3")
        ],
        (lambda: Gaussian([[np.inf]]), r"expected a number from -1e\+100 to 1e\+100"),
        (lambda: Gaussian([[np.nan]]), r"expected a number from -1e\+100 to 1e\+100"),
        *[
            (lambda d=d: Gaussian([[0.0]], d), r"deviation = .*: expected a number from 0 to 1e\+100")
            for d in (-1.0, np.nan, np.inf, "wide", None)
        ],
        (lambda: Beta([[0.0]]), "expected a number from 0.001 to 0.999"),
        (lambda: Beta([[1.0]]), "expected a number from 0.001 to 0.999"),
        *[
            (lambda c=c: Beta([[0.5]], c), "concentration = .*: expected a number from 1 to 1e6")
            for c in (0.5, 2e6, np.nan, "narrow", None)
        ],
        (lambda: HalfActive([[0.5]]), "inner = list: expected a reward law"),
        (lambda: HalfActive(HalfActive(Bernoulli([[0.5]]))), "not half active itself"),
        *[
            (lambda s=s: HalfActive(Bernoulli([[0.5]]), s), "silent = .*: expected a reward from 0 to 1")
            for s in (-0.1, 1.1, np.nan, "quiet", None)
        ],
        (lambda: Replay([]), "same number"),
        (lambda: Replay([[]]), "same number"),
        (lambda: Replay([[[0.5]], [[0.5], [0.5]]]), "same number"),
        (lambda: Replay([[[0.5], []]]), "agent 0, arm 1: expected at least one observed reward"),
        (lambda: Replay([[[0.5]], [[0.5, 1.01]]]), "agent 1, arm 0, reward 1 = 1.01: expected rewards from 0 to 1"),
        (lambda: Replay([[[np.nan]]]), "reward 0 = nan: expected rewards from 0 to 1"),
        (lambda: Replay([[["good"]]]), "sequences of numbers"),
        (lambda: Replay(3), "sequences of numbers"),
        (lambda: Replay([3]), "sequences of numbers"),
        (lambda: Replay(TABLE, arm_names=["one"]), "1 names: expected 2"),
    ],
)
def test_errors(make, message):
    with pytest.raises(ValueError, match=message) as error:
        make()
    assert "\n" not in str(error.value)


def test_a_law_without_a_record_says_so():
    with pytest.raises(TypeError, match="Rewards does not define record"):
        Rewards().record()


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Gaussian([[1e308, -1e308]]), r"arm 0 = 1e\+308: expected a number from -1e\+100 to 1e\+100$"),
        (lambda: Gaussian([[0.0]], 1e155), r"deviation = 1e\+155: expected a number from 0 to 1e\+100$"),
        (
            lambda: Gaussian({"law": "uniform", "n_agents": 2, "n_arms": 2, "low": -1e308, "high": 1e308}),
            "low = .*, high = .*: expected low not above high, and a finite difference$",
        ),
    ],
)  # fmt: skip
def test_numbers_whose_squares_are_none_are_refused(make, says):
    with pytest.raises(ValueError, match=says):
        make()


@pytest.mark.filterwarnings("error")
def test_the_largest_numbers_that_are_allowed_overflow_nothing():
    rewards = Gaussian([1e100, -1e100], 1e100, n_agents=2)
    result = fm.simulate(fm.UCB(), rewards, fm.Static(nx.path_graph(2)), horizon=20, replicates=2, engine="interpreted")
    assert np.isfinite(result.regret).all()
    assert np.isfinite(np.square(result.regret)).all()
