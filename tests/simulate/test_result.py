"""Results: the regret convention, summaries against SciPy, saving and loading."""

import json
import shutil
from dataclasses import replace

import networkx as nx
import numpy as np
import pytest
from scipy import stats

import folkmoot as fm
from folkmoot.errors import DamagedFile
from folkmoot.report.arms import pulls_by_arm
from folkmoot.simulation.result import Result, student_interval
from folkmoot.simulation.saved import load_all, save

RNG = np.random.default_rng(11)
ARRAYS = ("checkpoints", "gaps", "team_pulls", "pulls", "messages", "bytes", "seconds")
ARRAYS += ("verified", "corruption_spent_per_arm", "decisions", "decided_at")


def made_up(name="made up", replicates=5):
    """A result of 3 agents, 2 arms, 8 rounds with gaps 0 and 1/4."""
    pulls = np.zeros((replicates, 3, 2), np.int64)
    pulls[:, :, 1] = RNG.integers(0, 9, (replicates, 3))
    pulls[:, :, 0] = 8 - pulls[:, :, 1]
    half = pulls.sum(axis=1) // 2
    return Result(
        name=name,
        configuration={"algorithm": {"type": "MadeUp"}, "seed": 4},
        checkpoints=np.array([4, 8]),
        gaps=np.array([0.0, 0.25]),
        team_pulls=np.stack([half, pulls.sum(axis=1)], axis=1),
        pulls=pulls,
        messages=RNG.integers(0, 99, replicates),
        bytes=RNG.integers(0, 999, replicates),
        seconds=np.full(replicates, 0.5),
        verified=RNG.integers(0, 9, replicates),
        corruption_spent_per_arm=RNG.uniform(0.0, 3.0, (replicates, 2)),
        decisions=RNG.integers(-1, 2, (replicates, 3)),
        decided_at=RNG.integers(0, 9, (replicates, 3)),
    )


def same(one, other):
    for array in type(one).LATER:
        assert (getattr(one, array) is None) == (getattr(other, array) is None)
    assert one.name == other.name
    assert one.configuration == other.configuration
    assert one.provenance == other.provenance
    for array in ARRAYS:
        before, after = getattr(one, array), getattr(other, array)
        assert before.dtype == after.dtype
        assert (before == after).all()


# --- Regret and summaries ---------------------------------------------------------------------------------


def test_regret_is_gap_times_pulls_summed_over_agents():
    result = made_up()
    assert (result.regret[:, -1] == 0.25 * result.pulls[:, :, 1].sum(axis=1)).all()
    assert (result.regret[:, 0] == 0.25 * result.team_pulls[:, 0, 1]).all()


def test_regret_per_agent_is_divided_by_the_agents():
    result = made_up()
    assert (result.regret_per_agent * 3 == pytest.approx(result.regret)) is True


def test_sizes():
    result = made_up()
    assert (result.replicates, result.n_agents, result.n_arms, result.horizon) == (5, 3, 2, 8)


def test_the_interval_is_students():
    values = RNG.normal(size=(7, 3))
    mean, half = student_interval(values, 0.9)
    low, high = stats.t.interval(0.9, 6, loc=values.mean(axis=0), scale=stats.sem(values, axis=0))
    np.testing.assert_allclose(mean - half, low, rtol=1e-12)
    np.testing.assert_allclose(mean + half, high, rtol=1e-12)


def test_one_replicate_has_no_interval():
    mean, half = student_interval(np.array([[3.0]]))
    assert mean == 3.0
    assert np.isnan(half)
    summary = made_up(replicates=1).summary()
    assert np.isnan(summary["regret_std"])
    assert np.isnan(summary["regret_low"])


