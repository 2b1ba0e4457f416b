"""HMR as published: Wu, Liu and Zhou, "Heterogeneous model reuse via optimizing multiparty multiclass margin" (2019).

The rules are those of the program its authors published. One step:

1. A sample is drawn from the training data of all parties.
2. The *positive* model is the one surest of its label; the *negative* one is the one surest of any wrong class. The
   margin is the difference of the two scores. If it is above 0, nothing happens.
3. Otherwise the sample and its label are sent to both models' parties.
4. Each trains one epoch on its own data and on all it was ever sent, the positive one first. A label it does not know
   is "none of mine", an output of its own.

This ends when so many samples were sent (105), or drawn (10,000). The class of the largest score of any model is
predicted. What the BEMA paper compares itself with is another reading, `OneStepHMR`.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from folkmoot.doors import array, guarded, guarded_but, whole
from folkmoot.errors import brief
from folkmoot.multiparty.models.learners import Learner
from folkmoot.multiparty.models.model import Floats32
from folkmoot.multiparty.party import as_numbers
from folkmoot.multiparty.predictors import NOBODY, Max, Predictor, resolved
from folkmoot.multiparty.rules.margin import Bools, Integers, by_speakers, max_margin

BUDGET, DRAWS = 105, 10_000
_LEAST, _MOST = 16, 512  # samples looked at in one go


class Exchanged(NamedTuple):
    """A sample that was sent.

    Attributes:
        draw: how many were drawn before it.
        sender: the party it was drawn from.
        sample: its number in the sender's data.
        label: that it was sent with; not its own if the message is bogus.
        positive, negative: who got it.
        margin: of its own label.
    """

    draw: int
    sender: int
    sample: int
    label: int
    positive: int
    negative: int
    margin: float


class HMR:
    """The method as published. A server that everybody trusts sees all data and all models.

    Args:
        learners: the parties' models, trained on their data; they are trained on by this.
        data: of each party, samples [samples, *shape] and labels [samples] of its model's classes.
        n_classes: C; one more than the largest class of a model if None.
        seed: of what is drawn.

    Raises:
        ValueError: no party, another number of data sets, a label that its party's model does not know.
    """

    @guarded
    def __init__(
        self,
        learners: Sequence[Learner],
        data: Sequence[tuple[Floats32, Integers]],
        n_classes: int | None = None,
        seed: int = 0,
    ) -> None:
        learners, data = list(learners), list(data)
        if not learners or len(data) != len(learners):
            raise ValueError(
                f"{len(learners)} learners and data of {len(data)} parties: expected as many, at least one"
            )
        for learner in learners:
            if not hasattr(learner, "retrain") or not hasattr(learner, "classes"):
                raise ValueError(f"learners: {brief(learner)}: expected such as NetworkLearner or EstimatorLearner")
        for pair in data:
            if not isinstance(pair, tuple | list) or len(pair) != 2:
                raise ValueError(f"data: {brief(pair)}: expected samples and labels (x, y)")
        data = [(as_numbers(x, f"party {i}: x"), _labels(y, f"party {i}: y")) for i, (x, y) in enumerate(data)]
        for number, (learner, (x, y)) in enumerate(zip(learners, data, strict=True)):
            foreign = sorted(set(np.unique(y).tolist()) - set(learner.classes))
            if foreign or len(x) != len(y) or not len(x):
                what = f"labels {foreign[:5]}" if foreign else f"{len(x)} samples and {len(y)} labels"
                raise ValueError(
                    f"party {number}: {what}: expected labels of {list(learner.classes)}, one for a sample"
                )
        self.learners, self.data = learners, data
        least = 1 + max(max(learner.classes) for learner in learners)
        if n_classes is not None and n_classes < least:
            raise ValueError(f"n_classes = {n_classes}: expected at least {least}, as learners have such classes")
        self.n_classes = n_classes or least
        self.claims: Bools = np.zeros((len(learners), self.n_classes), np.bool_)
        for number, learner in enumerate(learners):
            self.claims[number, list(learner.classes)] = True
        self.exchanged: list[Exchanged] = []
        self.epochs = [0] * len(learners)  # times that each was trained
        self.draws = 0
        self._chance = np.random.default_rng([seed, 20])
        self._received: list[list[tuple[Floats32, int]]] = [[] for _ in learners]
        self._owner = np.repeat(np.arange(len(data)), [len(y) for _, y in data])
        self._row = np.concatenate([np.arange(len(y)) for _, y in data])

    @property
    def revealed(self) -> int:
        """How many different samples have left their parties."""
        return len({(one.sender, one.sample) for one in self.exchanged})

    @guarded_but("budget", "draws")
    def calibrate(self, budget: int = BUDGET, draws: int = DRAWS, bogus: float = 0.0) -> list[Exchanged]:
        """Send samples, and train on them.

        Args:
            budget: samples to be sent.
            draws: samples drawn, at most.
            bogus: probability that a message is a lie: (x, y-) for a sample with a margin above 0 (BEMA, attack II).

        Returns:
            The samples that were sent.

        Raises:
            ValueError: an argument out of range.
        """
        budget, draws = whole("budget", budget, 0, 1 << 31), whole("draws", draws, 0, 1 << 31)
        if not 0.0 <= bogus <= 1.0:
            raise ValueError(f"bogus = {bogus}: expected a number from 0 to 1")
        begun, last, at_once = len(self.exchanged), self.draws + draws, _LEAST
        drawn: Integers = np.zeros(0, np.int64)
        while len(self.exchanged) - begun < budget:
            lie = bool(self._chance.random() < bogus)
            while True:  # models stay as they are until one is found: many are looked at in one go
                if not len(drawn):
                    drawn = self._chance.integers(len(self._owner), size=min(at_once, last - self.draws))
                    at_once = min(2 * at_once, _MOST)
                    if not len(drawn):
                        return self.exchanged[begun:]
                found, used = self._first(drawn, lie)
                drawn, self.draws = drawn[used:], self.draws + used
                if found is not None:
                    break
            self._send(found)
            at_once = max(_LEAST, 2 * used)
        return self.exchanged[begun:]

    def train_alone(self, epochs: Sequence[int]) -> None:
        """The control: each party trains so many epochs on its own data, and nothing is sent.

        Raises:
            ValueError: no list of whole numbers of at least 0, one for each party.
        """
        n = len(self.learners)
        times = array("epochs", epochs, f"{n} whole numbers, one for each party", "whole")
        if times.shape != (n,) or times.min() < 0:
            raise ValueError(f"epochs = {brief(epochs)}: expected {n} whole numbers of at least 0, one for each party")
        for number, count in enumerate(times):
            for _ in range(count):
                self._retrain(number)

    def _first(self, drawn: Integers, lie: bool) -> tuple[Exchanged | None, int]:
        """The first of these samples to be sent, if there is one; how many were drawn up to it."""
        owners, rows = self._owner[drawn], self._row[drawn]
        x = np.stack([self.data[o][0][r] for o, r in zip(owners, rows, strict=True)])
        y = np.array([self.data[o][1][r] for o, r in zip(owners, rows, strict=True)], np.int64)
        value, wrong = np.full(len(y), np.nan), np.zeros(len(y), np.int64)
        sure_of, against = np.zeros(len(y), np.int64), np.zeros(len(y), np.int64)
        for those, heard, claims in by_speakers(self.scores(x), self.claims):
            if claims.any():
                (value[those], wrong[those]), sure_of[those], against[those] = max_margin(heard, claims, y[those])
        fit = value > 0.0 if lie else value <= 0.0
        fit &= np.isfinite(value)
        if not fit.any():
            return None, len(drawn)
        at = int(fit.argmax())
        label = int(wrong[at]) if lie else int(y[at])
        who = (int(sure_of[at]), int(against[at]))
        positive, negative = who[::-1] if lie else who
        sender, sample, margin = int(owners[at]), int(rows[at]), float(value[at])
        return Exchanged(self.draws + at, sender, sample, label, positive, negative, margin), at + 1

    def _send(self, one: Exchanged) -> None:
        x = self.data[one.sender][0][one.sample]
        self._received[one.positive].append((x, one.label))
        self._received[one.negative].append((x, one.label))
        self._retrain(one.positive)
        self._retrain(one.negative)
        self.exchanged.append(one)

    def _retrain(self, number: int) -> None:
        """One epoch on a party's own data and all it was sent."""
        x, y = self.data[number]
        more = self._received[number]
        if more:
            x = np.concatenate([x, np.stack([sample for sample, _ in more])])
            y = np.concatenate([y, np.array([label for _, label in more], np.int64)])
        self.learners[number].retrain(x, y)
        self.epochs[number] += 1

    def scores(self, x: Floats32) -> Floats32:
        """Of all models and classes, [models, samples, classes]; 0 for a class that a model does not know."""
        x = as_numbers(x, "x")
        found = np.zeros((len(self.learners), len(x) if x.ndim else 0, self.n_classes), np.float32)
        for number, learner in enumerate(self.learners):
            found[number][:, list(learner.classes)] = learner.scores(x)
        return found

    def predict(self, x: Floats32, predictor: str | Predictor | None = None) -> Integers:
        """The class of each sample, [samples]: that of the largest score of any model, or as a predictor has it.

        Where no model speaks it is -1.

        Args:
            x: samples [samples, *shape].
            predictor: "max" (HMR's own) if None; by name or itself, see `Consortium`.

        Raises:
            ValueError: no samples, or a predictor that there is not.
        """
        chosen = Max() if predictor is None else resolved(predictor)
        scores = self.scores(x)
        return chosen.predict(scores, self.claims) if scores.shape[1] else np.full(0, NOBODY)


def _labels(y: object, what: str) -> Integers:
    found: Integers = array(what, y, "whole numbers [samples]", "whole")
    if found.ndim != 1:
        raise ValueError(f"{what} of shape {found.shape}: expected whole numbers [samples]")
    return found
