"""All admitted models under one set of terms: what a miner does with a sample, and what a replay does again."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from folkmoot.multiparty.models.fleet import Fleet
from folkmoot.multiparty.models.model import Floats32, Model
from folkmoot.multiparty.models.small_numbers import kept_small
from folkmoot.multiparty.rules import calibration, margin, validation
from folkmoot.multiparty.rules.margin import Bools, Claimants, Integers, Stars
from folkmoot.multiparty.rules.sample import Sample
from folkmoot.multiparty.rules.terms import Terms


class Judgement(NamedTuple):
    """What became of a sample."""

    refused: str | None  # the first check it failed, see `validation`; None: the models were moved
    moved: tuple[int, ...] = ()  # models


class Committee:
    """Models and what has been done with them. Samples change it; `copy` first where it must stay.

    Args:
        models: of the parties 0, 1, ... in the order of admission; None for one that is gone.
        terms: see there.
    """

    def __init__(self, models: Sequence[Model | None], terms: Terms) -> None:
        self.terms = terms
        self.fleet = Fleet(models, terms.n_classes)
        self.claimants: Claimants = self._claimants(self.fleet.claims)
        self.checks = terms.checks
        self.comparing = False  # is y- worked out and compared?
        self.used: frozenset[bytes] = frozenset()  # names of the samples that have moved models

    def _claimants(self, claims: Bools) -> Claimants:
        return margin.claimants_of(claims, self.terms.alpha, pairs=self.terms.edition > 1)

    def _stars(self, scores: Floats32, claimants: Claimants) -> Stars:
        return margin.stars(scores, claimants, by_value=self.terms.edition > 1)

    def copy(self) -> "Committee":
        """The same, to be changed on its own."""
        twin: Committee = object.__new__(Committee)
        twin.__dict__.update(self.__dict__)
        twin.fleet = self.fleet.copy()
        return twin

    def with_model(self, model: Model) -> "Committee":
        """One party more; what has been done stays."""
        models = [self.fleet.model(i) if self.fleet.is_in(i) else None for i in range(len(self.fleet))]
        twin = Committee([*models, model], self.terms)
        twin.used = self.used
        return twin

    @property
    def spent(self) -> frozenset[bytes]:
        """Names of the samples that these rules take no more."""
        return self.used if validation.DUPLICATE in self.checks else frozenset()

    @kept_small()
    def take(self, sample: Sample) -> Judgement:
        """Validate a sample against the models as they are and, if it holds, move them."""
        refused = self._before_scores(sample)
        if refused is not None:
            return Judgement(refused)
        heard = self._heard(self.fleet.scores(sample.x))
        if heard is None:
            return Judgement(validation.NOT_FINITE)
        scores, claims, claimants = heard
        label, wrong = sample.label, sample.wrong
        if validation.CONTRADICTED in self.checks and validation.contradicted(scores, claims, label, wrong):
            return Judgement(validation.CONTRADICTED)
        found = self._stars(scores, claimants)
        if self.comparing and int(margin.secure_margin(found, np.array([label])).wrong[0]) != wrong:
            return Judgement(validation.MISTAKEN)
        refused = validation.objection(found, label, wrong, self.terms.thresholds)
        if refused is not None:
            return Judgement(refused)
        moves = calibration.moves(scores, claims, found, label, wrong)
        self.fleet.step(sample.x, moves, self.terms.pace)
        self.used |= {sample.name}
        return Judgement(None, tuple(sorted({move.model for move in moves})))

    @kept_small()
    def would_pass(self, x: Floats32, label: int) -> tuple[Integers, Bools]:
        """Which samples [samples, *shape] of one label would move models now, by all checks that do not ask who sends
        it, or whether it was used; and their y-. For whoever looks first.
        """
        scores, claims = self.fleet.scores(x), self.fleet.claims
        labels = np.full(len(x), label)
        wrong, passes = np.zeros(len(x), np.int64), np.zeros(len(x), np.bool_)
        for rows, heard, those in margin.by_speakers(scores, claims):
            found = self._stars(heard.astype(np.float32), self._claimants(those))
            wrong[rows] = margin.secure_margin(found, labels[rows]).wrong
            for at, row in enumerate(rows):
                only = slice(at, at + 1)
                one = Stars(found.value[only], found.centre[only], found.centre_value[only], found.spread[only])
                seen = heard[:, at : at + 1]
                against = validation.CONTRADICTED in self.checks and validation.contradicted(
                    seen, those, label, int(wrong[row])
                )
                fails = validation.objection(one, label, int(wrong[row]), self.terms.thresholds)
                passes[row] = not against and fails is None
        return wrong, passes

    def _heard(self, scores: Floats32) -> tuple[Floats32, Bools, Claimants] | None:
        """The scores of one sample, and the claims of the models that speak for it; None: the sample is unusable.

        In the first edition all models must give finite scores; since the second, those that do not have no part in
        the sample.
        """
        claims = self.fleet.claims
        if self.terms.edition == 1:
            return (scores, claims, self.claimants) if np.isfinite(scores).all() else None
        speaks = margin.speaking(scores, claims)[:, 0]
        if speaks.all():
            return scores, claims, self.claimants
        if not speaks.any():
            return None
        claims = claims & speaks[:, None]
        return np.where(speaks[:, None, None], scores, np.float32(0.0)), claims, self._claimants(claims)

    def _before_scores(self, sample: Sample) -> str | None:
        """The first check a sample fails that asks no model."""
        if sample.name in self.spent:
            return validation.DUPLICATE
        if validation.FOREIGN in self.checks and not self.fleet.claims[sample.sender, sample.label]:
            return validation.FOREIGN
        return None

    @kept_small()
    def margins(self, x: Floats32, labels: Integers) -> margin.Margins:
        """The secure margin of samples [samples, *shape]: those at most 0 are worth sending."""
        scores = self.fleet.scores(x)
        if self.terms.edition == 1:
            return margin.secure_margin(self._stars(scores, self.claimants), labels)
        value, wrong = np.full(len(labels), np.nan), np.zeros(len(labels), np.int64)
        for rows, heard, claims in margin.by_speakers(scores, self.fleet.claims):
            found = margin.secure_margin(self._stars(heard, self._claimants(claims)), labels[rows])
            value[rows], wrong[rows] = found
        return margin.Margins(value, wrong)
