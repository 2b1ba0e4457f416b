"""All admitted models under one set of terms: what a miner does with a sample, and what a replay does again."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from folkmoot.multiparty.models.fleet import Fleet
from folkmoot.multiparty.models.model import Floats32, Model
from folkmoot.multiparty.rules import calibration, margin, validation
from folkmoot.multiparty.rules.margin import Claimants, Integers
from folkmoot.multiparty.rules.predictor import krum_prediction
from folkmoot.multiparty.rules.sample import Sample
from folkmoot.multiparty.rules.terms import Terms


class Judgement(NamedTuple):
    """What became of a sample."""

    refused: str | None  # the first check it failed, see `validation`; None: the models were moved
    moved: tuple[int, ...] = ()  # models


class Committee:
    """Models and what has been done with them. Samples change it; `copy` first where it must stay.

    Args:
        models: of the parties 0, 1, ... in the order of admission.
        terms: see there.
    """

    def __init__(self, models: Sequence[Model], terms: Terms) -> None:
        self.terms = terms
        self.fleet = Fleet(models, terms.n_classes)
        self.claimants: Claimants = margin.claimants_of(self.fleet.claims, terms.alpha)
        self.checks = terms.checks
        self.used: frozenset[bytes] = frozenset()  # names of the samples that have moved models

    def copy(self) -> "Committee":
        """The same, to be changed on its own."""
        twin: Committee = object.__new__(Committee)
        twin.__dict__.update(self.__dict__)
        twin.fleet = self.fleet.copy()
        return twin

    def with_model(self, model: Model) -> "Committee":
        """One party more; what has been done stays."""
        models = [self.fleet.model(i) for i in range(len(self.fleet))]
        twin = Committee([*models, model], self.terms)
        twin.used = self.used
        return twin

    @property
    def spent(self) -> frozenset[bytes]:
        """Names of the samples that these rules take no more."""
        return self.used if validation.DUPLICATE in self.checks else frozenset()

    def take(self, sample: Sample) -> Judgement:
        """Validate a sample against the models as they are and, if it holds, move them."""
        refused = self._before_scores(sample)
        if refused is not None:
            return Judgement(refused)
        scores = self.fleet.scores(sample.x)
        if not np.isfinite(scores).all():
            return Judgement(validation.NOT_FINITE)
        label, wrong = sample.label, sample.wrong
        if validation.CONTRADICTED in self.checks and validation.contradicted(scores, self.fleet.claims, label, wrong):
            return Judgement(validation.CONTRADICTED)
        found = margin.stars(scores, self.claimants)
        refused = validation.objection(found, label, wrong, self.terms.thresholds)
        if refused is not None:
            return Judgement(refused)
        moves = calibration.moves(scores, self.fleet.claims, found, label, wrong)
        self.fleet.step(sample.x, moves, self.terms.pace)
        self.used |= {sample.name}
        return Judgement(None, tuple(sorted({move.model for move in moves})))

    def _before_scores(self, sample: Sample) -> str | None:
        """The first check a sample fails that asks no model."""
        if sample.name in self.spent:
            return validation.DUPLICATE
        if validation.FOREIGN in self.checks and not self.fleet.claims[sample.sender, sample.label]:
            return validation.FOREIGN
        return None

    def margins(self, x: Floats32, labels: Integers) -> margin.Margins:
        """The secure margin of samples [samples, *shape]: those at most 0 are worth sending."""
        return margin.secure_margin(margin.stars(self.fleet.scores(x), self.claimants), labels)

    def class_scores(self, x: Floats32) -> Floats32:
        """The score of the centre of each class, [samples, classes]; 0 for a class nobody claims."""
        values = margin.stars(self.fleet.scores(x), self.claimants).centre_value
        return np.where(np.isfinite(values), values, 0.0).astype(np.float32)

    def predict(self, x: Floats32) -> Integers:
        """The class all models together give to each sample (Krum predictor)."""
        return krum_prediction(self.fleet.scores(x), self.claimants)

    def protection(self) -> Integers:
        """For each class, the most liars f among those who claim it that Theorem 2 stands: 2 f < m < |S| - f."""
        counts, m = self.fleet.claims.sum(axis=0), self.claimants.closest
        liars = np.minimum((m - 1) // 2, counts - m - 1)
        found: Integers = np.maximum(liars, 0)
        return found
