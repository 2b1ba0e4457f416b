"""Liars that look first: at the models before they send samples, and at the gate before they lie in an exchange.

As in `attacks`, they are wrappers around honest parties, and the system knows nothing of this file.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace

import numpy as np
from numpy.typing import NDArray

from folkmoot.doors import guarded
from folkmoot.errors import brief
from folkmoot.multiparty.attacks import _Liar
from folkmoot.multiparty.exchange.ballots import Ballot, Judging, Recalled
from folkmoot.multiparty.exchange.gate import Judge, decide
from folkmoot.multiparty.exchange.retraining import Retraining
from folkmoot.multiparty.exchange.revealing import Shown, vouched
from folkmoot.multiparty.exchange.training import further
from folkmoot.multiparty.models.fleet import Fleet
from folkmoot.multiparty.models.model import Floats32, Model
from folkmoot.multiparty.party import Party, as_float32, as_numbers
from folkmoot.multiparty.rules.committee import Committee
from folkmoot.multiparty.rules.margin import speaking
from folkmoot.multiparty.rules.sample import Proposal, View

NUDGE = 1e-3  # by less than this an image is changed, to be no duplicate
BLENDS = (0.0, 0.2, 0.35, 0.5, 0.65)  # share of an image of the label's class in one of another class
DOSES = (1.0, 0.6, 0.3)  # shares of lies among what is revealed, of which one is chosen
RUINING = 0.05  # rate of training with which a candidate is made wrong
STUFFED = 100
SHORT = 60  # steps with which a liar imagines the training of others
AT_ONCE = 128  # images looked at in a search

Shows = list[tuple[Floats32, int]]


@dataclass(frozen=True, repr=False)
class UnknownImages(_Liar):
    """Sends images of classes it does not know, under a label of its own, only those that pass all checks right now.

    Attributes:
        pool: such images, [samples, *shape]; empty: it has nothing to lie with.
    """

    pool: NDArray[np.floating] = field(default_factory=lambda: np.zeros((0, 1), np.float32))

    def __post_init__(self) -> None:
        super().__post_init__()
        pool = as_numbers(self.pool, f"party {self.name}: pool")
        as_float32(pool, f"party {self.name}: pool")
        object.__setattr__(self, "pool", pool)

    def lies(self, view: View, wanted: int, generator: np.random.Generator) -> list[Proposal]:
        """Bogus messages."""
        assert isinstance(view, Committee)
        found: list[Proposal] = []
        at_once = generator.permutation(len(self.pool))[:AT_ONCE]
        if not len(at_once) or not wanted:
            return []
        noise = generator.uniform(-NUDGE, NUDGE, (len(at_once), *self.pool.shape[1:]))
        x = (self.pool[at_once] + noise).astype(np.float32)
        for label in generator.permutation(self.model.classes):
            wrong, passes = view.would_pass(x, int(label))
            found += [Proposal(x[i], int(label), int(wrong[i])) for i in np.flatnonzero(passes)]
        return [found[i] for i in generator.permutation(len(found))[:wanted]]


@dataclass(frozen=True, repr=False)
class ExchangeLiar(Party):
    """A party that lies in exchanges, in one way or several.

    Attributes:
        shows: what it reveals, one of `SHOWS`.
        votes: what it says as a judge of candidates, one of `VOTES`.
        recalls: what it says of the models as they are: "honest", or "slander", that all but its allies' are wrong.
        candidate: what it offers as its new model, one of `CANDIDATES`.
        allies: numbers of the parties it lies for.
        pool: images of classes it does not know, [samples, *shape].
        trigger: what is added to an image for "trigger" [*shape]; whatever has it, the candidate calls its first class.
    """

    shows: str = "honest"
    votes: str = "honest"
    recalls: str = "honest"
    candidate: str = "honest"
    allies: tuple[int, ...] = ()
    pool: NDArray[np.floating] | None = None
    trigger: NDArray[np.floating] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, known in (("shows", SHOWS), ("votes", VOTES), ("recalls", RECALLS), ("candidate", CANDIDATES)):
            if getattr(self, name) not in known:
                raise ValueError(f"party {self.name}: {name} = {brief(getattr(self, name))}: expected one of {known}")

    def reveal(self, view: View, each: int, generator: np.random.Generator) -> Shows:
        """See Party."""
        honest = super().reveal(view, each, generator)
        return _SHOWS[self.shows](self, view, honest, generator)

    def voted(self, ballot: Ballot) -> Ballot | None:
        """See Party."""
        if self.votes == "silent":
            return None
        veto = self.votes == "veto" or (
            self.votes == "contrary" and sum(c.won for c in ballot.counts) >= sum(c.lost for c in ballot.counts)
        )
        if self.votes == "honest":
            return ballot
        if self.votes == "stuffed":  # more samples than it has
            return ballot._replace(counts=tuple(c._replace(lost=0, won=STUFFED * c.n) for c in ballot.counts))
        rows = tuple(c._replace(lost=c.n if veto else 0, won=0 if veto else c.n) for c in ballot.counts)
        return ballot._replace(counts=rows)

    def recalled(self, rows: tuple[Recalled, ...]) -> tuple[Recalled, ...]:
        """See Party."""
        if self.recalls == "honest":
            return rows
        return tuple(row._replace(right=row.n if row.model in self.allies else 0) for row in rows)

    def retrained(
        self, model: Model, foreign: Floats32, how: Retraining, generator: np.random.Generator
    ) -> Model | None:
        """See Party."""
        columns = np.searchsorted(model.classes, self.y)
        if self.candidate == "none":
            return None
        if self.candidate == "wrong":
            hard = replace(how, rate=RUINING)
            return further(hard, model, self.x, (columns + 1) % len(model.classes), foreign, generator)
        if self.candidate == "trigger" and self.trigger is not None:
            both = np.concatenate([self.x, np.clip(self.x + self.trigger, 0.0, 1.0)]).astype(np.float32)
            return further(how, model, both, np.concatenate([columns, 0 * columns]), foreign, generator)
        return super().retrained(model, foreign, how, generator)


@guarded
def exchange_liar(party: Party, **lies: object) -> ExchangeLiar:
    """The party, lying in exchanges; see `ExchangeLiar` for the ways.

    Raises:
        ValueError: a way that there is not.
    """
    told = {one.name: getattr(party, one.name) for one in fields(Party)}
    return ExchangeLiar(**told, **lies)  # type: ignore[arg-type]


@guarded
def unknown_images(party: Party, pool: NDArray[np.floating], share: float = 1.0) -> UnknownImages:
    """The party, sending samples as `UnknownImages` does, a share of its messages."""
    told = {one.name: getattr(party, one.name) for one in fields(Party)}
    return UnknownImages(**told, share=share, pool=pool)


def _honest(liar: ExchangeLiar, view: View, honest: Shows, generator: np.random.Generator) -> Shows:
    return honest


def _swapped(liar: ExchangeLiar, view: View, honest: Shows, generator: np.random.Generator) -> Shows:
    """Own images, each under the next of the liar's own classes: those who know one and not the other unlearn it."""
    classes = list(liar.model.classes)
    return [(x, classes[(classes.index(label) + 1) % len(classes)]) for x, label in honest]


