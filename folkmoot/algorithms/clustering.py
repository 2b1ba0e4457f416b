"""Finding the clusters: iteratively refined least squares on who meets whom and on what arms pay.

Source: Braun, Tyagi and Biernacki (2022), "An iterative clustering algorithm for the contextual stochastic block
model with optimality guarantees" (arXiv 2112.10467), which UCB-SBM (arXiv 2502.08003, Algorithm 3) runs after its
burn-in. Formulas as in the authors' published code; what is marked [I] is filled in by us, [D] derived.
"""

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from folkmoot.doors import array, is_whole
from folkmoot.errors import brief

Table = NDArray[np.float64]
Labels = NDArray[np.int64]
Method = Literal["IR-sLS", "IR-LS"]
Similarity = Literal["frequency", "met_once"]

_ITERATIONS = 15  # the source uses 10 to 15
_STARTS = 5  # of the mixture; the likeliest is kept [I]


def adjusted_rand_index(one: ArrayLike, other: ArrayLike) -> float:
    """How far two clusterings of the same agents agree: 1 if equal up to names, 0 on average by chance.

    Raises:
        ValueError: not two rows of labels of one length of at least 1.
    """
    a, b = (array("labels", given, "whole numbers, one for each agent", "whole") for given in (one, other))
    if a.ndim != 1 or a.shape != b.shape or len(a) == 0:
        raise ValueError(f"labels of shapes {a.shape} and {b.shape}: expected two rows of one length")
    _, a = np.unique(a, return_inverse=True)
    _, b = np.unique(b, return_inverse=True)
    together = np.zeros((a.max() + 1, b.max() + 1))
    np.add.at(together, (a, b), 1)

    def pairs(counts: Table) -> float:
        return float((counts * (counts - 1) / 2).sum())

    both, rows, columns = pairs(together), pairs(together.sum(axis=1)), pairs(together.sum(axis=0))
    expected = rows * columns / max(len(a) * (len(a) - 1) / 2, 1)
    largest = (rows + columns) / 2
    return 1.0 if largest == expected else (both - expected) / (largest - expected)


def detect_from_meetings(
    met: NDArray[np.int64],
    means: Table,
    rounds: int,
    n_clusters: int,
    sub_gaussian: float | None,
    *,
    similarity: Similarity = "frequency",
    method: Method = "IR-sLS",
    seed: int = 0,
) -> Labels:
    """The clusters as agents find them after a burn-in.

    With "met_once" two agents are as close as one link ever makes them, as UCB-SBM says; unless links are as rare
    as one in `rounds`, all pairs then look the same [D], and "frequency", our default, is the one to use [I].

    Args:
        met: [n_agents, n_agents], in how many of the rounds the two were linked.
        means: [n_agents, n_arms], mean reward seen by the agent; each arm was pulled `rounds / n_arms` times.
        rounds: length L of the burn-in.
        n_clusters: how many to find.
        sub_gaussian: sigma of a reward, so that the variance of a mean is sigma^2 K / L [D]; None to estimate it.
        similarity, method, seed: see `detect`.

    Returns:
        int64 [n_agents], 0 to n_clusters - 1, numbered in the order of their first agents.

    Raises:
        ValueError: see `detect`; an unknown similarity.
    """
    if similarity not in ("frequency", "met_once"):
        raise ValueError(f"similarity = {brief(similarity)}: allowed are 'frequency' and 'met_once'")
    close = met / rounds if similarity == "frequency" else (met > 0).astype(np.float64)
    looks = rounds if similarity == "frequency" else 1
    variance = None if sub_gaussian is None else sub_gaussian**2 * means.shape[1] / rounds
    return detect(close, means, n_clusters, variance, looks=looks, method=method, seed=seed)


