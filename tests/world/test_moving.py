"""Means that move or are drawn anew for each replicate: what is paid, what regret is, and that order does not matter.

Rewards have the coins of the ordinary laws, so most checks are exact. A drawn mean is a coin: over 200 replicates of 12
uniform means the average has deviation 1 / sqrt(12 * 2,400); allowed are 6.
"""

import networkx as nx
import numpy as np
import pytest

import folkmoot as fm
from folkmoot.coins import replicate_coins, seed_words
from folkmoot.interface import gap, pay, scene, set_scene
from folkmoot.simulation.agents import Agents
from folkmoot.simulation.parts import Parts
from folkmoot.simulation.simulate import make_job
from folkmoot.world.means import Uniform, UniformOfClusters, UniformVectors

A, B = np.array([[0.9, 0.1, 0.5], [0.7, 0.3, 0.5]]), np.array([[0.1, 0.9, 0.5], [0.2, 0.9, 0.4]])
COINS = replicate_coins(5, 0, 3)
DRAWN = {"law": "uniform", "n_agents": 4, "n_arms": 3, "low": 0.2, "high": 0.8}


def paid(law, rounds, coins=COINS):
    """float64 [rounds, n_agents, n_arms]: what every pull of these rounds would bring."""
    record = law.record()
    nature, reward = scene(record), np.zeros((law.n_agents, law.n_objectives))
    out = np.zeros((len(rounds), law.n_agents, law.n_arms))
    for r, t in enumerate(rounds):
        set_scene(record, t, coins, nature)
        for i in range(law.n_agents):
            for k in range(law.n_arms):
                pay(record, nature, i, k, t, coins, reward)
                out[r, i, k] = reward[i, 0]
    return out


KINDS = {
    "bernoulli": fm.Bernoulli,
    "gaussian": lambda means: fm.Gaussian(means, 0.5),
    "beta": lambda means: fm.Beta(means, 4.0),
}


@pytest.mark.parametrize("law", KINDS.values(), ids=KINDS)
def test_each_piece_pays_what_its_law_pays_alone(law):
    moving = fm.Piecewise([(1, law(A)), (11, law(B)), (16, law(A))])
    rounds = np.arange(1, 31)
    first, second = paid(law(A), rounds), paid(law(B), rounds)
    expected = np.where(((rounds >= 11) & (rounds < 16))[:, None, None], second, first)
    assert (paid(moving, rounds) == expected).all()
    assert (paid(moving, rounds[::-1]) == expected[::-1]).all()  # in any order
    assert (moving.bounded, moving.sub_gaussian) == (law(A).bounded, law(A).sub_gaussian)
    assert moving.varies
    assert (moving.means == A).all()


def test_a_drift_goes_to_the_other_law_and_back():
    drift = fm.Drifting(fm.Gaussian(A, 0.0), fm.Gaussian(B, 0.0), 40)
    seen = paid(drift, range(1, 82))
    for t, share in ((1, 0.0), (11, 0.5), (21, 1.0), (31, 0.5), (41, 0.0), (81, 0.0)):
        np.testing.assert_allclose(seen[t - 1], A + share * (B - A), atol=1e-12)
    shares = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(81) / 40)
    np.testing.assert_allclose(seen, A + shares[:, None, None] * (B - A), atol=1e-12)


MOVING = {
    "pieces": fm.Piecewise([(1, fm.Bernoulli(A)), (41, fm.Bernoulli(B)), (81, fm.Bernoulli(A))]),
    "drift": fm.Drifting(fm.Bernoulli(A), fm.Bernoulli(B), 60),
}


@pytest.mark.parametrize("law", MOVING.values(), ids=MOVING)
def test_regret_is_against_the_best_arm_of_each_round(law):
    """A dumb twin: pulls agent by agent and round by round, gaps by NumPy from the means of the round."""
    world = law, fm.Static(nx.path_graph(2))
    rounds = [1, 20, 50, 100, 120]
    job = make_job(fm.CooperativeUCB(), *world, horizon=120, seed=9, checkpoints=rounds)
    result = fm.simulate(fm.CooperativeUCB(), *world, horizon=120, seed=9, replicates=2, checkpoints=rounds)
    slow = fm.simulate(
        fm.CooperativeUCB(), *world, horizon=120, seed=9, replicates=2, checkpoints=rounds, engine="interpreted"
    )
    assert (slow.regret == result.regret).all()
    assert (slow.pulls == result.pulls).all()
    for replicate in range(2):
        agents, lost = Agents(job, replicate), 0.0
        for t in range(1, 121):
            before = agents.pulls.copy()
            agents.play_round()
            if isinstance(law, fm.Piecewise):
                means = B if 41 <= t < 81 else A
            else:
                means = A + (0.5 - 0.5 * np.cos(2 * np.pi * (t - 1) / 60)) * (B - A)
            overall = means.mean(axis=0)
            lost += float(((agents.pulls - before) * (overall.max() - overall)).sum())
            if t in rounds:
                assert result.regret[replicate, rounds.index(t)] == pytest.approx(lost, rel=1e-9)
    assert result.means is None
    record = law.record()
    nature, total = scene(record), np.zeros(3)
    for t in range(1, 121):
        set_scene(record, t, COINS, nature)
        total += [gap(record, nature, t, k, COINS) for k in range(3)]
    np.testing.assert_allclose(result.gaps, total / 120, atol=1e-12)


