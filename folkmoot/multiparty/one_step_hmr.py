"""HMR as the BEMA paper reads it: one gradient step of the two surest models. As published it is `hmr`."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from folkmoot.doors import guarded, guarded_but
from folkmoot.multiparty.agreed import terms_of
from folkmoot.multiparty.entrance import checked
from folkmoot.multiparty.models.fleet import Fleet
from folkmoot.multiparty.models.model import Floats32, Model
from folkmoot.multiparty.party import Party
from folkmoot.multiparty.predictors import Predictor
from folkmoot.multiparty.rules import calibration, margin, validation
from folkmoot.multiparty.rules.committee import Judgement
from folkmoot.multiparty.rules.margin import Integers
from folkmoot.multiparty.rules.sample import Proposal, Sample
from folkmoot.multiparty.rules.terms import Terms
from folkmoot.multiparty.together import Together


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
        ((_, scores, claims),) = margin.by_speakers(self.fleet.scores(sample.x), self.fleet.claims)
        if not (claims[:, sample.label].any() and claims[:, sample.wrong].any()):
            return Judgement(validation.NOT_FINITE)
        moves = calibration.hmr_moves(scores, claims, sample.label, sample.wrong)
        self.fleet.step(sample.x, moves, self.terms.pace)
        return Judgement(None, tuple(sorted({move.model for move in moves})))

    def with_model(self, model: Model) -> "Server":
        """One party more."""
        return Server([*(self.fleet.model(i) for i in range(len(self.fleet))), model], self.terms)

    def margins(self, x: Floats32, labels: Integers) -> margin.Margins:
        """The margin of Definition 2."""
        value, wrong = np.full(len(labels), np.nan), np.zeros(len(labels), np.int64)
        for rows, heard, claims in margin.by_speakers(self.fleet.scores(x), self.fleet.claims):
            value[rows], wrong[rows] = margin.max_margin(heard, claims, labels[rows])[0]
        return margin.Margins(value, wrong)


class OneStepHMR(Together):
    """The baseline as the BEMA paper reads it, with the methods of a `Consortium` and no chain.

    A server everybody trusts takes every sample as it comes; no party is checked when it joins. A sample moves two
    models by one step each. In HMR as published they are trained on their own data again (`HMR`).

    Args:
        parties: at least one; their kinds make no difference.
        n_classes: C; one more than the largest class of a party if None.
        seed: of all choices at random.
        predictor: see `Consortium`; "max" (Definition 1) if None.
        eta, cap, score_gradient: see `Terms`; the other terms have no meaning here.

    Raises:
        ValueError: parties that do not fit each other, a setting out of range.
    """

    DEFAULT = FIRST = "max"

    @guarded_but("predictor")
    def __init__(
        self,
        parties: Sequence[Party],
        *,
        n_classes: int | None = None,
        seed: int = 0,
        predictor: str | Predictor | None = None,
        **settings: Any,
    ) -> None:
        terms = terms_of(parties, n_classes, settings)
        super().__init__(terms, seed, predictor)
        self._parties = [checked(party, terms) for party in parties]
        self._server = Server([party.model for party in parties], terms)

    @property
    def group(self) -> Server:
        """All models as they now are."""
        return self._server

    @guarded
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
