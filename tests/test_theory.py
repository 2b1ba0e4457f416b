"""The calculator against values worked out elsewhere, against simulation, and against itself."""

import math

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from folkmoot import theory


@pytest.mark.parametrize(("n", "c"), [(16, 0.972), (34, 0.903), (100, 0.779), (1000, 0.601)])
def test_theorem_1_at_ten_thousand_rounds(n: int, c: float) -> None:
    assert theory.link_threshold(n, 10_000) == pytest.approx(c, abs=5e-4)


@pytest.mark.parametrize(
    ("m", "c", "q"),
    [(10, 2, 0.704), (20, 2, 0.262), (20, 4, 0.369), (20, 5, 0.434), (20, 10, 0.711), (34, 2, 0.100), (100, 10, 0.048)],
)
def test_theorem_3_at_ten_thousand_rounds(m: int, c: int, q: float) -> None:
    assert theory.across_threshold(m, c, 10_000) == pytest.approx(q, abs=5e-4)


def test_theorem_3_with_every_agent_a_cluster_is_theorem_1() -> None:
    assert theory.across_threshold(20, 20, 10_000) == pytest.approx(theory.link_threshold(20, 10_000))


def test_theorem_1_falls_with_agents_and_rises_with_the_horizon() -> None:
    assert theory.link_threshold(16, 10**4) > theory.link_threshold(17, 10**4) > 0.5
    assert theory.link_threshold(16, 10**5) > theory.link_threshold(16, 10**4)


def test_theorem_5_never_asks_for_less_than_theorem_3() -> None:
    for clusters in (2, 4, 50):
        for horizon in (1, 100, 10**6):
            assert theory.chebyshev_threshold(clusters, horizon, 0.5) > 1.0


def test_theorem_9_a_longer_period_needs_fewer_links() -> None:
    q = [theory.across_threshold(20, 4, 10_000, period=period) for period in (1, 2, 3)]
    assert q[0] > q[1] > q[2]
    assert (1 - q[1]) ** 2 == pytest.approx(1 - q[0])
    assert theory.period_needed(q[1], 20, 4, 10_000) == 2
    assert theory.period_needed(q[1] * 0.99, 20, 4, 10_000) == 3


def test_lemma_4_against_simulation() -> None:
    """40,000 rounds of two clusters of five agents: within five standard deviations of the binomial."""
    q, rounds = 0.03, 40_000
    joined = (np.random.default_rng(0).random((rounds, 25)) < q).any(axis=1).mean()
    p = theory.cluster_link_probability(q, 10, 2)
    assert abs(joined - p) < 5 * (p * (1 - p) / rounds) ** 0.5


def test_at_the_threshold_the_graphs_of_a_run_are_connected() -> None:
    """2,000 graphs of 12 agents at c(T = 2,000, eps = 0.01): all connected, as happens with probability 0.99."""
    n, rounds = 12, 2_000
    c, dice = theory.link_threshold(n, rounds, 0.01), np.random.default_rng(1)
    for _ in range(rounds):
        upper = np.triu(dice.random((n, n)) < c, 1)
        assert connected_components(csr_array(upper), directed=False)[0] == 1


def test_single_agents_and_clusters_need_no_links() -> None:
    assert theory.link_threshold(1, 100) == 0.0
    assert theory.across_threshold(20, 1, 100) == 0.0
    assert theory.period_needed(0.5, 20, 1, 100) == 1


@pytest.mark.parametrize(("n", "gap", "needed"), [(5, 0.258, 3.3e5), (10, 0.185, 3.4e5), (20, 0.133, 3.5e5)])
def test_theorem_3_of_shi_asks_for_more_pulls_than_there_are(n: int, gap: float, needed: float) -> None:
    """The paper's experiment (K = 20, d = 5, T = 10^4; delta = 0.01): gaps of 0.1 cannot be certified at all."""
    sizes = {"n_arms": 20, "n_objectives": 5, "n_agents": n, "horizon": 10_000, "delta": 0.01}
    assert theory.verification_needed(0.1, **sizes) == pytest.approx(needed, rel=0.015)
    assert theory.verification_needed(0.1, **sizes) > n * 10_000
    assert theory.gap_certifiable(n * 10_000, **sizes) == pytest.approx(gap, abs=5e-4)
    assert theory.verification_needed(theory.gap_certifiable(1234, **sizes), **sizes) == pytest.approx(1234)


