"""Models that lie as badly as one can: each knows the truth, and gives 1 to the wrong class that is nearest to it."""

from typing import NamedTuple

import numpy as np
from sklearn.linear_model import LogisticRegression

from folkmoot.multiparty.screening import Check

# Party i knows the classes i to i + 3 (mod 10): so many liars are at most 1, 2 and 3 of the 4 owners of a class.
LIARS = {0: (), 1: (0, 5), 2: (0, 2, 5, 7), 3: (0, 1, 2, 5, 6, 7)}


class World(NamedTuple):
    """Ten models' scores of test and check samples [models, samples, classes], and who knows what."""

    claims: np.ndarray
    test: np.ndarray
    truth: np.ndarray
    checks: np.ndarray
    labels: np.ndarray


def trained(x, y, seed, train, checks, per_party=120):
    """Softmax regressions of ten parties: `train` samples are divided, the next `checks` are kept back."""
    order = np.random.default_rng([seed, 50]).permutation(len(y))
    x, y = x[order].reshape(len(y), -1), y[order]
    claims = np.zeros((10, 10), bool)
    test, check = np.zeros((10, len(y) - train - checks, 10)), np.zeros((10, checks, 10))
    for i in range(10):
        classes = np.array(sorted((i + k) % 10 for k in range(4)))
        own = np.flatnonzero(np.isin(y[:train], classes))[i % 4 :: 4][:per_party]
        model = LogisticRegression(max_iter=200).fit(x[own], y[own])
        claims[i, classes] = True
        test[i][:, classes] = model.predict_proba(x[train + checks :])
        check[i][:, classes] = model.predict_proba(x[train : train + checks])
    return World(claims, test, y[train + checks :], check, y[train : train + checks])


def lied(world, liars):
    """The world with these models lying."""
    return world._replace(
        test=_lies(world.test, world.truth, world.claims, liars),
        checks=_lies(world.checks, world.labels, world.claims, liars),
    )


def _lies(scores, truth, claims, liars):
    honest = [i for i in range(len(scores)) if i not in liars]
    mean = scores[honest].sum(axis=0) / np.maximum(claims[honest].sum(axis=0), 1)
    mean[np.arange(len(truth)), truth] = -1.0
    found = scores.copy()
    for i in liars:
        wrong = np.where(claims[i], mean, -1.0).argmax(axis=1)
        found[i] = np.arange(scores.shape[2]) == wrong[:, None]
    return found


def checks_of(world, liars=(), each=1000, trusted=()):
    """Each owner of a class has its part of the check samples of it, at most `each`; `liars` call every sample what
    their model does, which speaks for liars and against the honest.
    """
    found = []
    for i, known in enumerate(world.claims):
        own = []
        for label in np.flatnonzero(known):
            owners = np.flatnonzero(world.claims[:, label]).tolist()
            own += np.flatnonzero(world.labels == label)[owners.index(i) :: len(owners)][:each].tolist()
        rows = np.array(own)
        labels = world.labels[rows]
        if i in liars:
            labels = np.where(known, world.checks[i][rows], -1.0).argmax(axis=1)
        found.append(Check(i, i in trusted, world.checks[:, rows], labels))
    return found
