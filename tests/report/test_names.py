"""Names in figures: literal, short enough, legible in any script; different names stay different."""

import io
from pathlib import Path

import pytest
from made_results import make
from matplotlib import font_manager

from folkmoot.report import writing
from folkmoot.report.html import render
from folkmoot.report.plots import plot_regret
from folkmoot.report.shorter import shortened


def test_long_names_are_cut_and_stay_different():
    names = ["a" * 300, "a" * 150 + "b" + "a" * 149, "short", "a" * 300, "$" * 61]
    short = shortened(names)
    assert [len(name) <= 60 for name in short] == [True] * 5
    assert short[2] == "short"
    assert short[0] == short[3]
    assert len(set(short)) == 4
    assert short[1].endswith(" (2)")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("GSE", "GSE"),
        ("algorithme \u00e0 \u00e9", "algorithme \u00e0 \u00e9"),
        ("\u0430\u043b\u0433\u043e", "\u0430\u043b\u0433\u043e"),  # Cyrillic is in matplotlib's font
        ("\u4e2d", "[4E2D]"),
        ("\u30a2\u30eb", "aru"),
        ("\ud55c", "han"),
        ("\u0916\u094b", "khao"),
        ("\U0001f98a", "[fox face]"),
        ("a\uff27", "aG"),  # a letter with a simpler form
    ],
)
def test_what_no_font_has_is_written_in_latin_letters(monkeypatch, name, said):
    monkeypatch.setattr(writing, "_fonts", list)
    writing._font_of.cache_clear()
    assert writing.legible(name) == (said, [])
    assert writing.notes([name, "UCB"]) == (
        [f"No font of the machine that drew the figures has all characters: there they show {name} as {said}."]
        if said != name
        else []
    )
    writing._font_of.cache_clear()


def test_a_font_that_has_the_characters_is_taken(monkeypatch):
    """Mathematical letters: not in the usual font, but in one that comes with matplotlib."""
    found = [("STIXGeneral", file) for family, file in writing._fonts() if family == "STIXGeneral"]
    assert found
    monkeypatch.setattr(writing, "_fonts", lambda: [("nothing", "/nowhere.ttf"), *found])
    writing._font_of.cache_clear()
    assert writing.legible("\u2aa7") == ("\u2aa7", ["STIXGeneral"])
    writing._font_of.cache_clear()


def test_of_a_family_the_font_of_usual_weight_is_taken(monkeypatch):
    """Matplotlib lists fonts in the order of a folder, which differs between machines; bold ones have less in them."""
    fonts = font_manager.fontManager.ttflist
    for order in (fonts, fonts[::-1]):
        monkeypatch.setattr(font_manager.fontManager, "ttflist", order)
        writing._fonts.cache_clear()
        assert Path(dict(writing._fonts())["STIXGeneral"]).name == "STIXGeneral.ttf"
    writing._fonts.cache_clear()


@pytest.mark.filterwarnings("error")
def test_no_name_warns_or_fails_and_the_report_says_what_was_written():
    names = ["\u4e2d\u6587", "x" * 300, r"$\frac{", "\U0001f98a", "</script>"]
    results = {name: make(name, 0.1 + 0.02 * n) for n, name in enumerate(names)}
    plot_regret(results).savefig(io.BytesIO(), format="png")
    page = render("T", results)
    assert ("there they show" in page) == any(writing.notes(names))
    assert all(name in page for name in names[:4])
