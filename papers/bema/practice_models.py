"""The models of the table of practice as a committee takes them; a forest or a boosting is one that no step moves."""

from typing import Any

import numpy as np

from folkmoot.multiparty import EstimatorLearner, NetworkLearner, SklearnModel, TorchModel

from .practice_worlds import World


class Frozen:
    """A model that no step moves: a forest, a boosting."""

    kind = "frozen"

    def __init__(self, learner: EstimatorLearner) -> None:
        self.learner, self.classes = learner, learner.classes
        self._known: dict[bytes, Any] = {}  # sample -> scores: the same ones are asked for again and again

    def scores(self, x: Any) -> Any:
        """See `Model`."""
        names = [one.tobytes() for one in np.ascontiguousarray(x, np.float32)]
        new = [i for i, name in enumerate(names) if name not in self._known]
        if new:
            self._known.update(zip([names[i] for i in new], self.learner.scores(x[new]), strict=True))
        return np.array([self._known[name] for name in names], np.float32).reshape(len(x), len(self.classes))

    def fitted(self, x: Any, y: Any) -> "Frozen":
        """Another one, fitted on these samples and labels."""
        learner = EstimatorLearner(self.learner.estimator, self.classes)
        learner.retrain(x, y)
        return Frozen(learner)

    def step(self, x: Any, column: int, sign: int, pace: Any) -> None:
        """It stays as it is."""

    def settings(self) -> tuple[()]:
        """There are none."""
        return ()

    def to_bytes(self) -> bytes:
        """It is on no chain."""
        return b""

    def from_bytes(self, data: bytes) -> "Frozen":
        """It never changes."""
        return self


def models_of(made: World) -> list[Any]:
    """The parties' models for a committee; it works on copies."""
    found: list[Any] = []
    for learner, holding, kind in zip(made.learners, made.holdings, made.kinds, strict=True):
        x, y = holding.own
        if isinstance(learner, NetworkLearner):
            found.append(TorchModel(learner.module, learner.classes))
        elif kind == "logistic":
            from sklearn.base import clone

            found.append(SklearnModel(clone(learner.estimator).fit(x.reshape(len(x), -1), y), learner.classes))
        else:
            found.append(Frozen(learner))
    return found
