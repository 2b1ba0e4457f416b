"""The table of practice: who votes and lies how, what is divided, and that the tables say what cells said."""

import csv

import numpy as np
import pytest

pytest.importorskip("safetensors", reason="needs the extra `multiparty`")
pytest.importorskip("sklearn", reason="needs the extra `multiparty`")

from folkmoot.multiparty.exchange.ballots import Ballot, Counted
from folkmoot.reproductions.claims import Claims


def test_a_vote_counts_shares_of_those_who_know_a_class_and_the_mean_breaks_ties(paper):
    claims = np.array([[True, True, False], [True, True, False], [False, True, True]])
    scores = np.array([[[0.6, 0.4, 0.0]], [[0.3, 0.7, 0.0]], [[0.0, 0.4, 0.6]]])
    # Class 0 has 1 vote of 2, class 1 has 1 of 3, class 2 has 1 of 1.
    assert paper("practice_play").vote(scores, claims).tolist() == [2]
    both = claims[:2]
    assert paper("practice_play").vote(scores[:2], both).tolist() == [1]  # 1 of 2 each; means .45 and .55


def test_the_worst_lie_is_the_wrong_class_that_is_nearest_to_the_truth(paper):
    claims = np.ones((3, 3), bool)
    scores = np.array([[[0.7, 0.2, 0.1]], [[0.6, 0.1, 0.3]], [[0.9, 0.05, 0.05]]])
    told = paper("practice_worlds").lies(scores, np.array([0]), claims, (2,))
    assert told[2].tolist() == [[0.0, 0.0, 1.0]]  # honest means .65, .15, .2; the truth is 0
    assert np.array_equal(told[:2], scores[:2])


@pytest.mark.parametrize("name", ["digits", "wine", "cancer", "clouds", "mnist", "shapes"])
def test_so_many_owners_of_a_class_lie(paper, name):
    setting = paper("practice_worlds").SETTINGS[name]
    labels = range(1 + max(max(classes) for classes in setting.classes))
    owners = [{i for i, classes in enumerate(setting.classes) if c in classes} for c in labels]
    assert all(len(one) == 4 for one in owners)
    for number, liars in enumerate(setting.liars, start=1):
        assert max(len(one & set(liars)) for one in owners) == number


def test_no_sample_is_given_twice_and_a_world_depends_on_its_seed_only(paper):
    worlds = paper("practice_worlds")
    made, again = worlds.world("wine", 2), worlds.world("wine", 2)
    given = [part[0] for h in made.holdings for part in (h.own, h.check)]
    rows = np.concatenate([*given, made.pool[0], made.test[0]])
    assert len(np.unique(rows, axis=0)) == len(rows) == 178
    x = made.test[0]
    for one, other in zip(made.learners, again.learners, strict=True):
        assert np.array_equal(one.scores(x), other.scores(x))
    assert made.kinds == ["logistic", "forest", "boosting", "network", "logistic", "forest"]


def test_who_adapts_lies_in_all_it_sends_to_hmr_and_nobody_else_does(paper):
    made = paper("practice_worlds").world("wine", 1)
    hmr = paper("practice_play").Deceived(made.learners, [h.own for h in made.holdings], 3, 1)
    hmr.liars = (0, 4)
    sent = hmr.calibrate(6)
    false = [one.label != made.holdings[one.sender].own[1][one.sample] for one in sent]
    assert false == [one.sender in hmr.liars for one in sent]
    assert any(false)
    assert [one.draw for one in sent] == sorted({one.draw for one in sent})


def test_who_adapts_reveals_blends_and_votes_for_all_of_it(paper):
    """A forest among liars is trained as that of others, and what others know of its classes is new to it."""
    play, made = paper("practice_exchange"), paper("practice_worlds").world("wine", 1)
    models = paper("practice_models").models_of(made)
    liar, honest = play._members(made, models, 0.0, (1,))[1], play._members(made, models, 0.0, ())[1]
    committee = play.Committee(models, play.Terms(3, made.test[0].shape[1:], edition=2))
    told, true = (one.reveal(committee, 3, np.random.default_rng(1)) for one in (liar, honest))
    assert len(told) == len(true) == 6
    assert not all(np.array_equal(a[0], b[0]) for a, b in zip(told, true, strict=True))
    assert liar.voted(Ballot((), (Counted(0, 3, 0, 4),))).counts == (Counted(0, 0, 4, 4),)
    assert made.kinds[1] == "forest"
    new = liar.retrained(models[1], made.test[0][:2], play.Retraining(), np.random.default_rng(1))
    assert new is not None


