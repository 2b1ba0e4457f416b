"""What makes a drawing quick changes nothing that is seen."""

import subprocess
import sys

import matplotlib
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.ticker import NullLocator

from folkmoot.report.axes import with_light_ticks
from folkmoot.report.page import fixed_style, svg_bytes
from folkmoot.report.plots import figure_of, plot_regret


def pixels(axes):
    canvas = FigureCanvasAgg(figure_of(axes))
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())


@pytest.mark.parametrize(("log_x", "log_y"), [(True, True), (True, False), (False, True), (False, False)])
def test_light_ticks_look_like_those_of_matplotlib(results, log_x, log_y):
    with fixed_style():
        usual, light = (plot_regret(results, log_x=log_x, log_y=log_y) for _ in range(2))
        assert with_light_ticks(light) is light
        assert (pixels(light) == pixels(usual)).all()
    assert isinstance(light.xaxis.get_minor_locator(), NullLocator) or not log_x
    assert len(light.lines) - len(usual.lines) == sum(  # a line of marks, where no small tick has a number
        a.get_scale() == "log" and not any(text.get_text() for text in a.get_minorticklabels())
        for a in (usual.xaxis, usual.yaxis)
    )


def test_light_ticks_leave_numbers_between_powers_of_ten_alone(results):
    with fixed_style():
        usual, light = (plot_regret(results, log_y=True) for _ in range(2))
        for axes in (usual, light):
            axes.set_ylim(20.0, 80.0)
        assert (pixels(with_light_ticks(light)) == pixels(usual)).all()
    numbers = [text.get_text() for text in light.yaxis.get_minorticklabels()]
    assert "40" in numbers


def test_the_users_settings_do_not_show_and_are_put_back(results):
    with fixed_style():
        usual = svg_bytes(figure_of(plot_regret(results)))
    with matplotlib.rc_context({"axes.facecolor": "red", "font.size": 20.0, "timezone": "Europe/Berlin"}):
        before = dict(matplotlib.rcParams.items())
        with fixed_style():
            assert svg_bytes(figure_of(plot_regret(results))) == usual
        assert dict(matplotlib.rcParams.items()) == before


def test_without_its_texts_of_help_matplotlib_draws_the_same():
    code = """
import sys, hashlib
from contextlib import nullcontext
from folkmoot.report.loading import without_help
with without_help() if sys.argv[1] == "without" else nullcontext():
    import matplotlib.artist
    from folkmoot.report import page, plots
    with page.fixed_style():
        axes = plots.Chart(figsize=(4, 3)).add_subplot(axes_class=plots.Plot)
        axes.plot([1, 2, 3], [1, 4, 9], "o--", label="a")
        axes.grid(True, color="0.8")
        axes.legend()
        drawn = page.svg_bytes(axes.figure)
from matplotlib.lines import Line2D
print(hashlib.sha256(drawn).hexdigest(), "antialiased" in Line2D.set.__doc__, bool(matplotlib.artist.kwdoc(Line2D)))
"""
    said = [
        subprocess.run([sys.executable, "-c", code, how], capture_output=True, text=True, check=True).stdout.split()
        for how in ("with", "without")
    ]
    assert [one[1:] for one in said] == [["True", "True"], ["False", "True"]]
    assert said[0][0] == said[1][0]


def test_where_matplotlib_is_loaded_it_keeps_its_help():
    from matplotlib.artist import kwdoc

    from folkmoot.report.loading import without_help

    with without_help():
        assert matplotlib.artist.kwdoc is kwdoc
