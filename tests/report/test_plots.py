import io
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from made_results import CHECKPOINTS, make
from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from scipy import stats

from folkmoot.report.plots import look, plot_communication, plot_regret, plot_setting


def texts(legend):
    return [text.get_text() for text in legend.get_texts()]


def drawn(figure):
    """The figure after a real drawing: a canvas without a backend draws nothing."""
    figure.savefig(io.BytesIO(), format="png")
    return figure


def test_axes_and_legend_say_what_is_shown(results):
    axes = plot_regret(results)
    assert isinstance(axes, Axes)
    assert axes.get_xlabel() == "round"
    assert axes.get_ylabel().replace("\n", " ") == "cumulative expected regret, summed over agents"
    assert texts(axes.get_legend()) == ["Lone", "DrFed", "GSE"]  # in the order of the curves' ends
    assert "95 %" in axes.get_legend().get_title().get_text()


def test_the_line_is_the_mean_and_the_band_students_interval(results):
    axes = plot_regret(results)
    bands = [c for c in axes.collections if isinstance(c, PolyCollection)]
    assert len(bands) == 3
    for band, (name, result) in zip(bands, results.items(), strict=True):
        line = next(line for line in axes.lines if line.get_label() == name)
        np.testing.assert_array_equal(line.get_xdata(), CHECKPOINTS)
        np.testing.assert_allclose(line.get_ydata(), result.regret.mean(axis=0))
        final = result.regret[:, -1]
        expected = stats.t.interval(0.95, len(final) - 1, final.mean(), stats.sem(final))
        edge = band.get_paths()[0].vertices
        at_end = edge[edge[:, 0] == CHECKPOINTS[-1], 1]
        np.testing.assert_allclose([at_end.min(), at_end.max()], expected)


def test_per_agent_divides_and_says_so(results):
    axes = plot_regret(results, per_agent=True)
    line = next(line for line in axes.lines if line.get_label() == "GSE")
    np.testing.assert_allclose(line.get_ydata(), results["GSE"].regret.mean(axis=0) / 4)
    assert axes.get_ylabel() == "cumulative expected regret per agent"


def test_one_replicate_is_a_line_without_band():
    axes = drawn(plot_regret({"A": make(replicates=1)}, log_x=True, log_y=True))
    assert not axes.collections
    assert [line.get_label() for line in axes.lines] == ["A"]
    assert axes.get_legend().get_title().get_text() == ""
    drawn(plot_communication({"A": make(replicates=1)}))


def test_logarithmic_axes(results):
    axes = drawn(plot_regret(results, log_x=True, log_y=True))
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    axes = drawn(plot_regret(results))
    assert (axes.get_xscale(), axes.get_yscale()) == ("linear", "linear")


@pytest.mark.parametrize("log", [False, True])
def test_no_regret_at_all_is_drawn(log):
    nothing = make(wrong=0.0, noise=0.0)
    assert nothing.regret.sum() == 0.0
    axes = drawn(plot_regret({"A": nothing}, log_x=log, log_y=log))
    low, high = axes.get_ylim()
    assert low < high


def test_given_axes_are_used(results):
    axes = Figure().subplots()
    assert plot_regret(results, ax=axes) is axes
    assert len(axes.lines) >= 3


def test_names_are_written_as_they_are():
    names = ["_hidden", "$x^2$", r"$\bad{$", "a\x00b", "n\u00a0o"]
    axes = drawn(plot_regret({name: make(name, 0.1 + 0.05 * n) for n, name in enumerate(names)}))
    assert sorted(texts(axes.get_legend())) == sorted(["_hidden", "$x^2$", r"$\bad{$", "a\ufffdb", "n\u00a0o"])


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("many", [8, 25, 70])
def test_every_name_of_a_long_legend_is_within_the_figure(many):
    name = "number {} of a grid, with a name of two lines"
    axes = drawn(plot_regret({name.format(n): make(str(n), 0.1 + 0.001 * n) for n in range(many)}))
    figure = axes.figure
    frame, legend = figure.bbox, axes.get_legend().get_window_extent()
    assert frame.y0 <= legend.y0
    assert legend.y1 <= frame.y1
    assert legend.x1 <= frame.x1
    assert figure.get_figheight() < 7.2  # it keeps its shape
    named = len(axes.get_legend().get_texts())
    assert named == {8: 8, 25: 12, 70: 12}[many]
    assert (f"{named} of {many} named" in axes.get_legend().get_title().get_text()) == (named < many)


def test_looks_differ_without_colour():
    assert len({look(n) for n in range(315)}) == 315
    grey = [(str(look(n).dashes), look(n).marker, look(n).face == "white") for n in range(9)]
    assert len(set(grey)) == 9


def test_communication_against_regret(results):
    (axes,) = drawn(plot_communication(results)).axes
    assert axes.get_xlabel().startswith("megabytes sent")
    points = {line.get_label(): (line.get_xdata()[0], line.get_ydata()[0]) for line in axes.lines}
    for name, result in results.items():
        assert points[name] == pytest.approx((result.bytes.mean() / 1e6, result.regret[:, -1].mean()))
    (axes,) = plot_communication(results, messages=True).axes
    assert axes.get_xlabel().startswith("messages sent")


@pytest.mark.parametrize(
    ("sent", "scale"),
    [
        ((0, 2_000_000), "linear"),
        ((0, 200_000, 90_000_000), "symlog"),
        ((200_000, 90_000_000), "log"),
        ((0, 0), "linear"),
    ],
)
def test_scale_of_what_is_sent(sent, scale):
    many = {str(n): make(str(n), 0.1 + 0.01 * n, sent=value) for n, value in enumerate(sent)}
    (axes,) = drawn(plot_communication(many)).axes
    assert axes.get_xscale() == scale
    low, high = axes.get_xlim()
    unit = 1e6 if max(sent) >= 1e5 else 1e3
    assert all(low <= value / unit <= high for value in sent)