def detect(
    similarity: ArrayLike,
    features: ArrayLike,
    n_clusters: int,
    variance: float | None = None,
    *,
    looks: int = 1,
    method: Method = "IR-sLS",
    seed: int = 0,
) -> Labels:
    """Clusters from a similarity of every pair and features of every agent: a start by EM, then refinement.

    Args:
        similarity: A, [n_agents, n_agents], in [0, 1]: link or not, or the share of `looks` in which there was one.
        features: X, [n_agents, n_features].
        n_clusters: C, from 1 to n_agents.
        variance: s^2 of the noise of a feature; None is the mean squared distance in each cluster.
        looks: of how many independent looks A is the average; its noise is so many times smaller [D].
        method: "IR-sLS", one weight for all entries of A, or "IR-LS", their estimated variances.
        seed: of the mixture's starts; the same seed gives the same clusters.

    Returns:
        int64 [n_agents], 0 to n_clusters - 1, numbered in the order of their first agents.

    Raises:
        ValueError: shapes do not fit, a number is not finite, n_clusters or method not allowed, or scikit-learn
            (the extra "clusters") is not installed.
    """
    a, x = array("similarity", similarity, "numbers"), array("features", features, "numbers")
    if x.ndim != 2 or a.shape != (len(x), len(x)) or 0 in x.shape:
        raise ValueError(
            f"similarity of shape {a.shape}, features of shape {x.shape}: expected a row of both for every agent"
        )
    if not np.isfinite(a).all() or not np.isfinite(x).all():
        raise ValueError("similarity and features: expected finite numbers")
    n = len(x)
    if not is_whole(n_clusters) or not 1 <= n_clusters <= n:
        raise ValueError(f"n_clusters = {brief(n_clusters)}: expected from 1 to the number of agents, {n}")
    if method not in ("IR-sLS", "IR-LS"):
        raise ValueError(f"method = {brief(method)}: allowed are 'IR-sLS' and 'IR-LS'")
    if n_clusters == 1:
        return np.zeros(n, np.int64)
    mixture, threads = _mixture()
    with threads(1):  # the last bits of sums would depend on their number
        labels = _filled(_start(mixture, a, x, int(n_clusters), seed), np.zeros((n, n_clusters)))
        for _ in range(_ITERATIONS):
            distance = _distances(a, x, labels, int(n_clusters), variance, looks, method)
            new = _filled(np.argmin(distance, axis=1), distance)
            if (new == labels).all():
                break
            labels = new
    return _in_order(labels)


def _start(mixture: Any, a: Table, x: Table, n_clusters: int, seed: int) -> Labels:
    """A Gaussian mixture by EM on the leading right singular vectors of A beside X.

    Columns are brought to one scale, and all clusters share one covariance [I: few agents do not allow for more].
    """
    _, _, right = np.linalg.svd(a)
    points = np.hstack([right[:n_clusters].T, x])
    deviation = points.std(axis=0)
    points = (points - points.mean(axis=0)) / np.where(deviation > 1e-12, deviation, 1.0)
    model = mixture(n_clusters, covariance_type="tied", n_init=_STARTS, random_state=seed)
    return np.asarray(model.fit_predict(points), np.int64)


def _mixture() -> tuple[Any, Any]:
    """Scikit-learn's mixture, and the limit on threads that comes with it."""
    try:
        from sklearn.mixture import GaussianMixture
        from threadpoolctl import threadpool_limits
    except ImportError:
        raise ValueError("finding clusters needs an extra; pip install 'folkmoot[clusters]'") from None
    return GaussianMixture, threadpool_limits


def _distances(
    a: Table, x: Table, labels: Labels, n_clusters: int, variance: float | None, looks: int, method: Method
) -> Table:
    """[n_agents, n_clusters], how badly an agent fits a cluster: squared residuals over their variances.

    IR-sLS: min_k n_k / max Pi || A_m W - Pi_k ||^2 + || X_m - mu_k ||^2 / s^2; IR-LS weighs entry j of the first
    difference by n_j / (Pi_kj (1 - Pi_kj)). All agents are judged by the same previous clusters.
    """
    z = np.eye(n_clusters)[labels]
    sizes = z.sum(axis=0)
    w = z / sizes
    pi, mu, rows = w.T @ a @ w, w.T @ x, a @ w
    largest = float(pi.max())
    if method == "IR-sLS":
        weight = np.full((n_clusters, n_clusters), sizes.min() / largest if largest > 0 else 0.0)
    else:
        least = 1.0 / (4.0 * len(a) * looks)  # keeps the variance of entries that are all 0 or all 1 above 0 [I]
        weight = sizes / np.maximum(pi * (1.0 - pi), least)
    off = (rows[:, None, :] - pi[None]) ** 2
    apart = ((x[:, None, :] - mu[None]) ** 2).sum(axis=2)
    if variance is None:
        spread = (z * apart).sum(axis=0) / (sizes * x.shape[1])
    else:
        spread = np.full(n_clusters, variance)
    spread = np.maximum(spread, 1e-12 * max(1.0, float(np.abs(x).max()) ** 2))  # exact features: no division by 0 [I]
    return np.asarray(looks * (off * weight[None]).sum(axis=2) + apart / spread)


def _filled(labels: Labels, distance: Table) -> Labels:
    """The labels with no cluster empty: one that is takes the worst fitting agent that can be spared [I]."""
    labels = np.array(labels, np.int64)
    n_clusters = distance.shape[1]
    for c in range(n_clusters):
        sizes = np.bincount(labels, minlength=n_clusters)
        if sizes[c] == 0:
            fit = distance[np.arange(len(labels)), labels]
            labels[np.argmax(np.where(sizes[labels] > 1, fit, -np.inf))] = c
    return labels


def _in_order(labels: Labels) -> Labels:
    """The same clusters, numbered in the order of their first agents."""
    _, first, where = np.unique(labels, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[where].astype(np.int64)
