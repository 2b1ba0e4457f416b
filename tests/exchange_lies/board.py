"""Small worlds that exchanges are played on: ten parties that know three or four digits each, and a test set."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from folkmoot.multiparty import Consortium, Party, SklearnModel

PARTIES, OWN, KEPT_BACK, TRAIN = 10, 80, 45, 1300
TERMS = {"delta": 0.4, "sigma": 0.3, "keys": "derived"}


class Board(NamedTuple):
    """Honest parties, what nobody has, and how good they are together before and after an honest exchange."""

    parties: tuple
    x: np.ndarray
    y: np.ndarray
    pools: tuple  # of each party, images of classes it does not know
    before: float
    honest: object  # the exchange


def digits():
    x, y = load_digits(return_X_y=True)
    return (x / 16.0).astype(np.float32), y


@lru_cache(maxsize=8)
def board(seed, classes=3):
    """A world."""
    x, y = digits()
    order = np.random.default_rng([seed, 54]).permutation(len(y))
    x, y = x[order], y[order]
    parties, pools = [], []
    for i in range(PARTIES):
        known = sorted((i + k) % 10 for k in range(classes))
        rows = np.flatnonzero(np.isin(y[:TRAIN], known))[i % classes :: classes][: OWN + KEPT_BACK]
        own, kept = rows[:OWN], rows[OWN:]
        model = SklearnModel(LogisticRegression(C=10.0, max_iter=200).fit(x[own], y[own]), known)
        parties.append(Party(f"p{i}", model, x[own], y[own], check=(x[kept], y[kept])))
        pools.append(x[np.flatnonzero(~np.isin(y[:TRAIN], known))[:128]])
    found = Board(tuple(parties), x[TRAIN:], y[TRAIN:], tuple(pools), 0.0, None)
    _, before, _ = played(found, parties, 0, steps=0)
    exchange, _, _ = played(found, parties, 3)
    return found._replace(before=before, honest=exchange)


def consortium_of(parties, **more):
    return Consortium(parties, **{**TERMS, "omega": 1.0, **more})


def right(consortium, board, predictor=None):
    return float((consortium.predict(board.x, predictor=predictor) == board.y).mean())


def played(board, parties, each, steps=200, **more):
    """(what came of an exchange, share right before, share right after), by the mean of the models that count."""
    from folkmoot.multiparty import Retraining

    consortium = consortium_of(parties, **more)
    before = right(consortium, board, "mean")
    found = consortium.exchange(each, Retraining(steps=steps))
    return found, before, right(consortium, board, "mean")
