"""Clusters found as well as the published scores of the clustering's authors, on a setting of theirs.

`csbm_scores.json` holds their normalised mutual information in 40 runs (see `README.md`). 1,000 nodes in 3 classes
of which neither links nor features alone tell all apart. Graphs and features are drawn anew.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from folkmoot.algorithms.clustering import detect

THEIRS = {
    name: np.array(scores)
    for name, scores in json.loads((Path(__file__).parent / "csbm_scores.json").read_text()).items()
}
LINKS = 0.02 * np.array([[1.5, 1.5, 0.5], [1.5, 1.5, 0.5], [0.5, 0.5, 1.5]])
CENTRES = np.array([[0.0, 0.0, 1.0], [-1.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
VARIANCE, N_NODES, RUNS = 0.2, 1000, 3


def score(seed: int, method: str) -> float:
    metrics = pytest.importorskip("sklearn.metrics")
    dice = np.random.default_rng(seed)
    labels = dice.integers(3, size=N_NODES)
    upper = np.triu(dice.random((N_NODES, N_NODES)) < LINKS[labels][:, labels], 1)
    features = CENTRES[labels] + dice.normal(size=(N_NODES, 3)) * VARIANCE**0.5
    found = detect((upper | upper.T).astype(float), features, 3, VARIANCE, method=method, seed=seed)
    return float(metrics.normalized_mutual_info_score(labels, found))


@pytest.mark.parametrize("method", ["IR-LS", "IR-sLS"])
def test_scores_are_those_published(method: str) -> None:
    """Five standard errors of the difference, by the spread of their IR-LS: some of their IR-sLS runs start badly, so
    it is held to their median.
    """
    ours = np.mean([score(seed, method) for seed in range(10, 10 + RUNS)])
    spread = THEIRS["IR-LS"].std(ddof=1) * (1 / RUNS + 1 / len(THEIRS[method])) ** 0.5
    assert abs(ours - np.median(THEIRS[method])) < 5 * spread