def test_summary_against_scipy():
    result = made_up()
    final, summary = result.regret[:, -1], result.summary()
    low, high = stats.t.interval(0.95, 4, loc=final.mean(), scale=stats.sem(final))
    assert summary["regret_mean"] == pytest.approx(final.mean())
    assert summary["regret_std"] == pytest.approx(stats.tstd(final))
    assert (summary["regret_low"], summary["regret_high"]) == pytest.approx((low, high))
    assert summary["regret_per_agent_mean"] == pytest.approx(final.mean() / 3)
    assert summary["best_arm_pulls"] == pytest.approx(result.pulls[:, :, 0].sum() / 5)
    assert summary["best_arm_share"] == pytest.approx(result.pulls[:, :, 0].sum() / (5 * 3 * 8))
    assert summary["messages"] == pytest.approx(result.messages.mean())
    assert summary["bytes"] == pytest.approx(result.bytes.mean())
    assert summary["wall_seconds"] == pytest.approx(2.5)
    assert summary["agent_steps_per_second"] == pytest.approx(5 * 3 * 8 / 2.5)


def test_what_the_adversary_has_spent_is_the_sum_over_arms():
    result = made_up()
    expected = [sum(row) for row in result.corruption_spent_per_arm.tolist()]
    assert result.corruption_spent.tolist() == pytest.approx(expected, rel=1e-15)
    assert result.summary()["corruption_spent"] == pytest.approx(sum(expected) / 5)
    assert result.summary()["verified"] == pytest.approx(result.verified.mean())
    assert result.summary()["decided_share"] == pytest.approx((result.decisions >= 0).mean())


def test_several_best_arms_all_count_as_best():
    result = replace(made_up(), gaps=np.zeros(2))
    assert result.summary()["best_arm_share"] == 1.0
    assert not result.regret.any()


# --- Ties -------------------------------------------------------------------------------------------------

TIED = [[0.1, 0.3], [0.2, 0.2], [0.3, 0.1]]


def test_arms_whose_means_differ_by_rounding_alone_are_equally_good():
    means = np.array(TIED).mean(axis=0)
    assert 0.0 < abs(means[0] - means[1]) < 1e-12  # so the test could fail
    law = fm.Bernoulli(TIED)
    assert (law.gaps == 0.0).all()
    assert law.best_arm == 0
    result = fm.simulate(fm.UCB(), law, fm.Static(nx.path_graph(3)), horizon=20, engine="interpreted", progress=False)
    assert result.best.all()
    assert result.summary()["best_arm_share"] == 1.0
    assert not result.regret.any()


def test_an_old_result_with_a_gap_of_rounding_has_ties_too():
    result = replace(made_up(), gaps=np.array([5.6e-17, 0.0]))
    assert result.best.all()
    assert result.summary()["best_arm_share"] == 1.0


def test_a_gap_beyond_rounding_is_one():
    law = fm.Bernoulli([[0.5, 0.5 + 2e-12]])
    assert law.gaps[0] == pytest.approx(2e-12, rel=1e-3)
    assert law.best_arm == 1


# --- Two goals ----------------------------------------------------------------------------------------------


def with_tastes(**changes):
    """Agents 0 and 1 are better off with arm 0, agent 2 with arm 1; on average arm 0 is best by 1/4."""
    return replace(made_up(), means=np.array([[0.75, 0.25], [0.75, 0.25], [0.25, 0.5]]), **changes)


def test_own_regret_holds_each_pull_against_the_agents_own_best_arm():
    result = with_tastes()
    assert result.own_gaps.tolist() == [[0.0, 0.5], [0.0, 0.5], [0.25, 0.0]]
    pulls = result.pulls
    expected = 0.5 * pulls[:, 0, 1] + 0.5 * pulls[:, 1, 1] + 0.25 * pulls[:, 2, 0]
    assert result.own_regret == pytest.approx(expected)
    assert (result.own_regret != result.regret[:, -1]).any()
    paid = (pulls * result.means).sum(axis=(1, 2)) / 24
    assert result.own_reward == pytest.approx(paid)
    assert result.own_reward == pytest.approx((2 * 0.75 + 0.5) / 3 - result.own_regret / 24)
    summary = result.summary()
    mean, half = student_interval(expected)
    found = [summary[f"own_regret_{name}"] for name in ("mean", "low", "high")]
    assert found == pytest.approx([mean, mean - half, mean + half])
    assert summary["own_reward_mean"] == pytest.approx(paid.mean())


