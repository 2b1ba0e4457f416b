"""Bounds of the calculator against their formulas, against closed cases, and against runs."""

import math

import networkx as nx
import numpy as np
import pytest

from folkmoot import theory
from folkmoot.algorithms.flood_threshold import sample_counts


def test_gse_theorem_5_3_term_by_term() -> None:
    """sum ln T / Delta + N^2 ln T / (p lambda) + K N^2 ln T / p."""
    bound = theory.gse_bound([0.0, 0.1, 0.5], 8, 0.25, 0.6, 1000)
    width = math.log(1000)
    assert bound == pytest.approx((12 * width, 64 * width / (0.25 * 0.6), 3 * 64 * width / 0.25))
    assert bound.total == pytest.approx(sum(bound))


def test_gse_corollary_5_4() -> None:
    """Complete: N ln T / p twice, once with K. Grid: the connectivity of the grid itself. Expander: lambda = degree."""
    gaps, width = [0.0, 0.3], math.log(500)
    complete = theory.gse_bound_on("complete", gaps, 16, 0.5, 500)
    assert complete[1:] == pytest.approx((16 * width / 0.5, 2 * 16 * width / 0.5))
    true = float(np.linalg.eigvalsh(nx.laplacian_matrix(nx.grid_2d_graph(4, 4)).toarray())[1])
    assert theory.gse_bound_on("grid", gaps, 16, 0.5, 500).gossip == pytest.approx(256 * width / (0.5 * true))
    assert theory.gse_bound_on("expander", gaps, 16, 0.5, 500, degree=4).gossip == pytest.approx(128 * width)


def test_gse_pulls_are_where_the_published_radius_is_a_quarter_of_the_gap() -> None:
    """m = pulls - L* - 2 solves sqrt(ln T / (N m)) + (tau* + sqrt N) / (N m) = gap / 4."""
    n, k, p, connectivity, horizon, gap = 16, 5, 0.9, 0.7380, 10_000, 0.25
    m = theory.gse_pulls(gap, k, n, p, connectivity, horizon) - k * math.log(horizon) / p - 2
    tau = n * math.log(horizon) / (p * connectivity)
    assert math.sqrt(math.log(horizon) / (n * m)) + (tau + math.sqrt(n)) / (n * m) == pytest.approx(gap / 4)


@pytest.mark.parametrize(
    ("connectivity", "printed"), [(0.1522, 751.28), (0.7380, 255.52), (3.9727, 133.92), (14.0, 112.47)]
)
def test_gse_regret_is_above_what_table_1_prints(connectivity: float, printed: float) -> None:
    """Gaps (0, .125, .25, .375, .5), N = 16, p = .9: a bound, at most five times what was measured."""
    bound = theory.gse_regret(np.arange(5) / 8, 16, 0.9, connectivity, 10_000) / 16
    assert printed < bound < 5 * printed


def test_gse_theorem_5_9_is_twice_the_classical_order() -> None:
    """Two arms, unit variance: 2 ln T / gap (Lai and Robbins with divergence gap^2 / 2); a share (1 - a) of it."""
    assert theory.gse_lower_bound([0.0, 0.5], 1000) == pytest.approx(4 * math.log(1000))
    assert theory.gse_lower_bound([0.0, 0.5], 1000, exponent=0.25) == pytest.approx(3 * math.log(1000))


def test_drfed_ucb_by_hand() -> None:
    """L + sum (max{4 C1 ln T / Delta^2, 2 (K^2 + M K)} + 2 pi^2 / (3 P) + K^2 + (2 M - 1) K), P = 1 - 7 eps."""
    each = 2 * math.pi**2 / (3 * 0.93) + 9 + 9 * 3
    learning = max(4 * 2 * math.log(1000) / 0.01, 2 * (9 + 15)) + max(4 * 2 * math.log(1000), 2 * (9 + 15))
    found = theory.drfed_ucb_bound([0.0, 0.1, 1.0], 5, 1000, 2.0, 30, eps=0.01)
    assert found == pytest.approx(30 + learning + 2 * each)


def test_ucb_sbm_meets_drfed_ucb_where_every_agent_is_a_cluster() -> None:
    gaps = [0.0, 0.2, 0.4]
    assert theory.ucb_sbm_bound(gaps, 20, 20, 10_000, 2.0, 100) == theory.drfed_ucb_bound(gaps, 20, 10_000, 2.0, 100)


