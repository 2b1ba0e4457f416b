"""What a replicate is asked for beyond its counts: the same for every engine, in any number of workers, in logs."""

import base64
import json
import zlib
from dataclasses import replace

import networkx as nx
import numpy as np
import pytest

import folkmoot as fm
from folkmoot.coins import replicate_coins, seed_words
from folkmoot.errors import DamagedFile
from folkmoot.interface import nothing_seen, pay
from folkmoot.simulation.cells import Cell
from folkmoot.simulation.simulate import make_job
from folkmoot.simulation.sweep import sweep
from folkmoot.world.means import Uniform

MEANS = np.array([[0.2, 0.5, 0.8, 0.4], [0.9, 0.1, 0.6, 0.4], [0.3, 0.3, 0.3, 0.4]])
WORLD = fm.Bernoulli(MEANS), fm.ErdosRenyi(nx.complete_graph(3), 0.7)
OPTIONS = {"horizon": 60, "replicates": 3, "seed": 3, "checkpoints": [1, 7, 30, 60], "progress": False}
ASKED = {"observe": ("gossip", "pulls", "active"), "per_agent": True, "realised": True}
COUNTS = ("team_pulls", "pulls", "messages", "bytes", "decisions", "decided_at")
REQUESTED = ("agent_pulls", "realised", "offered")


def play(engine="compiled", asked=ASKED, **more):
    return fm.simulate(fm.GSE(), *WORLD, **OPTIONS, engine=engine, **asked, **more)


def same(one, other):
    for name in (*COUNTS, *REQUESTED):
        assert (getattr(one, name) == getattr(other, name)).all(), name
    assert list(one.observed) == list(other.observed)
    for name, array in one.observed.items():
        assert array.dtype == other.observed[name].dtype
        assert array.tobytes() == other.observed[name].tobytes(), name


def test_who_is_observed_plays_the_same():
    plain, asked = play(asked={}), play()
    for name in COUNTS:
        assert (getattr(plain, name) == getattr(asked, name)).all(), name
    assert plain.observed == {}
    assert plain.agent_pulls is None
    assert plain.offered is None
    assert "observe" not in plain.configuration
    assert asked.configuration["observe"] == ["gossip", "pulls", "active"]


def test_states_are_those_at_the_checkpoints():
    result = play()
    assert result.observed["gossip"].shape == (3, 4, 3, 4)
    assert result.observed["active"].dtype == bool
    assert (result.observed["pulls"] == result.agent_pulls).all()
    assert (result.agent_pulls.sum(axis=2) == result.team_pulls).all()
    assert (result.agent_pulls[:, -1] == result.pulls).all()
    options = {**OPTIONS, "engine": "interpreted", "observe": ["mean"]}
    shorter = fm.simulate(fm.UCB(), *WORLD, **{**options, "horizon": 30, "checkpoints": [30]})
    longer = fm.simulate(fm.UCB(), *WORLD, **options)
    assert (shorter.observed["mean"][:, 0] == longer.observed["mean"][:, 2]).all()


def test_the_interpreter_and_any_number_of_workers_find_the_same():
    expected = play()
    same(play("interpreted"), expected)
    same(play(jobs=2), expected)


def paid(seed, replicate, horizon, arms):
    """What arm `arms(t, i)` pays agent i in round t, summed over agents and rounds."""
    coins, law = replicate_coins(*seed_words(seed), replicate), WORLD[0].record()
    seen, total = nothing_seen(3), 0.0
    for t in range(1, horizon + 1):
        for i in range(3):
            pay(law, np.zeros(0, np.bool_), i, arms(t, i), t, coins, seen.reward)
            total += seen.reward[i, 0]
    return total


def test_hindsight_pays_by_the_same_coins():
    result = play(asked={"realised": True})
    for k in range(4):
        expected = [paid(3, 2, horizon, lambda t, i, k=k: k) for horizon in OPTIONS["checkpoints"]]
        assert result.offered[2, :, k].tolist() == expected
    best = result.offered.max(axis=2)
    assert (result.realised_regret == best - result.realised.sum(axis=2)).all()
    chosen = np.take_along_axis(result.offered, result.hindsight_arm[:, :, None], axis=2)[:, :, 0]
    assert (chosen == best).all()


