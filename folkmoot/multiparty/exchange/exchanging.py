"""An exchange from beginning to end: parties reveal samples, train on those of others, and judges decide."""

import copy
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from folkmoot.multiparty.exchange.bench import Bench, Votes
from folkmoot.multiparty.exchange.gate import Decision
from folkmoot.multiparty.exchange.retraining import Retraining
from folkmoot.multiparty.exchange.revealing import Shown, verdicts
from folkmoot.multiparty.models.fleet import Fleet
from folkmoot.multiparty.models.model import Floats32, Model
from folkmoot.multiparty.party import Party, as_float32
from folkmoot.multiparty.rules.committee import Committee
from folkmoot.multiparty.rules.margin import Integers

EXCHANGE, CALIBRATION = "exchange", "calibration"  # how candidates came about
EXCHANGED = 1 << 20  # coordinate of the chance of exchanges
REVEAL, TRAIN = range(2)  # what a generator is for
MOST_EACH = 64  # samples of a class that a party may reveal


class Exchange(NamedTuple):
    """What became of an exchange.

    Attributes:
        decision: what the gate said.
        changed: names of the parties whose models are new.
        reverted: names of those whose candidates were taken back.
        revealed: name of a party -> "" for its samples that others trained on, or why they did not -> how many.
        unheard: names of those whose models do not count, since the judges found them wrong too often.
    """

    decision: Decision
    changed: tuple[str, ...]
    reverted: tuple[str, ...]
    revealed: dict[str, dict[str, int]]
    unheard: tuple[str, ...]


class PublicPool(NamedTuple):
    """Samples of a public pool [samples, *shape], and the class [samples] that the models together take each for."""

    x: Floats32
    said: Integers


class Held(NamedTuple):
    """All there is to an exchange, for the chain."""

    mode: str  # EXCHANGE or CALIBRATION
    each: int  # most samples of a class that a party may reveal; 0 for calibrations
    shown: tuple[Shown, ...]
    wrong: tuple[int, ...]  # of each, y-; -1 in an exchange
    verdicts: tuple[str, ...]
    candidates: dict[int, Model]
    bench: Bench
    votes: Votes


def hold(
    parties: Sequence[Party],
    committee: Committee,
    each: int,
    how: Retraining,
    coordinates: Sequence[int],
    public: PublicPool | None = None,
) -> Held:
    """An exchange; nothing is changed.

    Args:
        parties: in the order of their numbers.
        committee: their models as they are.
        each: most samples of a class that a party reveals; 0: candidates have seen nothing but their own samples.
        how: parties train.
        coordinates: of all choices at random.
        public: a pool; what is of classes that a party does not know, it trains on as well.
    """
    fleet, bench = committee.fleet, Bench(parties, committee.fleet)
    shown = []
    for number, party in enumerate(parties):
        generator = np.random.default_rng([*coordinates, REVEAL, number])
        for x, label in party.reveal(committee, each, generator)[: each * len(party.model.classes)]:
            shown.append(Shown(number, as_float32(np.asarray(x), f"party {party.name}: revealed"), int(label)))
    said = judged(shown, fleet, bench, each)
    candidates: dict[int, Model] = {}
    for number, party in enumerate(parties):
        if not fleet.is_in(number):
            continue
        generator = np.random.default_rng([*coordinates, TRAIN, number])
        foreign = foreign_to(number, shown, said, fleet, committee.terms.shape)
        if public is not None:
            foreign = np.concatenate([foreign, public.x[~fleet.claims[number, public.said]]])
        pupil = taught(party, number, shown, said, fleet)
        candidate = pupil.retrained(fleet.model(number), foreign, how, generator)
        if candidate is not None:
            candidates[number] = candidate
    wrong = tuple(-1 for _ in shown)
    return Held(EXCHANGE, each, tuple(shown), wrong, tuple(said), candidates, bench, bench.vote(candidates))


def judged(shown: Sequence[Shown], fleet: Fleet, bench: Bench, each: int) -> list[str]:
    """What becomes of each sample, see `revealing.verdicts`."""
    if not shown:
        return []
    scores = fleet.scores(np.stack([one.x for one in shown]))
    return verdicts(shown, scores, fleet.claims, bench.kept, each)


def foreign_to(
    number: int, shown: Sequence[Shown], said: Sequence[str], fleet: Fleet, shape: tuple[int, ...]
) -> Floats32:
    """What a party trains on as "none of mine", [samples, *shape]."""
    taken = [
        one.x
        for one, refused in zip(shown, said, strict=True)
        if not refused and one.sender != number and not fleet.claims[number, one.label]
    ]
    return np.stack(taken) if taken else np.zeros((0, *shape), np.float32)


def taught(party: Party, number: int, shown: Sequence[Shown], said: Sequence[str], fleet: Fleet) -> Party:
    """The party with what others revealed of the classes it knows beside its own samples, under their labels.

    A network goes on from where it is, which these few samples did not make better; its party is as it was.

    Args:
        party: it stays as it is.
        number: of the party.
        shown, said: samples, and what became of each, see `judged`.
        fleet: all models.
    """
    taken = [
        one
        for one, refused in zip(shown, said, strict=True)
        if not refused and one.sender != number and fleet.claims[number, one.label]
    ]
    pupil = copy.copy(party)
    if taken and not fleet.model(number).kind.startswith("torch/"):
        x, y = np.stack([one.x for one in taken]), np.array([one.label for one in taken], np.int64)
        object.__setattr__(pupil, "x", np.concatenate([np.asarray(party.x, np.float32), x]))
        object.__setattr__(pupil, "y", np.concatenate([np.asarray(party.y, np.int64), y]))
    return pupil


def summary(held: Held, parties: Sequence[Party], labels: tuple[str, ...] = ()) -> Exchange:
    """For who asked for it."""
    names = [party.name for party in parties]
    revealed: dict[str, dict[str, int]] = {name: {} for name in names}
    for one, said in zip(held.shown, held.verdicts, strict=True):
        counts = revealed[names[one.sender]]
        counts[said] = counts.get(said, 0) + 1
    decision = held.votes.decision._replace(labels=labels)
    changed = [i for i in sorted(held.candidates) if i not in decision.reverted] if decision.accepted else []
    return Exchange(
        decision,
        tuple(names[i] for i in changed),
        tuple(names[i] for i in decision.reverted),
        revealed,
        tuple(name for name, kept in zip(names, held.bench.kept, strict=True) if not kept),
    )