def test_a_result_of_moving_means_is_kept_and_a_row_of_the_log_read(tmp_path):
    world = MOVING["drift"], fm.Static(nx.path_graph(2))
    job = make_job(fm.CooperativeUCB(), *world, horizon=60)
    from folkmoot.simulation.replicates import run_batch

    outcomes = run_batch(job, [0, 1])
    rows = [job.decode({**job.encode(outcome), "replicate": outcome.replicate}) for outcome in outcomes]
    result = job.collect(rows)
    assert (result.regret == job.collect(outcomes).regret).all()
    assert (fm.load(result.save(tmp_path / "kept")).regret == result.regret).all()
    assert result.summary()["regret_mean"] == pytest.approx(result.regret[:, -1].mean())
    parts = Parts(job, 1)
    for last in (1, 29, 60):
        parts.play(last)
    assert (parts.tally.lost[0] == outcomes[1].more["lost"]).all()


# --- Means drawn anew ------------------------------------------------------------------------------------------


def test_each_replicate_has_means_of_its_own_and_they_do_not_depend_on_workers():
    law = fm.Bernoulli(DRAWN, redraw=True)
    world = law, fm.Static(nx.cycle_graph(4))
    result = fm.simulate(fm.CooperativeUCB(), *world, horizon=200, replicates=4, seed=7)
    assert result.means.shape == (4, 4, 3)
    assert result.gaps.shape == (4, 3)
    assert len({means.tobytes() for means in result.means}) == 4
    assert ((result.means >= 0.2) & (result.means < 0.8)).all()
    for other in (
        fm.simulate(fm.CooperativeUCB(), *world, horizon=200, replicates=4, seed=7, jobs=3),
        fm.simulate(fm.CooperativeUCB(), *world, horizon=200, replicates=4, seed=7, engine="interpreted"),
    ):
        assert (other.pulls == result.pulls).all()
        assert (other.regret == result.regret).all()
    for r in range(4):
        alone = law.instance(replicate_coins(*seed_words(7), r))
        assert not alone.redraws
        assert (alone.means == result.means[r]).all()
        overall = result.means[r].mean(axis=0)
        np.testing.assert_allclose(result.gaps[r], overall.max() - overall)
        expected = (result.team_pulls[r, -1] * (overall.max() - overall)).sum()
        assert result.regret[r, -1] == pytest.approx(expected)
    assert (fm.simulate(fm.CooperativeUCB(), *world, horizon=200, seed=8).means != result.means[:1]).any()
    job = make_job(fm.CooperativeUCB(), *world, horizon=200, seed=7)
    agents = Agents(job, 2)
    agents.play(200)
    assert (agents.pulls == result.pulls[2]).all()
    assert result.configuration["rewards"]["means"] == {
        **DRAWN, "seed": 0, "redraw": True, "shared": False,
    }  # fmt: skip


def test_a_replicate_plays_what_its_means_alone_would_play():
    law, network = fm.Bernoulli(DRAWN, redraw=True), fm.Static(nx.cycle_graph(4))
    drawn = fm.simulate(fm.CooperativeUCB(), law, network, horizon=100, seed=3)
    alone = fm.Bernoulli(drawn.means[0])
    assert (fm.simulate(fm.CooperativeUCB(), alone, network, horizon=100, seed=3).pulls == drawn.pulls).all()


def test_drawn_means_are_uniform():
    law = fm.Bernoulli(Uniform(law="uniform", n_agents=4, n_arms=3), redraw=True)
    means = np.stack([law.instance(replicate_coins(1, 0, r)).means for r in range(200)])
    assert abs(means.mean() - 0.5) < 6 / (12 * means.size) ** 0.5
    assert len(np.unique(means)) == means.size
    other = fm.Bernoulli(Uniform(law="uniform", n_agents=4, n_arms=3, seed=1), redraw=True)
    assert (other.instance(replicate_coins(1, 0, 0)).means != means[0]).all()