def test_regret_as_paid_is_what_is_expected_of_it():
    """Offered by the common arm less paid is a sum of N T differences of mean `regret_as_paid`, each within [-1, 1]:
    beyond 4 sqrt(N T) with probability below 2 exp(-8) (Azuma and Hoeffding).
    """
    result = fm.simulate(fm.UCB(), *WORLD, **OPTIONS, engine="interpreted", realised=True)
    common = int(np.argmin(result.gaps))
    measured = result.offered[:, -1, common] - result.realised[:, -1].sum(axis=1)
    assert (abs(measured - result.regret_as_paid) < 4 * np.sqrt(3 * 60)).all()
    assert abs(result.regret_as_paid - result.regret[:, -1]).max() > 0.5  # tastes differ: it is another thing


def test_an_agent_that_always_pulls_one_arm_is_paid_what_that_arm_offers():
    """With one arm there is nothing to regret, in hindsight either."""
    law, network = fm.Bernoulli([0.4], n_agents=3), fm.Static(nx.path_graph(3))
    result = fm.simulate(fm.UCB(), law, network, **OPTIONS, engine="interpreted", realised=True)
    assert not result.realised_regret.any()
    assert (result.realised.sum(axis=2) == result.offered[:, :, 0]).all()
    assert result.offered[:, -1].any()


def test_what_was_paid_is_counted_before_the_adversary():
    plain = play("interpreted", asked={"realised": True})
    corrupted = play("interpreted", asked={"realised": True}, corruption=fm.FlipRandom(budget=5.0))
    rewards = (corrupted.pulls * MEANS).sum(axis=(1, 2))  # within four standard deviations of what is expected
    assert (abs(corrupted.realised[:, -1].sum(axis=1) - rewards) < 4 * 0.5 * np.sqrt(3 * 60)).all()
    assert corrupted.corruption_spent.any()
    assert (corrupted.offered == plain.offered).all()


def test_liars_do_not_count():
    options = {**OPTIONS, "engine": "interpreted", "liars": fm.Liars([1], "promote"), **ASKED}
    result = fm.simulate(fm.UCB(), *WORLD, **{**options, "observe": ["mean"]})
    honest = result.agent_pulls[:, :, [0, 2]]
    assert (result.team_pulls == honest.sum(axis=2)).all()
    assert result.own_regret_so_far[:, -1] == pytest.approx(result.own_regret)
    assert result.own_regret == pytest.approx((honest[:, -1] * result.own_gaps[[0, 2]]).sum(axis=(1, 2)))
    everybody = play("interpreted", asked={"realised": True}).offered
    assert (result.offered < everybody).any()
    best = result.offered.max(axis=2)
    assert result.realised_regret == pytest.approx(best - result.realised[:, :, [0, 2]].sum(axis=2))


def test_absent_agents_are_offered_nothing_and_every_replicate_has_means_of_its_own():
    law = fm.Bernoulli(Uniform(law="uniform", n_agents=3, n_arms=2, redraw=True))
    options = {**OPTIONS, "engine": "interpreted", "presence": fm.Presence(probability=0.5)}
    result = fm.simulate(fm.UCB(), law, WORLD[1], **options, realised=True, per_agent=True)
    assert result.gaps.shape == (3, 2)
    assert (result.agent_pulls.sum(axis=2) == result.team_pulls).all()
    there = result.pulls.sum(axis=(1, 2))
    assert (there < 3 * 60).all()
    expected = result.means.mean(axis=1) * there[:, None]
    # N T coins within [0, 1]: beyond 2 sqrt(N T) with probability below 2 exp(-8); as much again for who is there.
    assert (abs(result.offered[:, -1] - expected) < 4 * np.sqrt(3 * 60)).all()
    measured = np.take_along_axis(result.offered[:, -1], np.argmin(result.gaps, axis=1)[:, None], axis=1)[:, 0]
    assert (abs(measured - result.realised[:, -1].sum(axis=1) - result.regret_as_paid) < 4 * np.sqrt(3 * 60)).all()


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (
            {"observe": ["gosip"]},
            r"^observe = 'gosip': unknown; did you mean 'gossip'\? allowed are pulls, mean, gossip, ",
        ),
        ({"observe": "gossip"}, r"^observe = 'gossip': expected a list of names, such as \['mean', 'pulls'\]$"),
        ({"observe": [3]}, r"^observe = \[3\]: expected a list of names"),
        ({"per_agent": 1}, r"^per_agent = 1: expected true or false$"),
        ({"realised": "yes"}, r"^realised = 'yes': expected true or false$"),
    ],
)
def test_what_cannot_be_had_is_refused_in_one_line(asked, said):
    with pytest.raises(ValueError, match=said):
        play(asked=asked)


