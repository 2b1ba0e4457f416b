"""Lines of a theory in a figure: in the legend, beside what was measured, and never cut off."""

import numpy as np
import pytest

from folkmoot.report.plots import plot_setting
from folkmoot.report.theory_lines import add_lines

VALUES = (1.0, 2.0, 3.0)


def figure():
    return plot_setting("a setting", VALUES, {"ours": ([5.0, 6.0, 7.0], [1.0, 1.0, 1.0])})


def test_a_line_is_named_and_drawn_beside_the_measured_curve() -> None:
    axes = add_lines(figure(), {"Theorem 5.3 (order)": (VALUES, [8.0, 9.0, 10.0])}).axes[0]
    texts = [text.get_text() for text in axes.get_legend().get_texts()]
    assert texts == ["ours", "Theorem 5.3 (order)"]
    assert "thin: what is promised" in axes.get_legend().get_title().get_text()
    (line,) = (x for x in axes.lines if x.get_label() == "Theorem 5.3 (order)")
    np.testing.assert_array_equal(line.get_ydata(), [8.0, 9.0, 10.0])
    assert line.get_marker() in ("None", "", None)
    assert axes.get_yscale() == "linear"
    assert axes.get_ylim()[1] > 10.0


def test_a_line_far_above_makes_the_axis_logarithmic_and_stays_inside_it() -> None:
    axes = add_lines(figure(), {"Theorem 3": (VALUES, [1e5, 2e5, 3e5])}).axes[0]
    assert axes.get_yscale() == "log"
    low, high = axes.get_ylim()
    assert low < 5.0 < 3e5 < high


def test_no_line_is_an_error() -> None:
    with pytest.raises(ValueError, match="expected at least one"):
        add_lines(figure(), {})
