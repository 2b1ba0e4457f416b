"""Finding clusters: exact where theory says it can be done, not where it says it cannot, and never a crash."""

import sys

import numpy as np
import pytest

import folkmoot as fm
from folkmoot.algorithms import clustering, survey
from folkmoot.algorithms.base import Problem
from folkmoot.algorithms.clustering import adjusted_rand_index, detect, detect_from_meetings

pytest.importorskip("sklearn", reason="the extra 'clusters' is not installed")
METHODS = ("IR-sLS", "IR-LS")


def instance(strength: float, source: str, n: int = 120, c: int = 3, seed: int = 0):
    """(A, X, s^2, labels) with the left side of the threshold for exact recovery at `strength` times ln n.

    (1 / (8 s^2)) min || mu_a - mu_b ||^2 + (ln n / C) (sqrt p' - sqrt q')^2, p = p' ln n / n, q = q' ln n / n;
    `source` says which term it comes from.
    """
    rng = np.random.default_rng(seed)
    labels, s, log_n = np.arange(n) % c, 0.1, np.log(n)
    graph, means = {"graph": (1.0, 0.0), "means": (0.0, 1.0), "both": (0.5, 0.5)}[source]
    inside = (1.0 + np.sqrt(strength * graph * c)) ** 2
    chance = np.where(labels[:, None] == labels[None], inside, 1.0) * log_n / n
    upper = np.triu(rng.uniform(size=(n, n)) < chance, 1)
    centre = np.sqrt(4.0 * s**2 * strength * means * log_n)  # of orthogonal centres, 2 centre^2 apart
    return (upper | upper.T).astype(float), centre * np.eye(c)[labels] + rng.normal(0, s, (n, c)), s**2, labels


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("source", ["graph", "means", "both"])
def test_exact_well_above_the_threshold(method, source) -> None:
    """At 3 times the threshold the chance of any error is about n^(1 - 3) per agent and instance."""
    for seed in range(3):
        a, x, variance, labels = instance(3.0, source, seed=seed)
        assert detect(a, x, 3, variance, method=method).tolist() == labels.tolist()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("source", ["graph", "means", "both"])
def test_not_exact_below_the_threshold(method, source) -> None:
    """At a fifth of it even with all other labels known about n^(1 - 1/5) agents look like another cluster's."""
    for seed in range(3):
        a, x, variance, labels = instance(0.2, source, seed=seed)
        assert adjusted_rand_index(detect(a, x, 3, variance, method=method), labels) < 0.95


@pytest.mark.parametrize("method", METHODS)
def test_the_variance_can_be_estimated(method) -> None:
    a, x, _, labels = instance(4.0, "both")
    assert detect(a, x, 3, method=method).tolist() == labels.tolist()


@pytest.mark.parametrize("variance", [0.04, None])
@pytest.mark.parametrize("method", METHODS)
def test_distances_with_a_dumb_twin(method, variance) -> None:
    """The published formulas, entry by entry."""
    rng = np.random.default_rng(2)
    n, c, looks = 7, 3, 5
    a, x = rng.uniform(0.1, 0.9, (n, n)), rng.uniform(size=(n, 2))
    labels = np.array([0, 1, 2, 0, 1, 1, 0])
    size = [3, 3, 1]
    members = [[m for m in range(n) if labels[m] == k] for k in range(c)]
    rows = [[sum(a[m, j] for j in members[k]) / size[k] for k in range(c)] for m in range(n)]
    pi = [[sum(rows[m][j] for m in members[k]) / size[k] for j in range(c)] for k in range(c)]
    mu = [[sum(x[m, f] for m in members[k]) / size[k] for f in range(2)] for k in range(c)]
    got = clustering._distances(a, x, labels, c, variance, looks, method)
    for m in range(n):
        for k in range(2 if variance is None else c):  # a cluster of one has no variance of its own
            s2 = variance
            if s2 is None:
                s2 = sum((x[q, f] - mu[k][f]) ** 2 for q in members[k] for f in range(2)) / (2 * size[k])
            expected = sum((x[m, f] - mu[k][f]) ** 2 for f in range(2)) / s2
            for j in range(c):
                weight = min(size) / max(map(max, pi)) if method == "IR-sLS" else size[j] / (pi[k][j] * (1 - pi[k][j]))
                expected += looks * weight * (rows[m][j] - pi[k][j]) ** 2
            assert got[m, k] == pytest.approx(expected, rel=1e-9)


