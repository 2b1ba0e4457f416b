"""Shares over few replicates: no interval leaves what a share can be, and means of counts are the same everywhere."""

import numpy as np
import pytest
from matplotlib.collections import LineCollection, PolyCollection

pytest.importorskip("sklearn", reason="needs the extra `multiparty`")

from folkmoot.multiparty.games.result import ConsortiumResult
from folkmoot.report import consortia
from folkmoot.report.curves import plot_groups, plot_shares
from folkmoot.report.shared import percent_and_interval

WIDE = np.array([[0.9, 0.1], [1.0, 0.2]])  # two replicates: half-widths of 0.64


def result(replicates=2):
    verdicts = np.zeros((replicates, 2, 2), np.int64)
    verdicts[:, 0, 0] = 16
    verdicts[-1, 0, 0] = 17
    return ConsortiumResult(
        name="BEMA",
        configuration={"verdicts": ["accepted", "margin"], "parties": ["party 0", "party 1"]},
        accuracy=np.resize(WIDE[:, ::-1], (replicates, 2)),
        per_class=np.zeros((replicates, 2, 2)),
        verdicts=verdicts,
        protection=np.zeros((replicates, 2), np.int64),
        admitted=np.ones((replicates, 2), bool),
        seconds=np.ones(replicates),
    )


def test_an_interval_in_words_ends_where_shares_end():
    said = percent_and_interval(WIDE[:, 0])
    assert said.startswith("95.0")
    assert said.endswith("(31.5 to 100.0)")
    assert percent_and_interval(np.array([0.5, 0.5, 0.6])).endswith("± 14.3")
    assert percent_and_interval(np.array([0.1, 0.2]), least=-1.0).endswith("± 63.5")  # a difference may be below 0


def test_bands_and_bars_end_where_shares_end():
    (axes,) = plot_shares(np.arange(2), {"A": WIDE}, "x", "y").axes
    (band,) = (c for c in axes.collections if isinstance(c, PolyCollection))
    heights = band.get_paths()[0].vertices[:, 1]
    assert heights.min() == 0.0
    assert heights.max() == 1.0
    (axes,) = plot_groups(["0", "1"], {"A": WIDE}, "x", "y").axes
    (bars,) = (c for c in axes.collections if isinstance(c, LineCollection))
    ends = np.concatenate([path.vertices[:, 1] for path in bars.get_paths()])
    assert ends.min() == pytest.approx(0.0)
    assert ends.max() == pytest.approx(1.0)


@pytest.mark.parametrize(("replicates", "sentences"), [(1, 0), (2, 1), (3, 0)])
def test_the_console_shows_no_impossible_interval_and_says_when_there_are_few(replicates, sentences):
    _, rows, said = consortia.terminal({"BEMA": result(replicates)})
    assert len(said) == sentences
    assert all("says little" in sentence for sentence in said)
    if replicates == 2:
        assert rows[0][3] == "31.47% to 100.00%"


def test_means_of_samples_are_rounded_alike():
    results = {"BEMA": result()}
    _, rows, _ = consortia.terminal(results)
    assert rows[0][4] == "16.5"
    assert ">16.5<" in consortia._accuracy(results)[1]
    assert ">16.5<" in consortia._senders("BEMA", results["BEMA"], 2)


def test_every_letter_of_the_table_of_protection_is_explained():
    said = consortia._protection({"BEMA": result()})
    for meaning in ("K of them are honest", "m scores are averaged", "f lie"):
        assert meaning in said


def test_a_mark_on_the_edge_is_whole():
    (axes,) = plot_groups(["0", "1"], {"A": np.array([[0.0, 1.0], [0.0, 1.0]])}, "x", "y").axes
    (marks,) = (line for line in axes.lines if line.get_label() == "A")
    assert not marks.get_clip_on()