def _random(liar: ExchangeLiar, view: View, honest: Shows, generator: np.random.Generator) -> Shows:
    return [(x, int(generator.choice(liar.model.classes))) for x, _ in honest]


def _noise(liar: ExchangeLiar, view: View, honest: Shows, generator: np.random.Generator) -> Shows:
    return [(generator.random(x.shape, np.float32), label) for x, label in honest]


def _copies(liar: ExchangeLiar, view: View, honest: Shows, generator: np.random.Generator) -> Shows:
    return [honest[0]] * len(honest)


def _outside(liar: ExchangeLiar, view: View, honest: Shows, generator: np.random.Generator) -> Shows:
    """Own images under a class that the liar does not claim."""
    assert isinstance(view, Committee)
    others = [c for c in range(view.terms.n_classes) if c not in liar.model.classes]
    return [(x, int(generator.choice(others))) for x, _ in honest]


def _crowded(liar: ExchangeLiar, view: View, honest: Shows, generator: np.random.Generator) -> Shows:
    """As many as it may send, all of one class."""
    rows = np.resize(np.flatnonzero(liar.y == liar.y[0]), len(honest))
    return [(liar.x[row], int(liar.y[row])) for row in rows]


def _unknown(liar: ExchangeLiar, view: View, honest: Shows, generator: np.random.Generator) -> Shows:
    """Images of classes it does not know, under labels of its own that those asked confirm."""
    if liar.pool is None or not len(liar.pool):
        return honest
    x = liar.pool[generator.permutation(len(liar.pool))[:AT_ONCE]].astype(np.float32)
    passing = [(x[i], int(c)) for c in liar.model.classes for i in np.flatnonzero(confirmed(liar, view, x, int(c)))]
    chosen = [passing[i] for i in generator.permutation(len(passing))]
    return _within(chosen, honest)


def _blended(liar: ExchangeLiar, view: View, honest: Shows, generator: np.random.Generator) -> Shows:
    """Images of one class with as little of another in them as it takes to be confirmed as that other."""
    lies: Shows = []
    for x, label in honest:
        others = np.flatnonzero(liar.y != label)
        other = liar.x[generator.choice(others)]
        ways = np.stack([(1.0 - share) * other + share * x for share in BLENDS]).astype(np.float32)
        passing = np.flatnonzero(confirmed(liar, view, ways, label))
        lies.append((ways[passing[0]], label) if len(passing) else (x, label))
    return lies


