"""The reproduction of BEMA: tables say what its cells say, and cells are played in processes of their own."""

import csv
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `multiparty`")
pytest.importorskip("safetensors", reason="needs the extra `multiparty`")
pytest.importorskip("sklearn", reason="needs the extra `multiparty`")

from made_digits import digits

from folkmoot.multiparty import Party, TorchModel, register_architecture
from folkmoot.world.datasets import where


def _rows(path):
    with path.open() as file:
        return {row[0]: row[1:] for row in csv.reader(file)}


def _pretend(lost):
    """A cell's accuracy: 0.9, 0.001 a seed, and `lost(cell)` for all messages bogus."""

    def played(cells, cache, jobs, progress):
        told = {}
        for c in cells:
            curve = [0.9 + 0.001 * c.seed - lost(c) * c.share - 0.0001 * (at == 0) for at in c.at]
            told[c] = {"cell": {"method": c.method}, "krum": curve, "max": curve, "mean": [v + 0.01 for v in curve],
                       "accepted": 1000, "seconds": 30.0, "refused": {"foreign": 200, "margin": 34}}  # fmt: skip
        return told

    return played


def test_table_1_has_the_mean_of_its_seeds_beside_the_paper_s_number(paper, monkeypatch, tmp_path, capsys):
    table1 = paper("table1")
    monkeypatch.setattr(table1, "play_all", _pretend(lambda c: 0.4 if c.method == "HMR" else 0.02))
    assert table1.table1(tmp_path, 1, False)
    rows = _rows(tmp_path / "table1.csv")
    assert rows["BEMA 50, paper"] == ["", "0.7316", "0.7228", "0.7012", "0.6804"]
    # Mean of seeds 1 to 3: 0.902. Student, 2 degrees of freedom: 4.3027 * 0.001 / sqrt(3) = 0.0025.
    assert rows["HMR 20, ours"] == [f"{v:.4f} ± 0.0025" for v in (0.9019, 0.902, 0.862, 0.822, 0.702)]
    assert rows["BEMA 10, printed rules, ours"][-1] == "0.8920 ± 0.0025"
    assert _rows(tmp_path / "table1-samples.csv")["BEMA 10"] == ["1,000 of 1,234"] * 4 + ["30"]
    reused = _rows(tmp_path / "table1-published.csv")
    assert reused["HMR as published 20, the surest model"] == [f"{v:.4f} ± 0.0025" for v in (0.9019, 0.902, 0.892)]
    assert reused["HMR as published 50, the mean"] == [f"{v:.4f} ± 0.0025" for v in (0.9119, 0.912, 0.902)]
    assert reused["HMR as published, with public images 20, seed 1, Krum predictor"] == ["0.9009", "0.9010", "0.8910"]
    assert len(reused) == 1 + 3 * 3 + 3 * 3


def test_hmr_with_public_images_trains_on_them_in_each_epoch_as_none_of_mine(paper):
    reuse = paper("reuse")
    given = []

    class NoteTaking:
        classes = (0, 1)

        def scores(self, x):
            return np.zeros((len(x), 2), np.float32)

        def retrain(self, x, y):
            given.append((x.tolist(), y.tolist()))

    learner = reuse.Reminded(NoteTaking(), np.array([[7.0]]), np.array([5]))
    learner.retrain(np.array([[1.0], [2.0]]), np.array([0, 1]))
    assert given == [([[1.0], [2.0], [7.0]], [0, 1, 5])]
    assert learner.classes == (0, 1)
    assert learner.scores(np.zeros((3, 1))).shape == (3, 2)


@pytest.mark.parametrize("reminded", [False, True])
def test_only_public_images_of_digits_a_party_does_not_know_are_added(paper, monkeypatch, reminded):
    reuse, (x, y) = paper("reuse"), digits()
    trained, parties = [], []
    for classes in ((0, 1, 2, 3), (3, 4, 5)):
        mine = np.isin(y, classes)
        module = partial(torch.nn.Linear, 64, len(classes) + 1)
        model = SimpleNamespace(module=module, classes=classes, reserved=True)
        parties.append(SimpleNamespace(model=model, x=x[mine], y=y[mine]))
    monkeypatch.setattr(
        reuse.NetworkLearner, "retrain", lambda self, given, labels: trained.append((self.classes, labels.tolist()))
    )
    reuse.play_reuse(parties, 0.0, 1, 105, (0, 4), 0.75, (x, y), (x[:50], y[:50]) if reminded else None)
    assert len(trained) == 2 * 4
    for classes, labels in trained:
        own = int(np.isin(y, classes).sum())
        public = [label for label in y[:50].tolist() if label not in classes]
        assert labels[len(labels) - len(public) :] == public if reminded else len(labels) <= own + 8


@pytest.mark.parametrize(
    ("lost", "failing"),
    [
        (lambda c: 0.3 if c.method == "HMR" else 0.17, "BEMA loses 8.5 points"),
        (lambda c: 0.03 if c.method == "HMR" else 0.02, "HMR loses 1.5 points"),
        (
            lambda c: 0.4 if c.method == "HMR" else 0.15 * (c.rules == "printed") + 0.05,
            "printed rules: BEMA loses 10.0",
        ),
    ],
)
def test_table_1_fails_where_the_pattern_is_missed(paper, monkeypatch, tmp_path, capsys, lost, failing):
    table1 = paper("table1")
    monkeypatch.setattr(table1, "play_all", _pretend(lost))
    assert not table1.table1(tmp_path, 1, False)
    assert any(line.startswith("FAILS") and failing in line for line in capsys.readouterr().out.splitlines())


