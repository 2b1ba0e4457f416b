"""HMR as published in the places of Table I and figure 6: the same parties, models and lies, 105 samples."""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from folkmoot.multiparty import HMR, NetworkLearner, Party
from folkmoot.multiparty.hmr import BUDGET
from folkmoot.multiparty.predictors import Krum, Max, Mean

Told = dict[str, Any]


class Reminded:
    """A learner that trains on more samples each time, after those that it is given.

    Args:
        learner: of `folkmoot.multiparty`.
        x, y: these samples, and their labels: any.
    """

    def __init__(self, learner: NetworkLearner, x: Any, y: Any) -> None:
        self._learner, self._x, self._y = learner, x, y
        self.classes, self.scores = learner.classes, learner.scores

    def retrain(self, x: Any, y: Any) -> None:
        """One epoch."""
        self._learner.retrain(np.concatenate([x, self._x]), np.concatenate([y, self._y]))


def play_reuse(
    parties: Sequence[Party], share: float, seed: int, iterations: int, at: Sequence[int], alpha: float,
    test: tuple[Any, Any], public: tuple[Any, Any] | None = None, alone: bool = False,
) -> Told:  # fmt: skip
    """Accuracy by several predictors, how many samples were sent, epochs of each party, and seconds.

    Args:
        parties: with their trained networks.
        share: of all messages, bogus ones.
        seed: of what is drawn.
        iterations: so many stand for the whole budget.
        at: iterations after which accuracy is measured.
        alpha: of Krum's predictor.
        test: images and labels.
        public: images and labels. Those of classes that a party does not know are "none of mine" in each of its epochs.
        alone: nothing is sent; the parties train the two epochs that a sample would cost, in turn.
    """
    begun, (x, y) = time.process_time(), test
    learners: list[Any] = [
        NetworkLearner(party.model.module(), party.model.classes, reserved=party.model.reserved, seed=100 * seed + i)  # type: ignore[attr-defined]
        for i, party in enumerate(parties)
    ]
    if public is not None:
        foreign = [~np.isin(public[1], learner.classes) for learner in learners]
        learners = [
            Reminded(one, public[0][rows], public[1][rows]) for one, rows in zip(learners, foreign, strict=True)
        ]
    hmr = HMR(learners, [(party.x, party.y) for party in parties], 10, seed)
    found: dict[str, list[float]] = {"krum": [], "max": [], "mean": []}
    for number in at:
        due = round(BUDGET * number / iterations)
        if alone:
            hmr.train_alone(_more(2 * due, hmr.epochs))
        else:
            hmr.calibrate(due - len(hmr.exchanged), bogus=share)
        scores = hmr.scores(x)
        for name, predictor in {"krum": Krum(alpha), "max": Max(), "mean": Mean()}.items():
            found[name].append(float((predictor.predict(scores, hmr.claims) == y).mean()))
    return found | {
        "accepted": len(hmr.exchanged),
        "refused": {},
        "epochs": hmr.epochs,
        "seconds": time.process_time() - begun,
    }


def _more(due: int, done: Sequence[int]) -> list[int]:
    """How many epochs each party has to train so that all together have trained `due`, spread evenly."""
    return [len(range(number, due, len(done))) - before for number, before in enumerate(done)]