def test_theorem_3_of_shi_term_by_term() -> None:
    nu = theory.verification_needed(0.2, 3, 2, 5, 700, delta=0.05, lipschitz=1.5, c=4.0)
    assert nu == pytest.approx(4 * 3 * 1.5**2 * np.log(2 * 2 * 3 * 5 * 700 / 0.05) / 0.2**2)
    assert theory.verification_needed(0.2, 3, 2, 5, 700) == theory.verification_needed(0.2, 3, 2, 5, 700, delta=1 / 700)


def test_theorem_3_of_shi_constant_makes_certificates_a_quarter_of_the_gap_wide() -> None:
    """nu / K samples of an arm: eps = sqrt(lg / (2 nu / K)), so gap / 4 asks for nu = 8 K lg / gap^2."""
    gap, k, lg = 0.3, 4, np.log(2 * 1 * 4 * 6 * 1000 / 0.01)
    nu = theory.verification_needed(gap, k, 1, 6, 1000, delta=0.01)
    assert np.sqrt(lg / (2 * nu / k)) == pytest.approx(gap / 4)


def test_a_harmonic_sum_exceeds_the_logarithm_it_is_bounded_by_in_theorem_1_of_shi() -> None:
    """Its eq. 42 says sum_{r <= m} 1/r <= log(1 + m); false for every m, 1 + log m is right."""
    for m in (1, 2, 10, 1000):
        harmonic = sum(1 / r for r in range(1, m + 1))
        assert np.log(1 + m) < harmonic <= 1 + np.log(m)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: theory.link_threshold(0, 10), "n_agents = 0"),
        (lambda: theory.across_threshold(4, 5, 10), "n_clusters = 5"),
        (lambda: theory.link_threshold(4, 0), "horizon = 0"),
        (lambda: theory.link_threshold(4, 10, 1.0), "eps = 1.0"),
        (lambda: theory.cluster_link_probability(1.2, 4, 2), "across = 1.2"),
        (lambda: theory.across_threshold(4, 2, 10, period=0), "period = 0"),
        (lambda: theory.period_needed(0.0, 4, 2, 10), "across = 0"),
        (lambda: theory.chebyshev_threshold(1, 10), "n_clusters = 1"),
        (lambda: theory.verification_needed(0.0, 4, 1, 2, 10), "gap_min = 0.0"),
        (lambda: theory.verification_needed(float("nan"), 4, 1, 2, 10), "gap_min = nan"),
        (lambda: theory.verification_needed(0.1, 0, 1, 2, 10), "n_arms = 0"),
        (lambda: theory.verification_needed(0.1, 4, 1, 2, 0), "horizon = 0"),
        (lambda: theory.verification_needed(0.1, 4, 1, 2, 10, delta=0.0), "delta = 0.0"),
        (lambda: theory.verification_needed(0.1, 4, 1, 2, 10, lipschitz=-1.0), "lipschitz = -1.0"),
        (lambda: theory.gap_certifiable(0, 4, 1, 2, 10), "verifications = 0"),
    ],
)
def test_errors_name_the_value(call, says: str) -> None:
    with pytest.raises(ValueError, match=says) as error:
        call()
    assert "\n" not in str(error.value)


def test_bc_ucb_theorem_1_by_hand():
    """(c + 1) L + |H| sum (4 C1 ln T / Delta + Delta pi^2 / 3) + |H| K l^(1 - T), gaps 0, 0.1 and 0.5, T = 1000."""
    learning = 4 * 2.0 * math.log(1000) * (1 / 0.1 + 1 / 0.5) + (0.1 + 0.5) * math.pi**2 / 3
    expected = 1.25 * 15 + 8 * learning + 8 * 3 * 2.0**-999
    assert theory.bc_ucb_bound([0.0, 0.1, 0.5], 8, 1000, 2.0, burn_in=15, cost=0.25) == pytest.approx(expected)


@pytest.mark.parametrize(
    "wrong", [{"gaps": [-0.1]}, {"n_honest": 0}, {"horizon": 1}, {"c1": 0.0}, {"burn_in": -1}, {"forgery": 1.0}]
)
def test_bc_ucb_bound_refuses(wrong):
    arguments = {"gaps": [0.0, 0.1], "n_honest": 8, "horizon": 100, "c1": 2.0, "burn_in": 10, **wrong}
    with pytest.raises(ValueError, match="expected"):
        theory.bc_ucb_bound(**arguments)
