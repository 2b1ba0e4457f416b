"""HMR (Wu, Liu and Zhou 2019, as BEMA describes it): a server calibrates by the margin of the two surest models."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from folkmoot.multiparty.models.fleet import Fleet
from folkmoot.multiparty.models.model import Floats32, Model
from folkmoot.multiparty.party import Party
from folkmoot.multiparty.rules import calibration, margin, validation
from folkmoot.multiparty.rules.committee import Judgement
from folkmoot.multiparty.rules.margin import Integers
from folkmoot.multiparty.rules.predictor import max_prediction
from folkmoot.multiparty.rules.sample import Proposal, Sample
from folkmoot.multiparty.rules.terms import Terms
from folkmoot.multiparty.together import Together, checked, terms_of


class Server:
    """All models under HMR's rules: nothing is validated, two models are moved, the surest model predicts.

    It has the methods of a `committee.Committee`.
    """

    def __init__(self, models: Sequence[Model], terms: Terms) -> None:
        self.terms = terms
        self.fleet = Fleet(models, terms.n_classes)

    @property
    def spent(self) -> frozenset[bytes]:
        """A sample may move models any number of times."""
        return frozenset()

    def take(self, sample: Sample) -> Judgement:
        """Enhance the model surest of y, impair the one surest of y-."""
        scores = self.fleet.scores(sample.x)
        if not np.isfinite(scores).all():
            return Judgement(validation.NOT_FINITE)
        moves = calibration.hmr_moves(scores, self.fleet.claims, sample.label, sample.wrong)
        self.fleet.step(sample.x, moves, self.terms.pace)
        return Judgement(None, tuple(sorted({move.model for move in moves})))

    def with_model(self, model: Model) -> "Server":
        """One party more."""
        return Server([*(self.fleet.model(i) for i in range(len(self.fleet))), model], self.terms)

    def margins(self, x: Floats32, labels: Integers) -> margin.Margins:
        """The margin of Definition 2."""
        return margin.max_margin(self.fleet.scores(x), self.fleet.claims, labels)[0]

    def class_scores(self, x: Floats32) -> Floats32:
        """The largest score any model gives each class, [samples, classes]."""
        found: Floats32 = np.where(self.fleet.claims[:, None], self.fleet.scores(x), 0.0).max(axis=0)
        return found

    def predict(self, x: Floats32) -> Integers:
        """The class with the largest score any model gives (Definition 1)."""
        return max_prediction(self.fleet.scores(x), self.fleet.claims)

    def protection(self) -> Integers:
        """No liar is tolerated."""
        return np.zeros(self.terms.n_classes, np.int64)


class HMR(Together):
    """The baseline of the BEMA paper, with the methods of a `Consortium` and no chain.

    A server everybody trusts takes every sample as it comes; no party is checked when it joins.

    Args:
        parties: at least one; their kinds make no difference.
        n_classes: C; one more than the largest class of a party if None.
        seed: of all choices at random.
        eta, cap, score_gradient: see `Terms`; the other terms have no meaning here.

    Raises:
        ValueError: parties that do not fit each other, a setting out of range.
    """

    def __init__(
        self,
        parties: Sequence[Party],
        *,
        n_classes: int | None = None,
        seed: int = 0,
        **settings: Any,
    ) -> None:
        terms = terms_of(parties, n_classes, settings)
        super().__init__(terms, seed)
        self._parties = [checked(party, terms) for party in parties]
        self._server = Server([party.model for party in parties], terms)

    @property
    def group(self) -> Server:
        """All models as they now are."""
        return self._server

    def register(self, party: Party) -> None:
        """One party more.

        Raises:
            ValueError: a party that does not fit the terms, or of the name of another.
        """
        self._check_newcomer(party)
        self._server = self._server.with_model(party.model)
        self._parties.append(party)

    def _use(self, proposals: Sequence[tuple[int, Proposal]]) -> list[tuple[int, Judgement]]:
        return [(number, self._server.take(proposal.of(number))) for number, proposal in proposals]