def test_ucb_sbm_the_learning_part_is_linear_in_clusters_over_agents() -> None:
    """With gaps so small that learning is all there is."""
    gaps = [0.0, 1e-3]
    few, many = (theory.ucb_sbm_bound(gaps, 20, c, 10_000, 2.0, 0) for c in (2, 10))
    assert many / few == pytest.approx(5, rel=1e-3)


def test_theorem_10_inside_a_cluster_is_theorem_1_with_all_agents_in_the_union() -> None:
    """One cluster, period 1: the c of Theorem 1. In a period of l rounds the chance of no link is its l-th root."""
    assert theory.within_threshold(12, 1, 1000) == pytest.approx(theory.link_threshold(12, 1000))
    once, thrice = (theory.within_threshold(20, 4, 1000, period=period) for period in (1, 3))
    assert (1 - thrice) ** 3 == pytest.approx(1 - once)
    assert theory.within_threshold(20, 20, 1000) == 0.0


def test_theorem_10_at_its_threshold_every_window_is_connected() -> None:
    """400 windows of 3 rounds, 2 clusters of 8: all unions connected, as with probability 0.99."""
    p, dice = theory.within_threshold(16, 2, 400, 0.01, period=3), np.random.default_rng(2)
    for _ in range(400):
        for _cluster in range(2):
            union = np.triu((dice.random((3, 8, 8)) < p).any(axis=0), 1)
            assert nx.is_connected(nx.from_numpy_array(union | union.T))


def test_connected_probability_is_exact() -> None:
    """Three agents: 3 p^2 (1 - p) + p^3; eight agents against 4,000 draws, five standard deviations."""
    assert theory.connected_probability(3, 0.3) == pytest.approx(3 * 0.09 * 0.7 + 0.027)
    p, dice = theory.connected_probability(8, 0.35), np.random.default_rng(3)
    upper = np.triu(dice.random((4000, 8, 8)) < 0.35, 1)
    share = np.mean([nx.is_connected(nx.from_numpy_array(one | one.T)) for one in upper])
    assert abs(share - p) < 5 * (p * (1 - p) / 4000) ** 0.5


def test_single_cluster_by_hand() -> None:
    found = theory.single_cluster_bound([0.0, 0.5], 4, 1000, 0.25)
    assert found == pytest.approx(8 * math.log(1000) / (4 * 0.5) + 0.5 * (1 + math.pi**2 / 3) + 0.5 / 0.25)


def test_recovery_by_hand() -> None:
    """(apart / (8 s^2) + (M / C) (sqrt p' - sqrt q')^2) / ln M with s^2 = sigma^2 K / L."""
    means, burn_in = np.array([[0.1, 0.5], [0.4, 0.9]]), 50
    met, across = 1 - 0.99**50, 1 - 0.999**50
    rewards = (0.3**2 + 0.4**2) / (8 * 0.25 * 2 / burn_in)
    links = 10 / 2 * (met**0.5 - across**0.5) ** 2
    found = theory.recovery_signal(means, 10, 0.01, 0.001, burn_in)
    assert found == pytest.approx((rewards + links) / math.log(10))


def test_recovery_without_any_difference_is_nothing() -> None:
    assert theory.recovery_signal([[0.5], [0.5]], 10, 0.2, 0.2, 20) == 0.0


def test_effective_corruption_is_lemma_1_where_the_sharing_is_complete() -> None:
    """Six pulls of three agents in two rounds: all hold all (S1), one table (S2), everybody its own (S3)."""
    size, arm = np.array([0.5, 0.0, 0.25, 0.0, 0.0, 1.0]), np.array([0, 1, 1, 0, 0, 0])
    owner = np.array([0, 1, 2, 0, 1, 2])
    held = {"S1": np.ones((3, 6), bool), "S2": np.ones((1, 6), bool), "S3": owner == np.arange(3)[:, None]}
    for sharing, estimators in held.items():
        found = theory.effective_corruption(estimators, size, arm, 2)
        assert (found.multiplicity == theory.multiplicity(sharing, 3)).all()
        assert found.total == pytest.approx(1.75 * theory.multiplicity(sharing, 3))
        assert found.of_arm.sum() == pytest.approx(found.total)
        assert found.of_arm[1] == pytest.approx(0.25 * theory.multiplicity(sharing, 3))


def test_theorem_1_of_shi_term_by_term() -> None:
    """c L (sqrt(K N T lg) + Gamma_eff ln(1 + N T))."""
    lg = math.log(2 * 2 * 3 * 5 * 700 / 0.05)
    found = theory.corrupted_bound(40.0, 3, 2, 5, 700, delta=0.05, lipschitz=1.5, c=2.0)
    assert found == pytest.approx(2 * 1.5 * (math.sqrt(3 * 5 * 700 * lg) + 40 * math.log(3501)))