def test_one_setting_is_sorted_and_gaps_do_not_matter():
    curves = {"A": ([3.0, 1.0, 2.0], [0.1, 0.1, float("nan")]), "B": ([1.0, 1.0, float("nan")], [0.1] * 3)}
    (axes,) = drawn(plot_setting("p $", [0.9, 0.1, 0.3], curves)).axes
    line = next(line for line in axes.lines if line.get_label() == "A")
    np.testing.assert_array_equal(line.get_xdata(), [0.1, 0.3, 0.9])
    np.testing.assert_array_equal(line.get_ydata(), [1.0, 2.0, 3.0])


def test_what_is_expected_at_most_is_a_line_and_what_is_measured_are_points_of_its_colour():
    curves = {"A": ([3.0, 1.0], [0.1, 0.1]), "B": ([1.0, 1.0], [0.1, 0.1])}
    (axes,) = drawn(plot_setting("p", [2, 1], curves, most={"A": [4.0, 2.0], "B": [2.0, 2.0]})).axes
    points = next(line for line in axes.lines if line.get_label() == "A")
    (bound,) = [line for line in axes.lines if list(line.get_ydata()) == [2.0, 4.0]]
    assert points.get_linestyle() == "None"
    assert points.get_color() == bound.get_color()
    assert bound.get_marker() == "None"
    assert axes.get_legend().get_title().get_text() == "points: mean, 95 % interval\nlines: most on average, derived"


def test_without_an_interval_the_legend_claims_none():
    (axes,) = drawn(plot_setting("p", [1, 2], {"A": ([1.0, 2.0], [float("nan")] * 2)})).axes
    assert axes.get_legend().get_title().get_text() in ("", "None")


@pytest.mark.parametrize("wrong", [{}, {"A": 1}, [1], {1: make()}])
def test_what_is_no_result_is_refused(wrong):
    with pytest.raises(ValueError, match="results"):
        plot_regret(wrong)


def test_a_notebook_sees_a_picture(results):
    assert plot_regret(results)._repr_png_().startswith(b"\x89PNG")


def test_settings_of_the_user_stay(results):
    before = dict(rcParams)
    drawn(plot_regret(results))
    assert dict(rcParams) == before


def test_importing_the_package_does_not_import_matplotlib_and_reports_never_pyplot():
    code = (
        "import sys, folkmoot; assert 'matplotlib' not in sys.modules; "
        "from folkmoot.report import bandits, chains, consortia; assert 'matplotlib' in sys.modules; "
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_band_of_standard_deviations_says_so(results):
    axes = drawn(plot_regret(results, band="sd"))
    bands = [c for c in axes.collections if isinstance(c, PolyCollection)]
    for band, result in zip(bands, results.values(), strict=True):
        expected = (result.regret.mean(axis=0) + result.regret.std(axis=0, ddof=1))[-1]
        assert band.get_paths()[0].vertices[:, 1].max() == pytest.approx(expected)
    assert "standard deviation" in axes.get_legend().get_title().get_text()
    axes = plot_regret(results)
    assert "95 % interval" in axes.get_legend().get_title().get_text()


def test_another_band_is_refused(results):
    with pytest.raises(ValueError, match=r"^band = 'se': allowed are 'interval' and 'sd'$"):
        plot_regret(results, band="se")


def test_regret_of_another_goal_and_realised_regret_have_their_label():
    means = np.array([[0.75, 0.5, 0.25]] * 3 + [[0.25, 0.5, 0.75]])
    made = make(means=means)
    pulls = np.stack([made.pulls // 7 * (c + 1) for c in range(7)], axis=1)
    one = replace(made, agent_pulls=pulls, offered=np.ones((5, 7, 3)), realised=np.ones((5, 7, 4)))
    for of, values, label in (
        ("own_regret", one.own_regret_so_far, "own best arms"),
        ("realised_regret", np.full((5, 7), -3.0), "realised regret"),
    ):
        axes = drawn(plot_regret({"A": one}, of=of))
        (line,) = [line for line in axes.lines if line.get_label() == "A"]
        assert line.get_ydata() == pytest.approx(values.mean(axis=0))
        assert axes.get_ylim()[0] <= min(0.0, values.min())
        assert label in axes.get_ylabel()
    with pytest.raises(ValueError, match=r"^of = 'own': allowed are 'regret', 'own_regret', 'realised_regret'$"):
        plot_regret({"A": one}, of="own")
    with pytest.raises(ValueError, match="simulate with per_agent=True"):
        plot_regret({"A": made}, of="own_regret")


def test_styles_are_those_of_matplotlib(results):
    axes = drawn(plot_regret(results, styles={"GSE": {"c": "#ff0000", "ls": ":"}}, lw=0.7))
    lines = {line.get_label(): line for line in axes.lines}
    assert lines["GSE"].get_color() == "#ff0000"
    assert lines["GSE"].get_linestyle() == ":"
    assert {lines[name].get_linewidth() for name in results} == {0.7}
    bands = [band for band in axes.collections if isinstance(band, PolyCollection)]
    assert tuple(bands[0].get_facecolor()[0][:3]) == (1.0, 0.0, 0.0)
    with pytest.raises(
        ValueError, match=r"^styles\['GS'\]: there is no such result; there are 'GSE', 'DrFed', 'Lone'$"
    ):
        plot_regret(results, styles={"GS": {}})


def test_it_writes_pdf(results, tmp_path):
    plot_regret(results).savefig(tmp_path / "regret.pdf")
    assert (tmp_path / "regret.pdf").read_bytes().startswith(b"%PDF")
