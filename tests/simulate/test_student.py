import pytest
from scipy.stats import t as student

from folkmoot.simulation.student import student_quantile


@pytest.mark.parametrize("level", [0.5, 0.9, 0.95, 0.99])
@pytest.mark.parametrize("df", [1, 2, 3, 4, 7, 10, 19, 20, 99, 500, 999, 1_000, 5_000, 10**7])
def test_quantiles_are_those_of_scipy(level, df):
    assert student_quantile(level, df) == pytest.approx(student.ppf(0.5 + level / 2, df), rel=1e-12)


def test_known_values():
    """With one degree of freedom the quartile of Cauchy's distribution is 1."""
    assert student_quantile(0.5, 1) == pytest.approx(1.0, rel=1e-15)
    assert round(student_quantile(0.95, 9), 3) == 2.262


@pytest.mark.parametrize(("level", "df"), [(0.0, 3), (1.0, 3), (float("nan"), 3), (0.9, 0)])
def test_what_has_no_quantile_is_refused(level, df):
    with pytest.raises(ValueError, match="expected a level from 0 to 1"):
        student_quantile(level, df)
