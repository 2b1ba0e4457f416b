"""Models that their party can train on: a network goes on where it is, an estimator of scikit-learn is fitted anew.

A label that is none of a model's classes means "none of mine": the model gets an output for it when the first comes.
"""

from collections.abc import Sequence
from copy import deepcopy
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from folkmoot.doors import array, guarded
from folkmoot.errors import brief
from folkmoot.multiparty.models.model import Floats32, Unfit, checked_classes, require_samples
from folkmoot.multiparty.models.settled import laid, settled

Integers = NDArray[np.int64]
AT_ONCE = 256  # samples scored in one go


class Learner(Protocol):
    """A party's model, and how it is trained."""

    @property
    def classes(self) -> tuple[int, ...]:
        """Those it knows, ascending."""

    def scores(self, x: Floats32) -> Floats32:
        """Scores [samples, classes] of samples [samples, *shape]; without that of "none of mine"."""

    def retrain(self, x: Floats32, y: Integers) -> None:
        """Train on samples x with labels y, [samples]; those of other classes are "none of mine"."""


def _labels_of(x: Floats32, y: Integers) -> Integers:
    """Labels of samples, int64 [samples].

    Raises:
        ValueError: no samples, or no whole numbers, one for each.
    """
    require_samples(x)
    found = array("y", y, "whole numbers [samples]", "whole")
    if found.shape != (len(x),) or not len(x):
        raise ValueError(f"y of shape {found.shape} for {len(x)} samples: expected one label for each, at least one")
    return found


def columns_of(classes: tuple[int, ...], y: Integers) -> Integers:
    """The output of each label: its place among the classes, or the one after them for other labels."""
    at = np.searchsorted(classes, y)
    known = np.array(classes)[np.minimum(at, len(classes) - 1)] == y
    found: Integers = np.where(known, at, len(classes)).astype(np.int64)
    return found


class NetworkLearner:
    """A PyTorch module, trained for one epoch at a time by Adam.

    The output "none of mine" is added to its last linear layer, with the mean weights of the others, so that it is
    small at first; Adam begins anew then.

    Args:
        module: from [samples, *shape] to logits [samples, classes], in ascending order of the classes. It is copied.
        classes: those it was trained on.
        reserved: the module has an output for "none of mine" already, the last.
        rate: learning rate of Adam.
        batch: samples of a step.
        seed: of the order of the samples, and of what a module draws while it trains.

    Raises:
        ValueError: classes that are no set of classes; no linear layer with as many outputs.
    """

    @guarded
    def __init__(
        self,
        module: nn.Module,
        classes: Sequence[int],
        *,
        reserved: bool = False,
        rate: float = 1e-4,
        batch: int = 128,
        seed: int = 0,
    ) -> None:
        self.classes = checked_classes(classes)
        self.reserved, self.rate, self.batch = reserved, rate, batch
        self.module = deepcopy(module)
        last = self._last()
        wanted = len(self.classes) + reserved
        if last.out_features != wanted:
            raise ValueError(f"module: its last linear layer has {last.out_features} outputs: expected {wanted}")
        self._chance = np.random.default_rng([seed, 21])
        self._optimiser = self._adam()

    def _last(self) -> nn.Linear:
        found = [part for part in self.module.modules() if isinstance(part, nn.Linear)]
        if not found:
            raise ValueError("module: expected a linear layer at its end")
        return found[-1]

    def _adam(self) -> torch.optim.Adam:
        return torch.optim.Adam([p for p in self.module.parameters() if p.requires_grad], lr=self.rate)

    def _logits(self, x: torch.Tensor) -> torch.Tensor:
        try:
            found: torch.Tensor = self.module(x)
        except RuntimeError as error:  # PyTorch's, for shapes that do not fit
            raise Unfit(f"x of shape {list(x.shape)}: {' '.join(str(error).split())[:200]}") from None
        return found

    def scores(self, x: Floats32) -> Floats32:
        """See `Learner`."""
        require_samples(x)
        with settled():
            self.module.eval()
            parts = torch.split(laid(x), AT_ONCE)
            logits = [self._logits(part) for part in parts if len(part)]
            if not logits:
                return np.zeros((0, len(self.classes)), np.float32)
            found: Floats32 = torch.softmax(torch.cat(logits), 1)[:, : len(self.classes)].numpy()
            return found

    def retrain(self, x: Floats32, y: Integers) -> None:
        """One epoch, see `Learner`."""
        target = columns_of(self.classes, _labels_of(x, y))
        if not self.reserved and (target == len(self.classes)).any():
            self._reserve()
        given, wanted = laid(x), torch.from_numpy(target)
        order = torch.from_numpy(self._chance.permutation(len(x)))
        loss = nn.CrossEntropyLoss()
        with settled(), torch.random.fork_rng(devices=[]), torch.enable_grad():
            torch.manual_seed(int(self._chance.integers(1 << 62)))
            self.module.train()
            for rows in torch.split(order, self.batch):
                self._optimiser.zero_grad()
                loss(self._logits(given[rows]), wanted[rows]).backward()
                self._optimiser.step()

    def _reserve(self) -> None:
        """One output more, at the end."""
        last = self._last()
        with torch.no_grad():
            weight = torch.cat([last.weight, last.weight.mean(0, keepdim=True)])
            last.weight = nn.Parameter(weight)
            if last.bias is not None:
                last.bias = nn.Parameter(torch.cat([last.bias, last.bias.mean(0, keepdim=True)]))
        last.out_features += 1
        self.reserved = True
        self._optimiser = self._adam()


class EstimatorLearner:
    """An estimator of scikit-learn, fitted anew on all it is given: there are no epochs.

    Args:
        estimator: has `fit`, and `predict_proba` once fitted; with a `random_state` if it draws anything.
        classes: those its party knows.
    """

    @guarded
    def __init__(self, estimator: Any, classes: Sequence[int]) -> None:
        if not (hasattr(estimator, "predict_proba") and hasattr(estimator, "fit")):
            raise ValueError(f"estimator = {brief(estimator)}: expected one with fit and predict_proba")
        self.classes = checked_classes(classes)
        self.estimator = estimator

    def scores(self, x: Floats32) -> Floats32:
        """See `Learner`. Raises ValueError before the first `retrain`."""
        require_samples(x)
        given = self.estimator.predict_proba(x.reshape(len(x), -1))
        found = np.zeros((len(x), len(self.classes) + 1), np.float32)
        found[:, self.estimator.classes_] = given
        return found[:, :-1]

    def retrain(self, x: Floats32, y: Integers) -> None:
        """See `Learner`."""
        from sklearn.base import clone

        columns = columns_of(self.classes, _labels_of(x, y))
        self.estimator = clone(self.estimator).fit(x.reshape(len(x), -1), columns)