def test_with_one_taste_both_regrets_are_one():
    law = fm.Bernoulli([0.5, 0.25, 0.75], n_agents=4)
    options = {"horizon": 40, "replicates": 3, "engine": "interpreted", "progress": False}
    result = fm.simulate(fm.UCB(), law, fm.Static(nx.path_graph(4)), **options)
    assert (result.own_regret == result.regret[:, -1]).all()
    assert result.configuration["goal"] == "own"


def test_without_means_own_regret_says_why():
    with pytest.raises(ValueError, match=r"^result 'made up' has no means: .*version 0\.1\.0 save none$"):
        _ = made_up().own_regret
    assert np.isnan(made_up().summary()["own_regret_mean"])


def test_each_replicate_may_have_means_of_its_own():
    means = np.stack([np.array([[0.75, 0.25], [0.75, 0.25], [0.25, 0.5]]), np.array([[0.25, 0.75]] * 3)])
    gaps = np.array([[0.0, 0.25], [0.5, 0.0]])
    result = replace(made_up(replicates=2), gaps=gaps, means=means)
    pulls = result.pulls
    assert result.regret[:, -1].tolist() == [0.25 * pulls[0, :, 1].sum(), 0.5 * pulls[1, :, 0].sum()]
    assert result.own_regret[1] == result.regret[1, -1]
    share = (pulls[0, :, 0].sum() + pulls[1, :, 1].sum()) / pulls.sum()
    assert result.summary()["best_arm_share"] == pytest.approx(share)


def test_where_means_change_from_round_to_round_regret_is_what_was_counted():
    lost = RNG.uniform(size=(5, 2))
    assert (replace(made_up(), lost=lost).regret == lost).all()


# --- On request -----------------------------------------------------------------------------------------


def test_regret_of_agents_adds_up_to_that_of_the_team():
    pulls = RNG.integers(0, 5, (5, 2, 3, 2))
    result = with_tastes(agent_pulls=pulls, team_pulls=pulls.sum(axis=2), pulls=pulls[:, -1])
    assert result.regret_of_agents.shape == (5, 2, 3)
    assert result.regret_of_agents.sum(axis=2) == pytest.approx(result.regret)
    assert result.regret_of_agents[:, :, 2] == pytest.approx(0.25 * pulls[:, :, 2, 1])
    assert result.own_regret_of_agents[:, :, 2] == pytest.approx(0.25 * pulls[:, :, 2, 0])
    assert result.own_regret_so_far[:, -1] == pytest.approx(result.own_regret)
    drawn = replace(
        result, means=np.repeat(result.means[None], 5, axis=0), gaps=np.repeat(result.gaps[None], 5, axis=0)
    )
    assert (drawn.regret_of_agents == result.regret_of_agents).all()
    assert (drawn.own_regret_of_agents == result.own_regret_of_agents).all()


def test_realised_regret_is_against_the_best_arm_in_hindsight():
    offered = np.array([[[3.0, 2.0], [4.0, 6.0]]])
    realised = np.array([[[1.0, 0.0, 1.0], [2.0, 0.5, 1.0]]])
    result = replace(made_up(replicates=1), offered=offered, realised=realised)
    assert result.hindsight_arm.tolist() == [[0, 1]]
    assert result.realised_regret.tolist() == [[1.0, 2.5]]


def test_regret_as_paid_holds_each_agents_pulls_against_what_the_common_arm_pays_that_agent():
    result = with_tastes()
    expected = 0.5 * result.pulls[:, :2, 1].sum(axis=1) - 0.25 * result.pulls[:, 2, 1]
    assert result.regret_as_paid == pytest.approx(expected)
    same = replace(result, means=np.array([[0.5, 0.25]] * 3))
    assert same.regret_as_paid == pytest.approx(same.regret[:, -1])
    gaps, means = np.array([[0.0, 0.25], [0.25, 0.0]]), np.stack([result.means, result.means[:, ::-1]])
    drawn = replace(made_up(replicates=2), gaps=gaps, means=means)
    first = 0.5 * drawn.pulls[0, :2, 1].sum() - 0.25 * drawn.pulls[0, 2, 1]
    second = 0.5 * drawn.pulls[1, :2, 0].sum() - 0.25 * drawn.pulls[1, 2, 0]
    assert drawn.regret_as_paid == pytest.approx([first, second])