def test_theorem_3_of_shi_has_two_regimes() -> None:
    below = theory.certified_bound(100.0, 5000.0, 99, 100, 0.5, 10_000)
    above = theory.certified_bound(100.0, 5000.0, 100, 100, 0.5, 10_000)
    assert below == 5100.0
    assert above == theory.certified_bound(100.0, 10_000.0, 100, 100, 0.5, 10_000) == 150.0


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: theory.gse_bound([0.0, -0.1], 4, 0.5, 1.0, 10), "gaps"),
        (lambda: theory.gse_bound([0.0, 0.1], 4, 0.0, 1.0, 10), "link_probability = 0.0"),
        (lambda: theory.gse_bound([0.0, 0.1], 4, 0.5, 0.0, 10), "connectivity = 0.0"),
        (lambda: theory.gse_bound_on("grid", [0.1], 15, 0.5, 10), "n_agents = 15"),
        (lambda: theory.gse_bound_on("ring", [0.1], 15, 0.5, 10), "graph = 'ring'"),  # type: ignore[arg-type]
        (lambda: theory.gse_bound_on("expander", [0.1], 15, 0.5, 10), "degree = None"),
        (lambda: theory.gse_pulls(0.0, 2, 4, 0.5, 1.0, 10), "gap = 0.0"),
        (lambda: theory.gse_lower_bound([0.0, 0.1], 100, exponent=1.0), "exponent = 1.0"),
        (lambda: theory.ucb_sbm_bound([0.0, 0.1], 4, 2, 100, 2.0, 0, eps=0.2), "eps = 0.2"),
        (lambda: theory.within_threshold(5, 2, 100), "clusters of one size"),
        (lambda: theory.single_cluster_bound([0.0, 0.1], 4, 100, 0.0), "synchronised = 0"),
        (lambda: theory.recovery_signal([[0.5]], 4, 0.5, 0.5, 10), "cluster_means"),
        (lambda: theory.multiplicity("S4", 3), "sharing = 'S4'"),  # type: ignore[arg-type]
        (lambda: theory.effective_corruption([[True]], [0.1, 0.2], [0, 0], 1), "expected"),
        (lambda: theory.corrupted_bound(-1.0, 2, 1, 2, 10), "effective = -1.0"),
        (lambda: theory.certified_bound(-1.0, 0, 0, 0, 0, 0), "at least 0"),
    ],
)
def test_a_bad_argument_is_named(call, says: str) -> None:
    with pytest.raises(ValueError, match=says) as error:
        call()
    assert "\n" not in str(error.value)


# --- FloodSE: docs/decisions/0031-flood-se.md -----------------------------------------------------------------------

GAPS, FLOOD = [0.0, 0.3, 0.5], 40
POINTS = len(sample_counts(1.1, 1000))


def test_flood_lemma_4_equation_7() -> None:
    """F = (2 D + 4 ln(N^2 T / delta)) / p, rounded up."""
    assert theory.flood_rounds(8, 4, 0.5, 1000, 0.001) == math.ceil((8 + 4 * math.log(64 * 1000 / 0.001)) / 0.5)


def test_flood_se_theorem_2_equation_8() -> None:
    """sum of 16 beta sigma^2 L / Delta + N Delta (3 F + 4 K + d), L = ln((K - 1) E / delta), delta = 1/T."""
    width = math.log(2 * POINTS * 1000)
    found = theory.flood_se_bound(GAPS, 8, 1000, FLOOD, delay=7)
    expected = [16 * 1.1 * 0.25 * width / gap + 8 * gap * (3 * FLOOD + 4 * 3 + 7) for gap in GAPS[1:]]
    assert found == pytest.approx(sum(expected))
    anytime = math.log(2 * POINTS * (POINTS + 1) / 0.1)
    found = theory.flood_se_bound(GAPS, 8, 1000, 0, delta=0.1, sigma=2.0, anytime=True)
    assert found == pytest.approx(sum(16 * 1.1 * 4 * anytime / gap + 8 * gap * 12 for gap in GAPS[1:]))