def test_rewards_that_are_vectors_are_refused():
    law = fm.VectorBernoulli(np.full((3, 2), 0.5), n_agents=3, scalarisation=fm.Chebyshev())
    with pytest.raises(ValueError, match=r"^realised = true: expected single rewards, these are vectors of 2$"):
        fm.simulate(fm.S1(), law, WORLD[1], horizon=20, realised=True)


def test_too_much_is_refused_before_anything_is_allocated():
    many = 400_000
    law, network = fm.Bernoulli([0.5, 0.4], n_agents=many), fm.Static(nx.empty_graph(many))
    options = {"horizon": 10_000, "checkpoints": np.arange(1, 10_001), "progress": False}
    for asked, what in (({"per_agent": True}, "per_agent"), ({"observe": ["mean"]}, "observe")):
        with pytest.raises(ValueError, match=rf"{what} with 10000 checkpoints would need 60 GiB a replicate"):
            fm.simulate(fm.UCB(), law, network, **options, **asked)


# --- Logs and files -------------------------------------------------------------------------------------------


def job():
    return make_job(fm.GSE(), *WORLD, horizon=60, seed=3, checkpoints=[1, 7, 30, 60], **ASKED)


def test_a_sweep_goes_on_with_what_its_log_holds(tmp_path):
    cells, log = [Cell("A", job())], tmp_path / "log.jsonl"
    sweep(cells, 2, log, progress=False)
    swept = sweep(cells, 3, log, progress=False)
    assert swept.resumed == 2
    result = swept.results["A"]
    same(result, play())
    result.save(tmp_path / "out")
    same(fm.load(tmp_path / "out"), result)


def packed(array):
    return base64.b64encode(zlib.compress(array.tobytes())).decode()


WRONG = {
    "nothing": lambda more: None,
    "one left out": lambda more: {name: value for name, value in more.items() if name != "realised"},
    "one too many": lambda more: {**more, "observed.mean": more["realised"]},
    "no list": lambda more: {**more, "realised": 3},
    "another type": lambda more: {**more, "realised": ["O", [4, 3], more["realised"][2]]},
    "too few checkpoints": lambda more: {**more, "realised": ["f8", [3, 4], more["realised"][2]]},
    "a huge shape": lambda more: {**more, "realised": ["f8", [4, 2**30, 2**30], more["realised"][2]]},
    "no whole numbers": lambda more: {**more, "realised": ["f8", [4, 3.0], more["realised"][2]]},
    "too few numbers": lambda more: {**more, "realised": ["f8", [4, 3], packed(np.zeros(11))]},
    "no numbers": lambda more: {**more, "realised": ["f8", [4, 3], "%"]},
}


@pytest.mark.parametrize("change", WRONG.values(), ids=WRONG)
def test_a_damaged_row_is_refused(change):
    one = job()
    (outcome,) = one.play([0], one_control(), 1)
    row = json.loads(json.dumps({"replicate": 0, **one.encode(outcome)}))
    assert (one.decode(row).more["offered"] == outcome.more["offered"]).all()
    row["more"] = change(row["more"])
    with pytest.raises(DamagedFile, match=r"^(more|unreadable)"):
        one.decode(row)


def one_control():
    from folkmoot.simulation.cells import new_control

    return new_control(1)


def test_a_row_without_what_was_asked_for_is_refused_and_the_reverse():
    asked, plain = job(), replace(job(), wanted=type(job().wanted)())
    (outcome,) = plain.play([0], one_control(), 1)
    row = {"replicate": 0, **plain.encode(outcome)}
    assert "more" not in row
    assert plain.decode(row).more == {}
    with pytest.raises(DamagedFile, match="expected the fields"):
        asked.decode(row)
    assert asked.key() != plain.key()