@pytest.mark.parametrize(
    ("what", "how"),
    [
        ("regret_of_agents", "per_agent=True"),
        ("own_regret_so_far", "per_agent=True"),
        ("realised_regret", "realised=True"),
    ],
)
def test_what_was_not_asked_for_says_how_to_ask(what, how):
    with pytest.raises(ValueError, match=rf"^result 'made up' has no [a-z ]+: simulate with {how}$"):
        getattr(made_up(), what)


def test_regret_of_agents_is_not_known_where_means_change():
    pulls = RNG.integers(0, 5, (5, 2, 3, 2))
    with pytest.raises(ValueError, match=r"^result 'made up' has no constant means: "):
        _ = replace(made_up(), lost=np.zeros((5, 2)), agent_pulls=pulls).regret_of_agents


# --- Settling -----------------------------------------------------------------------------------------------


def test_settled_and_agreed_are_the_round_of_the_last_agent():
    decisions = np.array([[1, 1, 1], [1, 0, 1], [1, -1, 1], [0, 0, 0]])
    decided_at = np.array([[3, 7, 5], [2, 8, 4], [3, 0, 5], [1, 1, 1]])
    result = replace(made_up(replicates=4), decisions=decisions, decided_at=decided_at)
    assert result.settled_at.tolist() == [7, 8, 0, 1]
    assert result.agreed_at.tolist() == [7, 0, 0, 1]
    summary = result.summary()
    assert (summary["settled_share"], summary["agreed_share"]) == (0.75, 0.5)
    assert (summary["settled_at"], summary["agreed_at"]) == (pytest.approx(16 / 3), 4.0)
    never = replace(result, decisions=np.full((4, 3), -1), decided_at=np.zeros((4, 3), np.int64))
    assert (never.settled_at == 0).all()
    assert np.isnan(never.summary()["agreed_at"])


def test_who_is_gone_is_not_waited_for():
    """Agent 1 has left, agent 2 sleeps through the last round by its recording: only who is there in the end counts."""
    decisions, decided_at = np.array([[1, -1, 1], [1, 0, 1]]), np.array([[3, 0, 5], [2, 8, 4]])
    whole = replace(made_up(replicates=2), decisions=decisions, decided_at=decided_at)
    result = replace(whole, configuration={**whole.configuration, "gone": [1]})
    assert whole.settled_at.tolist() == [0, 8]
    assert result.settled_at.tolist() == [5, 4]
    assert result.agreed_at.tolist() == [5, 4]
    summary = result.summary()
    assert [summary[name] for name in ("decided_share", "settled_share", "agreed_share")] == [1.0, 1.0, 1.0]
    nobody = replace(whole, configuration={**whole.configuration, "gone": [0, 1, 2]})
    assert nobody.settled_at.tolist() == nobody.agreed_at.tolist() == [0, 0]
    assert np.isnan(nobody.summary()["decided_share"])


def test_a_result_names_those_who_are_not_there_in_the_last_round():
    world = fm.Bernoulli([[0.0, 1.0]] * 3), fm.ErdosRenyi(nx.complete_graph(3), 1.0)
    left = fm.Presence(absences=[(0, 2), (1, 3, 9), (2, 5, 10)])
    result = fm.simulate(fm.UCB(), *world, horizon=10, presence=left, engine="interpreted")
    assert result.configuration["gone"] == [0, 2]
    assert "gone" not in fm.simulate(fm.UCB(), *world, horizon=10, engine="interpreted").configuration


# --- Saving and loading -----------------------------------------------------------------------------------


def test_round_trip(tmp_path):
    result = made_up()
    result.save(tmp_path / "a" / "b")
    same(fm.load(tmp_path / "a" / "b"), result)