def test_flood_se_theorem_3_equation_11() -> None:
    """N Delta ((1 + K/2) (beta n + F/2 + 2 K) + 7 F/2 + 2 K), n = 16 sigma^2 N L / (N Delta - 2 m)^2; T up to 2 m/N."""
    points = len(sample_counts(1.1, 10**6))
    found = theory.flood_se_bound([*GAPS, 0.2], 20, 10**6, FLOOD, missing=2)
    width = math.log(3 * points * 3 * math.comb(20, 2) * 10**6)
    samples = [16 * 0.25 * 20 * width / (20 * gap - 4) ** 2 for gap in GAPS[1:]]
    each = [3.0 * (1.1 * n + FLOOD / 2 + 8) + 3.5 * FLOOD + 8 for n in samples]
    expected = sum(20 * gap * pulls for gap, pulls in zip(GAPS[1:], each, strict=True)) + 20 * 0.2 * 10**6
    assert found == pytest.approx(expected)


def test_flood_se_theorem_4_equation_13() -> None:
    """The tree: (2 F + C + 4 K + d) in the place of (3 F + 4 K + d)."""
    table, tree = theory.flood_se_bound(GAPS, 8, 1000, FLOOD), theory.flood_se_bound(GAPS, 8, 1000, FLOOD, climb=90)
    assert tree - table == pytest.approx(8 * 0.8 * (90 - FLOOD))


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"missing": 1, "delay": 2}, "there is a bound for a table and outcomes that come at once only"),
        ({"missing": 1, "climb": 9}, "there is a bound for a table"),
        ({"missing": 8}, "missing = 8: expected"),
        ({"delay": -1}, "delay = -1"),
    ],
)
def test_flood_se_bound_refuses_what_has_no_theorem(more: dict[str, int], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        theory.flood_se_bound(GAPS, 8, 1000, FLOOD, **more)


SIBLINGS = {
    "flood_se_bound": lambda gaps: theory.flood_se_bound(gaps, 8, 1000, 20),
    "gse_bound": lambda gaps: theory.gse_bound(gaps, 8, 0.5, 1.0, 1000),
    "gse_regret": lambda gaps: theory.gse_regret(gaps, 8, 0.5, 1.0, 1000),
    "gse_lower_bound": lambda gaps: theory.gse_lower_bound(gaps, 1000),
    "single_cluster_bound": lambda gaps: theory.single_cluster_bound(gaps, 8, 1000, 0.5),
    "ucb_sbm_bound": lambda gaps: theory.ucb_sbm_bound(gaps, 8, 2, 1000, 2.0, 10),
    "drfed_ucb_bound": lambda gaps: theory.drfed_ucb_bound(gaps, 8, 1000, 2.0, 10),
    "bc_ucb_bound": lambda gaps: theory.bc_ucb_bound(gaps, 8, 1000, 2.0, 10),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("bound", SIBLINGS)
@pytest.mark.parametrize("gaps", [[0.1, 0.2], [], [0.0, 1e-300], [0.0, 1e300]])
def test_gaps_without_a_best_arm_or_beyond_squaring_are_refused(bound: str, gaps: list[float]) -> None:
    with pytest.raises(ValueError, match=r"^gaps = .*: expected 0 for a best arm, and numbers from 1e-100 to 1e\+100"):
        SIBLINGS[bound](gaps)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("bound", SIBLINGS)
@pytest.mark.parametrize("gaps", [[0.0, 1e-100], [0.0, 1e100], [0.0]])
def test_gaps_at_the_ends_of_what_is_allowed_have_a_bound(bound: str, gaps: list[float]) -> None:
    assert not np.isnan(np.sum(SIBLINGS[bound](gaps)))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("wrong", [1e-300, 1e300, float("nan"), -1.0])
def test_other_numbers_beyond_squaring_are_refused(wrong: float) -> None:
    says = r"expected a (number from 1e-100 to 1e\+100|finite number)$"
    for call in (
        lambda: theory.gse_pulls(wrong, 5, 8, 0.5, 1.0, 1000),
        lambda: theory.verification_needed(wrong, 4, 1, 2, 10),
        lambda: theory.verification_needed(0.1, 4, 1, 2, 10, lipschitz=wrong),
        lambda: theory.gse_lower_bound([0.0, 0.1], 1000, sigma=wrong),
        lambda: theory.recovery_signal([[0.1, 0.9], [0.9, 0.1]], 8, 0.5, 0.1, 10, sigma=wrong),
    ):
        with pytest.raises(ValueError, match=says):
            call()


@pytest.mark.parametrize("more", [{"sigma": -1.0}, {"sigma": 1e300}, {"delta": 0.0}, {"delta": 5.0}])
def test_flood_se_bound_looks_at_sigma_and_delta(more: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"^(sigma|delta) = .*: expected"):
        theory.flood_se_bound([0.0, 0.1], 8, 1000, 20, **more)