REDRAWN = {
    "gaussian": fm.Gaussian(DRAWN, 0.5, redraw=True),
    "beta": fm.Beta(DRAWN, redraw=True),
    "shared": fm.Bernoulli({**DRAWN, "shared": True, "redraw": True}),
    "clustered": fm.Clustered({"law": "uniform", "n_clusters": 2, "n_arms": 3, "redraw": True}, [0, 1, 1, 0]),
    "given a law": fm.Clustered(UniformOfClusters(law="uniform", n_clusters=2, n_arms=3), [0, 1, 1, 0], redraw=True),
    "vectors": fm.VectorBernoulli(
        UniformVectors(law="uniform", n_objectives=2, n_arms=3), fm.Chebyshev(), n_agents=4, redraw=True
    ),
    "half active": fm.HalfActive(fm.Bernoulli(DRAWN, redraw=True)),
    "pieces": fm.Piecewise([(1, fm.Bernoulli(DRAWN, redraw=True)), (9, fm.Bernoulli({**DRAWN, "seed": 1}))]),
    "drift": fm.Drifting(fm.Bernoulli(DRAWN, redraw=True), fm.Bernoulli({**DRAWN, "seed": 1}), 50),
}


@pytest.mark.parametrize("law", REDRAWN.values(), ids=REDRAWN)
def test_every_law_by_a_law_of_means_can_be_drawn_anew(law):
    one, other = (law.instance(replicate_coins(1, 0, r)) for r in range(2))
    assert law.redraws
    assert not one.redraws
    assert (one.means != other.means).any()
    assert one.means.shape == law.means.shape
    assert (type(one.record()), one.describe()["type"]) == (type(law.record()), law.describe()["type"])
    assert law.instance(replicate_coins(1, 0, 0)) == one
    assert "redraw" in str(law.describe())


def test_without_redraw_means_are_those_of_the_seed_as_before():
    law = fm.Bernoulli({**DRAWN, "seed": 5})
    assert not law.redraws
    assert law.instance(COINS) is law
    assert (law.means == Uniform(**{**DRAWN, "seed": 5}).table()).all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: fm.Bernoulli(A, redraw=True), "redraw = true: expected means by a law, such as means = "),
        (lambda: fm.Bernoulli(DRAWN, redraw="often"), "redraw = 'often': expected true or false"),
        (lambda: fm.Beta({**DRAWN, "low": 0.0}, redraw=True), r"low = 0\.0, high = 0\.8: expected a range in \[0\.001"),
        (lambda: fm.Bernoulli({"law": "normal", "n_agents": 1, "n_arms": 2}), "law = 'normal': allowed are 'uniform'"),
        (lambda: fm.Piecewise([]), "pieces: expected at least one, got none"),
        (lambda: fm.Piecewise([(2, fm.Bernoulli(A))]), "piece 0 from 2: expected round 1"),
        (
            lambda: fm.Piecewise([(1, fm.Bernoulli(A)), (1, fm.Bernoulli(B))]),
            "piece 1 from 1: expected a round after 1",
        ),
        (lambda: fm.Piecewise([fm.Bernoulli(A)]), "pieces: expected pairs of a round and a reward law"),
        (lambda: fm.Piecewise([(1, fm.Bernoulli(A)), (5, fm.Beta(B))]), "piece 1 = Beta: expected Bernoulli as the"),
        (
            lambda: fm.Piecewise([(1, fm.HalfActive(fm.Bernoulli(A)))]),
            "piece 0 = HalfActive: expected Bernoulli, Ga",
        ),
        (lambda: fm.Piecewise([(1, fm.Gaussian(A)), (5, fm.Gaussian(B, 2))]), "piece 1: deviation = 2.0: expected 1.0"),
        (lambda: fm.Piecewise([(1, fm.Bernoulli(A)), (5, fm.Bernoulli(B[:1]))]), r"means of shape \(1, 3\): expected"),
        (lambda: fm.Drifting(fm.Bernoulli(A), fm.Gaussian(B), 9), "end = Gaussian: expected Bernoulli as the first"),
        (lambda: fm.Drifting(fm.Bernoulli(A), fm.Bernoulli(B), 1), "period = 1: expected an integer of at least 2"),
        (lambda: fm.HalfActive(MOVING["drift"]), "inner = Drifting: expected rewards whose means do not move"),
    ],
)
def test_errors(make, message):
    with pytest.raises(ValueError, match=message) as error:
        make()
    assert "\n" not in str(error.value)


def test_a_game_on_a_chain_takes_neither():
    for law in (MOVING["drift"], fm.Bernoulli({**DRAWN, "shared": True, "redraw": True})):
        with pytest.raises(ValueError, match="the same for all replicates and rounds"):
            fm.simulate_chain(fm.BCUCB(), law, horizon=100)


def test_a_break_beyond_every_horizon_says_what_is_allowed():
    law = fm.Bernoulli([0.1], n_agents=1)
    with pytest.raises(ValueError, match=r"^piece 1 from 10+: expected a round after 1 and below 2\*\*32$"):
        fm.Piecewise([(1, law), (10**30, law)])