def test_round_trip_with_means(tmp_path):
    result = with_tastes(lost=RNG.uniform(size=(5, 2)))
    result.save(tmp_path / "out")
    loaded = fm.load(tmp_path / "out")
    same(loaded, result)
    assert (loaded.means == result.means).all()
    assert (loaded.lost == result.lost).all()


def test_round_trip_of_what_is_there_on_request(tmp_path):
    more = {
        "agent_pulls": RNG.integers(0, 9, (5, 2, 3, 2)),
        "realised": RNG.uniform(size=(5, 2, 3)),
        "offered": RNG.uniform(size=(5, 2, 2)),
        "observed": {"gossip": RNG.uniform(size=(5, 2, 3, 2)), "active": RNG.integers(0, 2, (5, 2, 3, 2)).astype(bool)},
    }
    results = {"one": with_tastes(name="one", **more), "two": made_up("two")}
    save(results, tmp_path / "out")
    loaded = fm.load(tmp_path / "out")
    for name, result in results.items():
        same(loaded[name], result)
        assert list(loaded[name].observed) == list(result.observed)
    for name in ("agent_pulls", "realised", "offered"):
        assert (getattr(loaded["one"], name) == more[name]).all()
    for name, array in more["observed"].items():
        assert loaded["one"].observed[name].dtype == array.dtype
        assert (loaded["one"].observed[name] == array).all()


def test_round_trip_of_several(tmp_path):
    results = {name: made_up(name) for name in ("one", "two")}
    save(results, tmp_path / "out")
    loaded = fm.load(tmp_path / "out")
    assert list(loaded) == ["one", "two"]
    for name, result in results.items():
        same(loaded[name], result)


def test_round_trip_of_a_game_under_attack(tmp_path):
    world = fm.Bernoulli([[0.9, 0.1], [0.8, 0.3]]), fm.Static(nx.path_graph(2))
    options = {"horizon": 30, "replicates": 3, "engine": "interpreted", "progress": False}
    result = fm.simulate(fm.S3Cert(delta=0.9), *world, **options, corruption=fm.FlipRandom(budget=5.5), verification=50)
    assert result.corruption_spent.any()
    assert (result.verified > 0).all()
    result.save(tmp_path / "out")
    loaded = fm.load(tmp_path / "out")
    same(loaded, result)
    assert (loaded.corruption_spent == result.corruption_spent).all()


def test_an_empty_folder_is_used_and_nothing_is_left_beside_it(tmp_path):
    (tmp_path / "out").mkdir()
    made_up().save(tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["curves.npz", "result.json"]


def test_a_folder_in_use_is_refused_and_left_alone(tmp_path):
    (tmp_path / "note.txt").write_text("mine")
    with pytest.raises(ValueError, match=r"exists and is not empty; choose another$"):
        made_up().save(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["note.txt"]


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "out").write_text("mine")
    with pytest.raises(ValueError, match=r"exists and is not empty"):
        made_up().save(tmp_path / "out")
    assert (tmp_path / "out").read_text() == "mine"


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match=r"^folder .*out: cannot be written \(.+\)$"):
        made_up().save(tmp_path / "file" / "out")