def test_the_map_and_the_ablation_say_which_rules_hold(paper, monkeypatch, tmp_path, capsys):
    hard = paper("hard")
    monkeypatch.setattr(hard, "play_all", _pretend(lambda c: 0.02 if c.rules == "hardened" and not c.without else 1.0))
    assert hard.hard(tmp_path, 1, False)
    assert hard.ablation(tmp_path, 1, False)
    assert hard.study(tmp_path, 1, False)
    found = _rows(tmp_path / "ablation.csv")
    assert found["all three"] == ["0.8920 ± 0.0025 (1,000)", *["0.8910 (1,000)"] * 2]  # the others are of seed 1
    assert found["without foreign"] == ["0.4020 ± 0.0025 (1,000)", *["0.4010 (1,000)"] * 2]
    assert "FAILS" not in capsys.readouterr().out


@pytest.mark.parametrize("name", ["fig6a", "fig6d"])
def test_a_figure_is_drawn_with_its_table(paper, monkeypatch, tmp_path, name):
    figure6 = paper("figure6")
    monkeypatch.setattr(figure6, "play_all", _pretend(lambda c: 0.0))
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "centralised.txt").write_text("0.98")
    assert figure6.curves(name, tmp_path, 1, False)
    assert (tmp_path / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    rows = _rows(tmp_path / f"{name}.csv")
    plain = "mean of the models, nothing learnt"
    assert rows.pop(plain) == ["0.9119 ± 0.0025", "", "", "0"]
    assert all(row[-1] == "1,000" for label, row in rows.items() if label)
    assert "±" in rows["HMR as published, 105 samples"][0]
    (control,) = [(label, row) for label, row in rows.items() if label.startswith("local training alone")]
    assert ("±" in control[1][0], "seed 1" in control[0]) == ((False, True) if name == "fig6a" else (True, False))


def _mnist():
    try:
        where("mnist")
    except ValueError:
        return False
    return True


@pytest.mark.skipif(not _mnist(), reason="needs MNIST: folkmoot data fetch mnist")
def test_cells_are_played_in_processes_that_never_loaded_the_paper_and_kept(paper, tmp_path):
    cells = paper("cells")
    both = [cells.Cell("2 skewed", method, 0.5, 1, at=(0, 1), alpha=1.0) for method in ("BEMA", "HMR")]
    told = cells.play_all(both, tmp_path, 2, False)
    assert list(told) == both
    for cell, one in told.items():
        assert one["cell"]["method"] == cell.method
        assert all(0.5 < value <= 1.0 for value in one["krum"] + one["max"])
        assert one["accepted"] > 0 or one["refused"]
    log, times = (tmp_path / "cells.jsonl").read_bytes(), {p: p.stat().st_mtime_ns for p in tmp_path.rglob("models/*")}
    assert cells.play_all(both, tmp_path, 1, False) == told  # read again, nothing is trained or played
    assert (tmp_path / "cells.jsonl").read_bytes() == log
    assert {p: p.stat().st_mtime_ns for p in tmp_path.rglob("models/*")} == times


def _layer(outputs):
    return torch.nn.Linear(64, outputs)


def _five():
    """Five parties of two digits each, untrained, and images to look at."""
    register_architecture("a-layer", _layer)
    images, labels = digits()
    parties = []
    for i in range(5):
        rows = np.flatnonzero(labels[:400] // 2 == i)
        torch.manual_seed(i)
        model = TorchModel(torch.nn.Linear(64, 3), [2 * i, 2 * i + 1], reserved=True, architecture="a-layer")
        parties.append(Party(f"p{i}", model, images[rows], labels[rows]))
    return parties, (images[400:600], labels[400:600])


def test_hmr_as_published_is_played_from_the_same_models_and_its_budget_is_spread_over_the_iterations(paper):
    """After a fifth of the iterations 21 samples were sent, each to two parties that train an epoch."""
    parties, test = _five()
    told = paper("reuse").play_reuse(parties, 0.0, 1, 50, (0, 10), 0.75, test)
    scores = [party.model.scores(test[0]) for party in parties]
    first = np.concatenate(scores, axis=1).argmax(axis=1)
    assert told["max"][0] == told["mean"][0] == (first == test[1]).mean()
    assert told["accepted"] == 21
    assert sum(told["epochs"]) == 42
    assert len(told["max"]) == len(told["krum"]) == 2


def test_the_control_of_a_figure_trains_as_many_epochs_in_all_spread_evenly_and_nothing_is_sent(paper):
    parties, test = _five()
    told = paper("reuse").play_reuse(parties, 0.0, 1, 50, (0, 1, 10), 0.75, test, alone=True)
    assert told["epochs"] == [9, 9, 8, 8, 8]
    assert told["accepted"] == 0
    again = paper("reuse").play_reuse(parties, 0.0, 1, 50, (10,), 0.75, test, alone=True)
    assert again["max"] == told["max"][-1:]  # however often one looks
