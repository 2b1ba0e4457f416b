"""A consortium that learns behind a gate: candidates take the place of models only if the judges agree."""

import copy
from abc import abstractmethod
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from folkmoot.doors import guarded_but, whole
from folkmoot.multiparty.chain.exchange_rules import compared
from folkmoot.multiparty.chain.records import COMMIT, EXCHANGE
from folkmoot.multiparty.entrance import checked_samples
from folkmoot.multiparty.exchange.bench import Bench
from folkmoot.multiparty.exchange.exchanging import (
    CALIBRATION,
    EXCHANGED,
    MOST_EACH,
    Exchange,
    Held,
    PublicPool,
    hold,
    summary,
)
from folkmoot.multiparty.exchange.retraining import Retraining
from folkmoot.multiparty.exchange.revealing import Shown
from folkmoot.multiparty.exchange_maker import commitments, records_of
from folkmoot.multiparty.models.labels import named
from folkmoot.multiparty.on_record import OnRecord
from folkmoot.multiparty.predictors import NOBODY
from folkmoot.multiparty.rules.committee import Committee
from folkmoot.multiparty.rules.sample import Proposal
from folkmoot.multiparty.together import SampleTally, Together


class Gated(OnRecord):
    """What `Consortium` does behind a gate; it brings the chain."""

    _taken: list[tuple[int, Proposal]]  # samples that moved models, of a trial

    @property
    @abstractmethod
    def group(self) -> Committee:
        """All models as they now are."""

    @guarded_but("each")
    def exchange(
        self, each: int = 3, retraining: Retraining | None = None, *, pool: NDArray[np.floating] | None = None
    ) -> Exchange:
        """Let parties reveal samples, train on those of classes they do not know, and take the models that come of it
        if the judges, who are all that have a check set, find that this helps and hurts nowhere.

        Samples, candidates, votes and the decision stand on the chain, in one block; before it, in another, what each
        judge's check set is, by a digest. See docs/multiparty.md.

        Args:
            each: samples of each class that a party reveals, at random: at most 64. 0: nothing is revealed, and
                candidates have only been trained further; to compare with.
            retraining: how parties train; `Retraining()` if None.
            pool: samples [samples, *shape] that everybody may see, of any classes, without labels. Those that the
                models together take for a class that a party does not know are "none of mine" for it as well. The chain
                does not say which these were: it never says what a party trained on.

        Raises:
            ValueError: a number out of range, a pool of another shape, no data or no check samples of a class that
                somebody knows.
            NotStored: the ledger cannot be written.
        """
        self._must_be_open()
        each = whole("each", each, 0, MOST_EACH)
        public = None if pool is None else self._named(pool)
        self._commit()
        coordinates = (self.seed, self._chain.height, EXCHANGED)
        held = hold(self._parties, self.group, each, retraining or Retraining(), coordinates, public)
        self._gate(held)
        return summary(held, self._parties, self.terms.labels)

    def _named(self, pool: NDArray[np.floating]) -> PublicPool:
        """Samples of a pool, and what the models together take them for."""
        x = checked_samples(pool, self.terms)
        scores = self.scores(x)
        said = np.where(scores.max(axis=1, initial=0.0) > 0.0, scores.argmax(axis=1), NOBODY)
        return PublicPool(x[said != NOBODY], said[said != NOBODY])

    def _commit(self) -> None:
        """Check sets stand on the chain before anything is exchanged."""
        judged = {int(c) for party in self._parties if party.check is not None for c in party.check[1]}
        lacking = sorted(set(np.flatnonzero(self.group.fleet.claims.any(axis=0)).tolist()) - judged)
        if lacking:
            label = named(lacking[:1], self.terms.labels)
            raise ValueError(f"class {label}: nobody has check samples of it (Party(..., check=(x, y)))")
        records = commitments(self._parties, self._chain.state, self._chain.genesis.hash, self._key)
        if records:
            made = self._miner().recording(COMMIT, records, self._now(), round=self._round)
            assert made is not None  # nobody stops a miner here
            self._append(made)

    def _gate(self, held: Held) -> None:
        chain = self._chain
        records = records_of(held, self._parties, chain.state, chain.genesis.hash, chain.tip, self._key)
        made = self._miner().recording(EXCHANGE, records, self._now(), round=self._round)
        assert made is not None
        self._append(made)

    @guarded_but("iterations", "samples_per_iteration", "searches")
    def calibrate(
        self,
        iterations: int,
        samples_per_iteration: int = 200,
        progress: bool = True,
        *,
        searches: int = 4,
        gated: bool = False,
    ) -> SampleTally:
        """As `Together.calibrate`; with `gated`, the calibrated models are candidates for the gate of `exchange`.

        Then all iterations come to one block, y- of every sample is worked out and compared, and refused samples are
        not recorded.

        Raises:
            ValueError: see `Together.calibrate`; with `gated`, also no check samples of a class that somebody knows.
            NotStored: the ledger cannot be written.
        """
        self._must_be_open()
        if not gated:
            return super().calibrate(iterations, samples_per_iteration, progress, searches=searches)
        self._commit()
        trial = copy.copy(self)
        trial._ledger, trial._taken = None, []
        committee = compared(self.group)
        trial._chain = replace(self._chain, state=self._chain.state._replace(committee=committee, ahead={}))
        tally = Together.calibrate(trial, iterations, samples_per_iteration, progress, searches=searches)
        self.iterations = trial.iterations
        fleet, before = trial.group.fleet, self.group.fleet
        numbers = [i for i in range(len(fleet)) if before.is_in(i) and fleet.hash(i) != before.hash(i)]
        if not numbers:
            return tally
        bench, candidates = Bench(self._parties, before), {i: fleet.model(i) for i in numbers}
        shown = tuple(Shown(number, one.x, one.label) for number, one in trial._taken)
        wrong = tuple(one.wrong for _, one in trial._taken)
        votes = bench.vote(candidates)
        self._gate(Held(CALIBRATION, 0, shown, wrong, ("",) * len(shown), candidates, bench, votes))
        return tally._replace(gate=votes.decision._replace(labels=self.terms.labels))
