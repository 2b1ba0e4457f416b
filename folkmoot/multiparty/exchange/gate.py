"""The joint gate: from what judges say, which candidates take the place of models, if any. Pure: counts in, answer out.

All candidates are judged together, as the mean of the models that predict. A judge objects to a class if it loses more
samples there than chance explains. Candidates are taken back one by one as long as that helps. What is left is accepted
only if no class has more than half of its judges against it, and the judge in the middle gains; else nothing changes.
Silence is a no. So whoever leaves ballots out, or gives none, can stop an exchange and cannot push one through.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from folkmoot.multiparty.exchange.ballots import Ballot, Counted, Recalled
from folkmoot.multiparty.models.labels import named
from folkmoot.multiparty.rules.margin import Bools, Floats
from folkmoot.multiparty.screening import above_bar, lower_median

ERRORS = 2.0  # standard errors of a loss that chance is given
LEAST_GAIN = 0.005  # of accuracy, mean over the classes of a judge
CLIP = 0.1  # the most that one class counts for or against
DROP = 0.2  # by more than that a candidate may not be right less often than the model before
STEP = 0.005  # by more than that the gain must rise for another candidate to be taken back: less is chance


class Judge(NamedTuple):
    """Who has committed to a check set, of so many samples of each class."""

    number: int
    trusted: bool  # an original party: where those have samples of a class, nobody else is asked
    counts: tuple[tuple[int, int], ...]  # class, samples; ascending


class Decision(NamedTuple):
    """What the gate says.

    Attributes:
        accepted: do candidates take the place of models? Else all models stay as they are.
        reverted: numbers of the candidates that were taken back.
        gain: agreed gain of accuracy, of those that are left: of the judge in the middle, mean over its classes.
        objected: classes with more than half of their judges against.
        unjudged: classes that candidates know and nobody has check samples of.
        labels: names of the classes 0, 1, ..., by which they are printed; empty: they have none, or none is known here.
    """

    accepted: bool
    reverted: tuple[int, ...]
    gain: float
    objected: tuple[int, ...]
    unjudged: tuple[int, ...] = ()
    labels: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.unjudged:
            return f"refused: nobody has check samples of the classes {named(self.unjudged, self.labels)}"
        back = f", {len(self.reverted)} candidates taken back" if self.reverted else ""
        if self.objected:
            lost = named(self.objected, self.labels)
            return f"refused: more than half of their judges object to the classes {lost}{back}"
        if not self.accepted:
            return f"refused: a gain of {self.gain:.2%} on the check sets, expected {LEAST_GAIN:.2%}{back}"
        return f"accepted: a gain of {self.gain:.2%} on the check sets{back}"


Asked = Callable[[tuple[int, ...]], Mapping[int, Ballot]]  # of who is taken back: the ballots, by judge


def objects(lost: int, won: int) -> bool:
    """Is a loss larger than chance explains?"""
    return lost - won > max(1.0, ERRORS * math.sqrt(lost + won))


def gain_of(count: Counted) -> float:
    """Of one judge on one class, clipped."""
    return min(max((count.won - count.lost) / count.n, -CLIP), CLIP)


def agreed(gains: Sequence[float]) -> float:
    """Of the judges the one in the middle counts, of two the lower."""
    return lower_median(gains)


def majority(against: int, judges: int) -> bool:
    """Is a class lost?"""
    return 2 * against > judges


def asked_about(judges: Sequence[Judge], label: int) -> list[Judge]:
    """Who has check samples of a class: the trusted ones if there are any."""
    found = [judge for judge in judges if any(c == label and n > 0 for c, n in judge.counts)]
    return [judge for judge in found if judge.trusted] or found


def listened(reports: Mapping[int, Sequence[Recalled]], judges: Sequence[Judge], claims: Bools) -> Bools:
    """Which models count, [models]: not those that are right less than half as often as the median model."""
    return above_bar(agreed_recall(reports, judges, claims), claims)


def suspects(
    before: Mapping[int, Sequence[Recalled]],
    after: Mapping[int, Sequence[Recalled]],
    judges: Sequence[Judge],
    claims: Bools,
    changed: Sequence[int],
) -> tuple[int, ...]:
    """Candidates that are taken back whatever they do to the mean: they are right much less often than before.

    Of a model that is not listened to, the mean says nothing. So that nobody frames a model before it gets worse, what
    it was before is then the upper median of the reports.
    """
    low, now = (agreed_recall(reports, judges, claims) for reports in (before, after))
    high = agreed_recall(before, judges, claims, upper_median)
    was = np.where(above_bar(low, claims), low, high)
    return tuple(number for number in changed if now[number] < was[number] - DROP)


def upper_median(values: Sequence[float]) -> float:
    """The one in the middle, or the higher of two."""
    return sorted(values)[len(values) // 2]


def agreed_recall(
    reports: Mapping[int, Sequence[Recalled]],
    judges: Sequence[Judge],
    claims: Bools,
    middle: Callable[[Sequence[float]], float] = lower_median,
) -> Floats:
    """How often each model is right, [models]: mean over its classes of the median of the judges' reports.

    NaN: nobody says.
    """
    said = {(judge, row.model, row.label): row.right / row.n for judge, rows in reports.items() for row in rows}
    recall = np.full(len(claims), np.nan)
    for model, known in enumerate(claims):
        found = []
        for label in np.flatnonzero(known):
            asked = [judge.number for judge in asked_about([j for j in judges if j.number != model], int(label))]
            told = [said[key] for number in asked if (key := (number, model, int(label))) in said]
            found += [middle(told)] if told else []
        recall[model] = float(np.mean(found)) if found else np.nan
    return recall


class Look(NamedTuple):
    """What the judges make of a set of candidates."""

    objected: tuple[int, ...]
    gain: float

    @property
    def rank(self) -> tuple[int, float]:
        """Larger is better."""
        return (-len(self.objected), self.gain)


def look(ballots: Mapping[int, Ballot], judges: Sequence[Judge], labels: Sequence[int]) -> Look:
    """Objections and gain from the ballots on one set of candidates; a judge without one is against all of it.

    Objections count class by class. The gain is that of the judge in the middle: each has the mean over the classes it
    is asked about. It has few samples of one class, and of a class's three or four judges the middle is mostly chance.
    """
    rows = {judge: {count.label: count for count in ballot.counts} for judge, ballot in ballots.items()}
    objected: list[int] = []
    gains: dict[int, list[float]] = {}
    for label in labels:
        asked = asked_about(judges, label)
        told = {judge.number: rows.get(judge.number, {}).get(label) for judge in asked}
        if not told:
            continue
        if majority(sum(count is None or objects(count.lost, count.won) for count in told.values()), len(told)):
            objected.append(label)
        for number, count in told.items():
            gains.setdefault(number, []).append(-CLIP if count is None else gain_of(count))
    means = [math.fsum(of_one) / len(of_one) for of_one in gains.values()]
    return Look(tuple(objected), agreed(means) if means else 0.0)


def passes(found: Look) -> bool:
    """Is it good enough?"""
    return not found.objected and found.gain >= LEAST_GAIN


def decide(
    ask: Asked, changed: Sequence[int], judges: Sequence[Judge], claims: Bools, suspected: tuple[int, ...] = ()
) -> Decision:
    """Take candidates back one by one as long as fewer classes object, or the gain rises; then accept or refuse.

    Args:
        ask: for ballots, each set once.
        changed: numbers of the parties that have candidates, ascending.
        judges: see there.
        claims: [models, classes].
        suspected: those that are taken back first, see `suspects`.
    """
    labels = [int(label) for label in np.flatnonzero(claims.any(axis=0))]
    unjudged = tuple(label for label in labels if claims[list(changed), label].any() and not asked_about(judges, label))
    if unjudged or len(suspected) == len(changed):
        return Decision(False, suspected, 0.0, (), unjudged)
    reverted = suspected
    now = look(ask(reverted), judges, labels)
    while len(reverted) < len(changed) - 1:
        ways = [tuple(sorted((*reverted, number))) for number in changed if number not in reverted]
        tried = {way: look(ask(way), judges, labels) for way in ways}
        best = max(ways, key=lambda way: tried[way].rank)  # the first of equal ones
        if not better(tried[best], now):
            break
        reverted, now = best, tried[best]
    return Decision(passes(now), reverted, now.gain, now.objected)


def better(one: Look, than: Look) -> bool:
    """Is it worth taking another candidate back?"""
    if len(one.objected) != len(than.objected):
        return len(one.objected) < len(than.objected)
    return one.gain > than.gain + STEP
