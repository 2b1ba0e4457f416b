"""Grids of many cells: one figure of one shape, coloured by what was swept."""

import io

import numpy as np
import pytest
from made_games import chain, consortium
from made_results import make
from matplotlib.collections import LineCollection

from folkmoot.report import bandits, chains, consortia
from folkmoot.report.files import Told
from folkmoot.report.sweeps import are_many, main_settings, plot_grid, plot_sweep
from folkmoot.report.worlds import rows_of, worlds_of


def cell(label, wrong, **settings):
    made = make(f"{label}, {settings}", wrong, replicates=2)
    network = {**made.configuration["network"], "link_probability": settings.get("p", 0.5)}
    return made.configured(cell={"label": label, "settings": settings}, network=network)


def grid(values, labels=("GSE", "UCB")):
    made = [cell(label, 0.1 + 0.001 * n, p=value) for n, value in enumerate(values) for label in labels]
    return {result.name: result for result in made}


NUMBERS = [round(0.1 + 0.9 * n / 59, 4) for n in range(60)]


def panels(figure):
    """Those with curves that have a colour each."""
    return [
        axes
        for axes in figure.axes
        if any(one.get_array() is not None and isinstance(one, LineCollection) for one in axes.collections)
    ]


def curves(axes):
    return next(one for one in axes.collections if isinstance(one, LineCollection)).get_segments()


def test_sixty_values_keep_the_shape_of_the_figure():
    results = grid(NUMBERS)
    figure = plot_grid(rows_of(results))
    figure.savefig(io.BytesIO(), format="png")
    width, height = figure.get_size_inches()
    assert 1.0 < width / height < 2.0
    below = panels(figure)
    assert [axes.get_title() for axes in below] == ["GSE", "UCB"]
    assert [len(curves(axes)) for axes in below] == [60, 60]
    last = results[f"GSE, {{'p': {NUMBERS[-1]}}}"]
    assert curves(below[0])[-1][-1].tolist() == [1_000, last.regret[:, -1].mean()]
    above = figure.axes[0]
    assert above.get_xlabel() == "p"
    drawn = {line.get_label(): line for line in above.lines}
    assert np.allclose(drawn["GSE"].get_xdata(), NUMBERS)
    assert drawn["GSE"].get_ydata()[-1] == last.regret[:, -1].mean()


@pytest.mark.parametrize(
    "words", [[f"word {n} $x$ " + "w" * 30 for n in range(20)], [{"type": "a", "n": n} for n in range(20)]]
)
def test_words_stand_on_the_axes_and_are_literal(words):
    figure = plot_sweep(rows_of(grid(words, "A")))
    figure.savefig(io.BytesIO(), format="png")
    ticks = [text.get_text() for text in figure.axes[0].get_xticklabels()]
    assert len(ticks) == len(set(ticks)) == 10
    assert all(len(text) <= 18 for text in ticks)


def test_each_algorithm_has_the_setting_it_was_swept_in():
    made = [cell("A", 0.1, c1=n / 10, late=bool(n % 2)) for n in range(20)] + [cell("B", 0.1, e=n) for n in range(20)]
    rows = rows_of({result.name: result for result in made} | {"C": make("C")})
    assert main_settings(rows) == {"A": "c1", "B": "e", "C": ""}
    figure = plot_sweep(rows)
    assert [axes.get_xlabel() for axes in figure.axes[:2]] == ["c1", "e"]
    assert {line.get_label() for line in figure.axes[0].lines} >= {"A", "C"}
    assert [len(curves(axes)) for axes in panels(figure)] == [20, 20, 1]


def test_few_cells_are_drawn_as_before():
    assert not are_many(worlds_of(rows_of(grid(NUMBERS[:12]))))
    assert are_many(worlds_of(rows_of(grid(NUMBERS[:13]))))
    with pytest.raises(ValueError, match="rows"):
        plot_sweep([])


def test_the_report_of_sixty_values_is_small_and_says_each_setting_once():
    links = [[i, j] for i in range(40) for j in range(50, 100)]
    results = {
        name: result.configured(network={**result.configuration["network"], "edge_list": links})
        for name, result in grid(NUMBERS).items()
    }
    made = bandits.contents(Told("T", results))
    page = made["report.html"].decode()
    assert len(page) < 1_000_000
    assert page.count("[0, 50], [0, 51]") == 1
    assert "Figure 1. Above" in page.replace("<b>", "").replace("</b>", "")
    assert page.count("<tr>") > 60


@pytest.mark.parametrize(("draw", "made"), [(chains._regret_of_the_honest, chain), (consortia._curves, consortium)])
def test_many_games_are_one_figure_too(draw, made):
    games = {}
    for n in range(20):
        name = f"cost = {n}"
        games[name] = made(name).configured(cell={"label": "A", "settings": {"cost": n}})
    figure = draw(games)
    assert [len(curves(axes)) for axes in panels(figure)] == [20]
    assert figure.axes[0].get_xlabel() == "cost"
    assert panels(draw(dict(list(games.items())[:5]))) == []
