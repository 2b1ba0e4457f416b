import csv
import io
from dataclasses import replace
from math import isnan

import numpy as np
import pytest
from made_results import make
from scipy import stats

from folkmoot.report.arms import pulls_by_arm
from folkmoot.report.tables import (
    curves_csv,
    default_reference,
    difference_matrix,
    final_table,
    paired_difference,
    paired_differences,
    summary_csv,
)


def test_final_values(results):
    for row, (name, result) in zip(final_table(results), results.items(), strict=True):
        final = result.regret[:, -1]
        low, high = stats.t.interval(0.95, len(final) - 1, final.mean(), stats.sem(final))
        assert row.name == name
        assert (row.regret_mean, row.regret_low, row.regret_high) == pytest.approx((final.mean(), low, high))
        assert row.regret_per_agent_high == pytest.approx(high / 4)
        assert row.bytes == pytest.approx(result.bytes.mean())
        assert row.best_arm_share == pytest.approx(result.pulls[:, :, 0].sum() / result.pulls.sum())
        assert row.agent_steps_per_second == pytest.approx(4 * 1_000 / 0.5)


def test_paired_difference_is_the_paired_t_test(results):
    a, b = (results[name].regret[:, -1] for name in ("DrFed", "GSE"))
    test = stats.ttest_rel(a, b)
    expected = test.confidence_interval(0.95)
    found = paired_difference(results, "DrFed", "GSE")
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert found.mean == pytest.approx((a - b).mean())
    assert found.ratio == pytest.approx(a.mean() / b.mean())
    assert found.significant == (test.pvalue < 0.05)
    assert found.replicates == 5


def test_significance_follows_the_t_test_over_many_pairs():
    said = set()
    for seed in range(40):
        pair = {"A": make("A", 0.20, seed=seed), "B": make("B", 0.22, seed=seed)}
        test = stats.ttest_rel(pair["A"].regret[:, -1], pair["B"].regret[:, -1])
        found = paired_difference(pair, "A", "B").significant
        assert found == (test.pvalue < 0.05)
        said.add(found)
    assert said == {True, False}  # both answers occurred


def test_replicates_are_paired_by_number_not_by_place():
    whole = make("A", 0.1, replicates=5)
    late = make("B", 0.3, replicates=3, first=2)
    found = paired_difference({"A": whole, "B": late}, "B", "A")
    expected = late.regret[:, -1] - whole.regret[2:, -1]
    assert found.replicates == 3
    assert found.mean == pytest.approx(expected.mean())


def test_the_same_outcome_is_no_difference():
    found = paired_difference({"A": make("A"), "B": make("B")}, "A", "B")
    assert (found.mean, found.low, found.high, found.ratio, found.significant) == (0.0, 0.0, 0.0, 1.0, False)


def test_one_replicate_has_no_interval():
    found = paired_difference({"A": make("A", 0.1, 1), "B": make("B", 0.2, 1)}, "A", "B")
    assert found.significant is None
    assert isnan(found.low)
    assert found.mean < 0


def test_no_ratio_to_nothing():
    found = paired_difference({"A": make("A"), "Z": make("Z", 0.0, noise=0.0)}, "A", "Z")
    assert isnan(found.ratio)


def test_the_reference_is_the_first_that_is_no_oracle(results):
    oracle = make("Central", 0.01, kind="CentralUCB")
    everything = {"Central": oracle, **results}
    assert default_reference(everything) == "GSE"
    assert default_reference({"Central": oracle}) == "Central"
    assert [(d.name, d.reference) for d in paired_differences(everything)] == [
        ("Central", "GSE"),
        ("DrFed", "GSE"),
        ("Lone", "GSE"),
    ]
    assert [d.name for d in paired_differences(everything, "Lone")] == ["Central", "GSE", "DrFed"]


def test_all_pairs_are_antisymmetric(results):
    matrix = difference_matrix(results)
    assert len(matrix) == 6
    for (a, b), pair in matrix.items():
        other = matrix[b, a]
        assert (pair.mean, pair.low, pair.high) == pytest.approx((-other.mean, -other.high, -other.low))


@pytest.mark.parametrize(
    "change",
    [{"seed": 1}, {"horizon": 999}, {"rewards": {"type": "Bernoulli"}}, {"network": {"type": "Static"}}],
)
def test_different_worlds_are_not_paired(results, change):
    other = replace(results["GSE"], configuration={**results["GSE"].configuration, **change})
    with pytest.raises(ValueError, match="different worlds"):
        paired_difference({"A": results["GSE"], "B": other}, "A", "B")


def test_different_gaps_are_a_different_world(results):
    other = replace(results["GSE"], gaps=np.array([0.0, 0.1, 0.5]))
    with pytest.raises(ValueError, match="different worlds"):
        paired_difference({"A": results["GSE"], "B": other}, "A", "B")


def test_bad_references_and_disjoint_replicates_are_refused(results):
    with pytest.raises(ValueError, match=r"reference 'nobody': unknown; there are 'GSE', 'DrFed', 'Lone'"):
        paired_differences(results, "nobody")
    with pytest.raises(ValueError, match="no replicate in common"):
        paired_difference({"A": make(), "B": make(first=5)}, "A", "B")


def test_csv_can_be_read_back(results):
    hostile = 'a,"b"\nc'
    everything = {**results, hostile: make(hostile, 0.2, replicates=1)}
    rows = list(csv.DictReader(io.StringIO(summary_csv(everything))))
    assert [row["name"] for row in rows] == ["GSE", "DrFed", "Lone", hostile]
    assert float(rows[0]["regret_mean"]) == final_table(results)[0].regret_mean  # full precision
    assert rows[3]["regret_low"] == "" == rows[3]["regret_std"]
    assert None not in rows[3]


def test_curves_as_csv_have_mean_deviation_and_interval(results):
    everything = {**results, "one": make("one", 0.2, replicates=1)}
    rows = list(csv.DictReader(io.StringIO(curves_csv(everything))))
    assert len(rows) == 4 * 7
    values = results["DrFed"].regret[:, 3]
    (row,) = [row for row in rows if row["algorithm"] == "DrFed" and row["round"] == "30"]
    low, high = stats.t.interval(0.95, 4, values.mean(), stats.sem(values))
    found = [float(row[name]) for name in ("mean", "std", "low", "high", "replicates")]
    assert found == pytest.approx([values.mean(), stats.tstd(values), low, high, 5])
    assert rows[-1]["what"] == "regret"
    assert rows[-1]["std"] == "" == rows[-1]["low"]


def test_pulls_by_arm_are_of_the_honest_agents():
    """Agents 0 to 2 pull arm 0, the liar arm 2."""
    made = make("A", replicates=2)
    pulls = np.zeros_like(made.pulls)
    pulls[:, :3, 0], pulls[:, 3, 2] = 1_000, 1_000
    all_honest = pulls_by_arm({"A": replace(made, pulls=pulls)}, 1)
    assert "over agents, rounds" in all_honest
    assert "75.0\u202f%" in all_honest
    lied_to = replace(made, pulls=pulls, configuration={**made.configuration, "liars": {"agents": [3]}})
    page = pulls_by_arm({"A": lied_to}, 1)
    assert "over honest agents, rounds" in page
    assert "100.0\u202f%" in page
    assert "25.0\u202f%" not in page
    by_rank = pulls_by_arm({"A": replace(lied_to, gaps=np.tile(made.gaps, (2, 1)))}, 1)
    assert "over honest agents" in by_rank
    assert "100.0\u202f%" in by_rank