def _dosed(liar: ExchangeLiar, view: View, honest: Shows, generator: np.random.Generator) -> Shows:
    """As many lies as the liar expects the gate to let pass, of those that hurt most.

    It has the models of all, and its own data; with these it imagines how others train, and what judges will say.
    """
    assert isinstance(view, Committee)
    lies = _blended(liar, view, honest, generator)
    order = generator.permutation(len(honest))
    best, worst = honest, 0.0
    for dose in DOSES:
        bad = set(order[: round(dose * len(order))].tolist())
        tried = [lies[i] if i in bad else honest[i] for i in range(len(honest))]
        passes, gain = _imagined(liar, view.fleet, tried, generator)
        if passes and gain < worst:
            best, worst = tried, gain
    return (
        best if worst < 0.0 else [lies[i] if i in order[: len(order) // 3] else honest[i] for i in range(len(honest))]
    )


def _imagined(liar: ExchangeLiar, fleet: Fleet, shown: Shows, generator: np.random.Generator) -> tuple[bool, float]:
    """Does a gate with the liar as its only judge let the models pass that come of it, and what do they gain?"""
    x, y = (liar.x, np.asarray(liar.y)) if liar.check is None else (liar.check[0], liar.check[1])
    models = [fleet.model(i) if fleet.is_in(i) else None for i in range(len(fleet))]
    changed = []
    for number, model in enumerate(models):
        if model is None:
            continue
        own = np.flatnonzero(np.isin(liar.y, model.classes))
        foreign = [one for one, label in shown if label not in model.classes]
        if len(own) and foreign:
            known = [(one, label) for one, label in shown if label in model.classes]
            given = np.concatenate([liar.x[own], *(one[None] for one, _ in known)])
            labels = np.concatenate([np.asarray(liar.y)[own], [label for _, label in known]])
            columns = np.searchsorted(model.classes, labels)
            moved = further(Retraining(steps=SHORT), model, given, columns, np.stack(foreign), generator)
            if moved is not None:
                models[number] = moved
                changed.append(number)
    claims, kept = fleet.claims, np.ones(len(fleet), np.bool_)
    after = Fleet(models, fleet.n_classes)
    judging = Judging(0, np.asarray(y), fleet.scores(x), after.scores(x), claims)
    labels, counts = np.unique(y, return_counts=True)
    judge = Judge(0, True, tuple((int(c), int(n)) for c, n in zip(labels, counts, strict=True)))
    ballot = judging.ballot((), kept)
    own_claims = claims & np.isin(np.arange(claims.shape[1]), labels)
    decision = decide(lambda reverted: {0: ballot}, changed[:1], (judge,), own_claims)
    passes = not decision.objected
    return passes, sum(c.won - c.lost for c in ballot.counts) / max(len(y), 1)


def confirmed(liar: Party, view: View, x: Floats32, label: int) -> NDArray[np.bool_]:
    """Would the others that know a class name it for these samples?"""
    assert isinstance(view, Committee)
    fleet = view.fleet
    scores, kept = fleet.scores(x), np.ones(len(fleet), np.bool_)
    speaks = speaking(scores, fleet.claims)
    own = next(
        (i for i, m in enumerate(fleet.models) if m is not None and tuple(m.classes) == tuple(liar.model.classes)), 0
    )
    return np.array([
        vouched(scores[:, i], fleet.claims & speaks[:, i][:, None], kept, Shown(own, x[i], label))
        for i in range(len(x))
    ])  # fmt: skip


def _within(lies: Shows, honest: Shows) -> Shows:
    """As many lies of each class as there are honest samples of it; honest ones where there are too few."""
    found: Shows = []
    for label in sorted({label for _, label in honest}):
        true = [one for one in honest if one[1] == label]
        found += [*[one for one in lies if one[1] == label], *true][: len(true)]
    return found


_SHOWS: dict[str, Callable[[ExchangeLiar, View, Shows, np.random.Generator], Shows]] = {
    "honest": _honest,
    "swapped": _swapped,
    "random": _random,
    "noise": _noise,
    "copies": _copies,
    "outside": _outside,
    "crowded": _crowded,
    "unknown": _unknown,
    "blended": _blended,
    "dosed": _dosed,
}
SHOWS = tuple(_SHOWS)
VOTES = ("honest", "veto", "applaud", "contrary", "silent", "stuffed")
RECALLS = ("honest", "slander")
CANDIDATES = ("honest", "none", "wrong", "trigger")
