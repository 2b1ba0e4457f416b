"""All judges of a consortium: what they commit to, what they say of the models, and how they vote on candidates."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from folkmoot.encoding import digest, encode
from folkmoot.multiparty.exchange.ballots import Ballot, Judging, Recalled
from folkmoot.multiparty.exchange.gate import Decision, Judge, decide, listened, suspects
from folkmoot.multiparty.models.fleet import Fleet
from folkmoot.multiparty.models.model import Model
from folkmoot.multiparty.party import ORIGINAL, Party
from folkmoot.multiparty.rules.margin import Bools


class Commitment(NamedTuple):
    """What a party says of its check set before anything is exchanged."""

    digest: bytes  # 32 bytes that no other check set has; salted, so that it cannot be found by trying
    counts: tuple[tuple[int, int], ...]  # class, samples; ascending


def commitment(party: Party, salt: bytes) -> Commitment:
    """Of a party with a check set."""
    assert party.check is not None
    x, y = party.check
    labels, counts = np.unique(y, return_counts=True)
    said = (salt, encode(np.ascontiguousarray(x, np.float32)), tuple(int(label) for label in y))
    rows = zip(labels.tolist(), counts.tolist(), strict=True)
    return Commitment(digest("multiparty/check-set", said), tuple((int(c), int(n)) for c, n in rows))


def sound_recalls(rows: Sequence[Recalled], judge: Judge, claims: Bools) -> bool:
    """Can a judge with this check set have counted that? A row for every other model and class, in their order."""
    counts = dict(judge.counts)
    wanted = [
        (model, label)
        for model in range(len(claims))
        for label in sorted(counts)
        if model != judge.number and label < claims.shape[1] and claims[model, label]
    ]
    found = [(row.model, row.label) for row in rows]
    return found == wanted and all(row.n == counts[row.label] and 0 <= row.right <= row.n for row in rows)


def sound_ballot(ballot: Ballot, judge: Judge) -> bool:
    """Can a judge with this check set have counted that?"""
    if tuple((row.label, row.n) for row in ballot.counts) != judge.counts:
        return False
    return all(min(row.lost, row.won) >= 0 and row.lost + row.won <= row.n for row in ballot.counts)


class Votes(NamedTuple):
    """What the judges said of candidates."""

    decision: Decision
    reports: dict[int, tuple[Recalled, ...]]  # judge -> of the candidates
    ballots: dict[tuple[int, ...], dict[int, Ballot]]  # who is taken back -> judge -> ballot


class Bench:
    """The judges of a consortium, each with its own check set. What a judge says need not be what it counted.

    Args:
        parties: in the order of their numbers; those without a check set do not judge.
        fleet: their models as they are.
    """

    def __init__(self, parties: Sequence[Party], fleet: Fleet) -> None:
        self._parties, self._fleet = parties, fleet
        self._before = {
            number: fleet.scores(party.check[0]) for number, party in enumerate(parties) if party.check is not None
        }
        self.judges = tuple(
            Judge(number, parties[number].kind == ORIGINAL, commitment(parties[number], b"").counts)
            for number in self._before
        )
        self.reports = self._reported({j.number: self._judging(j.number, fleet) for j in self.judges}, False)
        self.kept = listened(self.reports, self.judges, fleet.claims)

    def _reported(self, judging: Mapping[int, Judging], after: bool) -> dict[int, tuple[Recalled, ...]]:
        found = {}
        for judge in self.judges:
            rows = self._parties[judge.number].recalled(judging[judge.number].recalls(after))
            if sound_recalls(rows, judge, self._fleet.claims):
                found[judge.number] = rows
        return found

    def _judging(self, number: int, after: Fleet) -> Judging:
        check = self._parties[number].check
        assert check is not None
        before = self._before[number]
        then = before if after is self._fleet else after.scores(check[0])
        return Judging(number, check[1], before, then, self._fleet.claims)

    def vote(self, candidates: Mapping[int, Model]) -> Votes:
        """What becomes of candidates, by number of the party."""
        models = [
            (candidates.get(i) or self._fleet.model(i)) if self._fleet.is_in(i) else None
            for i in range(len(self._fleet))
        ]
        after = Fleet(models, self._fleet.n_classes)
        judging = {judge.number: self._judging(judge.number, after) for judge in self.judges}
        ballots: dict[tuple[int, ...], dict[int, Ballot]] = {}

        def ask(reverted: tuple[int, ...]) -> dict[int, Ballot]:
            ballots[reverted] = {}
            for judge in self.judges:
                counted = judging[judge.number].ballot(reverted, self.kept)
                said = self._parties[judge.number].voted(counted)
                fits = said is not None and said.reverted == reverted and sound_ballot(said, judge)
                if said is not None and fits and judge.number in reports:
                    ballots[reverted][judge.number] = said
            return ballots[reverted]

        claims, changed, reports = self._fleet.claims, sorted(candidates), self._reported(judging, True)
        suspected = suspects(self.reports, reports, self.judges, claims, changed)
        return Votes(decide(ask, changed, self.judges, claims, suspected), reports, ballots)