def test_same_seed_same_clusters_numbered_by_first_agents() -> None:
    a, x, variance, _ = instance(0.5, "both")
    one, other = (detect(a, x, 3, variance, seed=7) for _ in range(2))
    assert one.tolist() == other.tolist()
    assert one.dtype == np.int64
    first = [int(np.argmax(one == k)) for k in range(3)]
    assert first == sorted(first)
    assert first[0] == 0


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("n_clusters", [1, 2, 5, 6])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_nothing_to_tell_agents_apart_by_still_gives_full_clusters(method, n_clusters) -> None:
    """Identical means, no links or all links: any clusters will do, but there must be as many as asked for."""
    for a in (np.zeros((6, 6)), np.ones((6, 6)) - np.eye(6)):
        for variance in (0.0, 1.0, None):
            labels = detect(a, np.zeros((6, 2)), n_clusters, variance, method=method)
            assert sorted(set(labels.tolist())) == list(range(n_clusters))


def test_an_empty_cluster_takes_the_worst_fitting_agent_that_can_be_spared() -> None:
    distance = np.array([[1.0, 9, 9], [5.0, 9, 9], [2.0, 9, 9], [9, 7.0, 9]])
    assert clustering._filled(np.array([0, 0, 0, 1]), distance).tolist() == [0, 2, 0, 1]


def test_meetings_are_frequencies_or_once() -> None:
    """Pairs of a cluster meet in 9 rounds of 10, others in 3: seen as frequencies two clusters, met once one."""
    labels = np.array([0, 1] * 10)
    met = np.where(labels[:, None] == labels[None], 9, 3) - 9 * np.eye(20, dtype=int)
    means = np.full((20, 2), 0.5)
    assert detect_from_meetings(met, means, 10, 2, 0.5).tolist() == labels.tolist()
    once = detect_from_meetings(met, means, 10, 2, 0.5, similarity="met_once")
    assert abs(adjusted_rand_index(once, labels)) < 0.5
    with pytest.raises(ValueError, match="similarity = 'often': allowed are 'frequency' and 'met_once'"):
        detect_from_meetings(met, means, 10, 2, 0.5, similarity="often")


def test_adjusted_rand_index_is_scikit_learns() -> None:
    from sklearn.metrics import adjusted_rand_score

    rng = np.random.default_rng(4)
    for _ in range(50):
        a, b = rng.integers(0, 4, 12), rng.integers(5, 8, 12)
        assert adjusted_rand_index(a, b) == pytest.approx(adjusted_rand_score(a, b), abs=1e-12)
    assert adjusted_rand_index([0, 0, 1], [5, 5, 2]) == 1.0
    assert adjusted_rand_index([0], [3]) == 1.0
    with pytest.raises(ValueError, match="expected two rows of one length"):
        adjusted_rand_index([0, 1], [0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.zeros((3, 3)), np.zeros((3, 1)), 4), "n_clusters = 4: expected from 1 to the number of agents, 3"),
        ((np.zeros((3, 3)), np.zeros((3, 1)), 0), "n_clusters = 0: expected from 1 to the number of agents, 3"),
        ((np.zeros((3, 2)), np.zeros((3, 1)), 2), "expected a row of both for every agent"),
        ((np.zeros((2, 2)), np.full((2, 1), np.nan), 2), "expected finite numbers"),
    ],
)
def test_bad_input(arguments, message) -> None:
    with pytest.raises(ValueError, match=message):
        detect(*arguments)


def test_an_unknown_method() -> None:
    with pytest.raises(ValueError, match="method = 'EM': allowed are"):
        detect(np.zeros((3, 3)), np.zeros((3, 1)), 2, method="EM")


def test_without_scikit_learn_it_says_which_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.mixture", None)
    with pytest.raises(ValueError, match=r"pip install 'folkmoot\[clusters\]'"):
        detect(np.zeros((3, 3)), np.zeros((3, 1)), 2)


def test_the_survey_sees_what_the_world_shows() -> None:
    """Counts of meetings near their expectation, symmetric; every arm pulled in turn."""
    from folkmoot.simulation.replicates import prepared_job
    from folkmoot.simulation.simulate import make_job

    seen = []

    class Spy(fm.UCBSBM):
        def prepared(self, problem: Problem, studied: survey.Params) -> fm.UCBSBM:
            seen.append(studied)
            return fm.UCBSBM(clusters=(0,) * problem.n_agents)

    network = fm.StochasticBlockModel([0, 0, 0, 1, 1, 1], 1.0, 0.25)
    spy = Spy(clusters="detect", n_clusters=2, burn_in=400)
    job = make_job(spy, fm.Gaussian(np.tile([0.2, 0.7], (6, 1)), 0.0), network, horizon=500)
    prepared_job(job, 0)
    (found,) = seen
    assert (found.pulls == 200).all()
    np.testing.assert_allclose(found.mean, np.tile([0.2, 0.7], (6, 1)), atol=1e-12)
    same = np.equal.outer(np.arange(6) // 3, np.arange(6) // 3)
    assert (found.met == found.met.T).all()
    assert (found.met[same & ~np.eye(6, dtype=bool)] == 400).all()
    assert (abs(found.met[~same] - 100) < 5 * np.sqrt(400 * 0.25 * 0.75)).all()  # five standard deviations
