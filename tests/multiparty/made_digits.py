"""A small consortium on scikit-learn's bundled 8x8 digits: what several tests play with."""

import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from folkmoot.multiparty.models.linear_model import SklearnModel


def digits():
    """Images [1797, 64] in [0, 1] as float32, and labels; in a fixed mixed order."""
    x, y = load_digits(return_X_y=True)
    order = np.random.default_rng(5).permutation(len(y))
    return (x[order] / 16.0).astype(np.float32), y[order]


def skewed(n_parties=10, n_classes=4, train=1200):
    """Party i knows classes i, i + 1, ... mod 10 and has its own images of them: [(classes, x, y)]."""
    x, y = digits()
    parts = np.arange(train) % n_parties
    found = []
    for i in range(n_parties):
        classes = sorted((i + k) % 10 for k in range(n_classes))
        own = np.flatnonzero(np.isin(y[:train], classes) & ((parts + i) % 3 == 0))
        found.append((tuple(classes), x[own], y[own]))
    return found


def linear_models(parties):
    """Softmax regressions, one for each party."""
    return [SklearnModel(LogisticRegression(max_iter=200, C=10.0).fit(x, y), classes) for classes, x, y in parties]