@pytest.mark.parametrize("existing", [False, True])
def test_when_saving_fails_nothing_is_half_written(tmp_path, monkeypatch, existing):
    def full(file, **arrays):
        file.write_bytes(b"PK")
        raise OSError(28, "No space left on device")

    if existing:
        (tmp_path / "out").mkdir()
    monkeypatch.setattr(np, "savez_compressed", full)
    with pytest.raises((OSError, ValueError), match="No space left"):
        made_up().save(tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == (["out"] if existing else [])
    assert not existing or list((tmp_path / "out").iterdir()) == []


def test_loading_what_is_not_there(tmp_path):
    with pytest.raises(ValueError, match=r"^folder .*: no result there \(result\.json is missing\)$"):
        fm.load(tmp_path)


@pytest.fixture
def saved(tmp_path):
    return made_up().save(tmp_path / "out")


def test_loading_without_curves(saved):
    (saved / "curves.npz").unlink()
    with pytest.raises(ValueError, match=r"no result there \(curves\.npz is missing\)$"):
        load_all(saved)


def edit(folder, **changes):
    head = json.loads((folder / "result.json").read_text())
    (folder / "result.json").write_text(json.dumps({**head, **changes}))


def without_digest(folder):
    """As version 0.1.0 wrote it."""
    head = json.loads((folder / "result.json").read_text())
    head.pop("digest")
    (folder / "result.json").write_text(json.dumps({**head, "format": 2}))


def test_another_format_is_refused(saved):
    edit(saved, format=99)
    with pytest.raises(DamagedFile, match=r"format 99, this version reads 2 to 4\)$"):
        load_all(saved)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '"x"', '{"format": 1}', '{"format": 1, "results": [{}]}'])
def test_a_damaged_head_is_refused_in_one_line(saved, text):
    (saved / "result.json").write_text(text)
    with pytest.raises(DamagedFile, match=r"^folder [^\n]*\Z"):
        load_all(saved)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 not a zip", b"\x80\x04."])
def test_damaged_curves_are_refused_in_one_line(saved, content):
    (saved / "curves.npz").write_bytes(content)
    with pytest.raises(DamagedFile, match=r"^folder [^\n]*\Z"):
        load_all(saved)


def test_a_missing_array_is_refused(saved):
    with np.load(saved / "curves.npz") as arrays:
        kept = {name: arrays[name] for name in arrays.files if name != "0.pulls"}
    np.savez(saved / "curves.npz", **kept)
    without_digest(saved)
    with pytest.raises(DamagedFile, match=r"^folder [^\n]*0\.pulls"):
        load_all(saved)


def test_objects_in_the_curves_are_never_unpickled(saved):
    with np.load(saved / "curves.npz") as arrays:
        kept = {name: arrays[name] for name in arrays.files}
    kept["0.pulls"] = np.array([{"an": "object"}], dtype=object)
    np.savez(saved / "curves.npz", **kept)
    without_digest(saved)
    with pytest.raises(DamagedFile, match=r"an array of object; expected numbers"):
        load_all(saved)


def test_provenance_names_versions_and_sources(saved):
    provenance = fm.load(saved).provenance
    assert {"folkmoot", "sources", "python", "numpy", "numba", "platform"} <= set(provenance)
    shutil.rmtree(saved)


def moving(first, second, change):
    return fm.Piecewise([(1, fm.Bernoulli([first] * 2)), (change, fm.Bernoulli([second] * 2))])


@pytest.mark.parametrize("law", [moving([0.9, 0.1, 0.4], [0.2, 0.3, 0.4], 11), fm.Bernoulli([[0.2, 0.9, 0.4]] * 2)])
def test_the_best_arm_is_the_one_with_the_smallest_average_gap(law):
    """Where means move none is best in every round; the average over 30 rounds is (10 * 0.9 + 20 * 0.2) / 30 = 0.43."""
    network = fm.Static(nx.complete_graph(2))
    result = fm.simulate(fm.UCB(), law, network, horizon=30, engine="interpreted", progress=False)
    assert (result.gaps.min() > 0.0) == isinstance(law, fm.Piecewise)
    assert result.best.tolist() == (result.gaps == result.gaps.min()).tolist()
    assert result.best.sum() == 1
    if isinstance(law, fm.Piecewise):
        assert result.best.tolist() == [True, False, False]
        page = pulls_by_arm({"UCB": result}, 1)
        assert "0 (best)" in page
        assert page.count("(best)") == 1


def test_arms_that_tie_on_average_are_all_best():
    tied = moving([0.9, 0.1, 0.0], [0.1, 0.9, 0.0], 16)
    result = fm.simulate(
        fm.UCB(), tied, fm.Static(nx.complete_graph(2)), horizon=30, engine="interpreted", progress=False
    )
    assert result.best.tolist() == [True, True, False]