def test_a_cell_plays_every_row_in_its_columns(paper, tmp_path):
    practice, play = paper("practice"), paper("practice_play")
    told = play.play_world({"data": "wine", "seed": 1, "budget": 2}, tmp_path)
    told["rows"] |= paper("practice_exchange").play_exchange({"data": "wine", "seed": 1}, tmp_path)["rows"]
    assert set(told["rows"]) == set(practice.ROWS)
    for row, columns in told["rows"].items():
        assert all(0.0 <= value <= 1.0 for value in columns.values())
        if row.startswith(("HMR", "BEMA")):
            assert set(columns) == set(practice.COLUMNS) - set(practice.ADAPTING)  # there are no ten parties
    assert told["revealed"]["HMR clean"] <= 2
    assert told["revealed"]["epochs"] == 4
    # Nobody sees what liars do in the clean column: the mean of all and of the honest are one.
    assert told["rows"]["mean"]["clean"] == told["rows"]["mean of the honest models"]["clean"]


def _pretended(practice, screened, exchanged=None):
    rows = {row: dict.fromkeys(practice.COLUMNS, 0.9) for row in practice.ROWS}
    rows["screened mean"] = dict.fromkeys(practice.COLUMNS, screened)
    rows["mean"] = {"clean": 0.9}
    rows[practice.EXCHANGED] = dict.fromkeys(practice.COLUMNS, 0.93 if exchanged is None else exchanged)
    revealed = {"pool": 20, "HMR clean": 100, "BEMA clean": 61}
    revealed |= {f"{practice.EXCHANGED} clean": 24, f"{practice.FEWER} clean": 12}
    return {"rows": rows, "revealed": revealed, "kinds": ["forest"], "own": [30], "check": [9], "seconds": 1.0}


@pytest.mark.parametrize(("screened", "held"), [(0.895, True), (0.88, False)])
def test_the_table_says_what_cells_said_and_a_default_that_loses_fails(paper, tmp_path, screened, held, capsys):
    practice = paper("practice")
    told = {name: [_pretended(practice, screened)] * 3 for name in ("wine", "shapes")}
    assert practice.report(Claims("bema/practice", tmp_path), told) is held
    rows = {(row[0], row[1]): row[2:] for row in csv.reader((tmp_path / "practice.csv").open())}
    assert rows["wine", "HMR as published"][:2] == ["3", "100"]
    assert rows["wine", "BEMA, the mean of its models"][1] == "61"
    assert rows["wine", "stacking on the public pool"][1] == "20"
    assert rows["wine", "mean"] == ["3", "0", "0.900 ± 0.000", *[""] * 7]  # not played: not shown
    by_seed = list(csv.reader((tmp_path / "practice-seeds.csv").open()))
    assert ["shapes (drawn)", "3", practice.EXCHANGED, "0.930", "0.930", "0.930"] in by_seed
    assert not any(row[0] == "wine" for row in by_seed)
    assert (tmp_path / "practice-liars.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "practice.png").read_bytes().startswith(b"\x89PNG")
    assert capsys.readouterr().out.count("FAILS") == (0 if held else 4)


@pytest.mark.parametrize(
    ("exchanged", "failing"),
    [
        (0.93, 0),
        (0.925, 1),
        (0.885, 4),
    ],  # 3 points above the mean; 1 below the better of .9 and .9; 1 below no exchange
)
def test_an_exchange_that_brings_too_little_or_falls_to_liars_fails(paper, tmp_path, exchanged, failing, capsys):
    practice = paper("practice")
    told = {"shapes": [_pretended(practice, 0.9, exchanged)] * 3}
    assert practice.report(Claims("bema/practice", tmp_path), told) is (failing == 0)
    assert capsys.readouterr().out.count("FAILS") == failing


def test_without_mnist_the_others_are_played_and_it_is_said(paper, monkeypatch, tmp_path, capsys):
    practice, asked = paper("practice"), []

    def missing(name):
        raise ValueError("mnist: not found in this place")

    monkeypatch.setattr(practice, "where", missing)
    monkeypatch.setattr(
        practice,
        "played",
        lambda names, seeds, *_: asked.extend(names) or {n: [_pretended(practice, 0.9)] * len(seeds) for n in names},
    )
    assert practice.practice(tmp_path, 1, False)
    assert "mnist" not in asked
    assert len(asked) == 5
    assert "MNIST is left out: mnist: not found in this place" in capsys.readouterr().out
