"""A member of a consortium of models, as its node runs it: the participant, and what an application may ask of it.

Everything here is called between two steps, or in one, by the thread that plays the steps. What it shows is made after
each step and replaced as a whole, so that others may read it at any time.
"""

from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from folkmoot.errors import brief
from folkmoot.ledger.block import Block
from folkmoot.machine import NO_FLOOR, Append, Chance, Effects, Floor, Moment, Received, content
from folkmoot.machine import Chain as Stored
from folkmoot.multiparty.chain.entries import Entry
from folkmoot.multiparty.chain.exchanged import read_exchange
from folkmoot.multiparty.chain.gathering import Gatherer, GatheringRole
from folkmoot.multiparty.chain.records import CALIBRATE, EXCHANGE, read_calibration, read_head
from folkmoot.multiparty.chain.standing import State
from folkmoot.multiparty.party import Party, as_float32
from folkmoot.multiparty.predictors import Predictor, by_name
from folkmoot.multiparty.rules.sample import Proposal, View
from folkmoot.multiparty.rules.terms import Terms
from folkmoot.multiparty.screening import Check, screen
from folkmoot.node.asking import AskedFor, asked
from folkmoot.node.brought import OwnSamples

if TYPE_CHECKING:
    from folkmoot.multiparty.models.model import Model

MOST_ROWS = 256  # samples in one request
SCREENED = "screened"
PREDICTORS = ("mean", SCREENED, "median", "star", "krum", "max")
_BLOCKS, _EXCHANGES = 32, 16  # of which the hashes, and what became of them, are shown
_NO_SAMPLES = "samples: this member's data folder has no model, and no samples of its own"


class NotYet(ValueError):
    """Models of other members are still missing here."""


class OwnData:
    """A member's samples, to which its application adds; it looks through them for some to send."""

    def __init__(self, party: Party, samples: OwnSamples) -> None:
        self.party, self._samples = party, samples

    def mine(self, view: View, wanted: int, generator: np.random.Generator) -> Sequence[Proposal]:
        """See `folkmoot.multiparty.chain.local_party.Finds`."""
        return self.party.mine(view, wanted, generator)

    def add(self, x: NDArray[np.float32], y: NDArray[np.int64]) -> int:
        """Keep more samples; how many are new.

        Raises:
            ValueError: more than a member may have.
            Full: the disk takes them not.
        """
        new = np.array(self._samples.add(x, y), np.bool_)
        if new.any():
            party = self.party
            self.party = replace(party, x=np.concatenate([party.x, x[new]]), y=np.concatenate([party.y, y[new]]))
        return int(new.sum())


class Predictions(NamedTuple):
    """What the models say together.

    Attributes:
        classes: [samples], the number of each one's class; -1: no model speaks for it.
        labels: the same by name; None: classes have no names.
        scores: float32 [samples, classes].
        predictor: how the models were put together.
        height: of the chain whose models they were.
    """

    classes: NDArray[np.integer]
    labels: list[str] | None
    scores: NDArray[np.float32]
    predictor: str
    height: int


@dataclass(frozen=True)
class LearnerRole(GatheringRole):
    """A participant with data of its own.

    Attributes:
        data: None: it has none, and only follows, or makes blocks.
        renewed: another model that lies ready in its data folder, and its parameters; None: none does.
    """

    data: OwnData | None = None
    renewed: Callable[[], "tuple[Model, bytes] | None"] = lambda: None

    def resume(self, kept: Mapping[str, bytes], chain: Stored, chance: Chance, floor: Floor = NO_FLOOR) -> "Learner":
        """See `GatheringRole.resume`."""
        return Learner(self, kept, chain, floor, chance)


class Learner(Gatherer):
    """See the head of the module.

    Attributes:
        shown: what an operator and an application may know, see `seen`.
    """

    role: LearnerRole

    def __init__(
        self, role: LearnerRole, kept: Mapping[str, bytes], stored: Stored, floor: Floor, chance: Chance
    ) -> None:
        self._verdicts: dict[int, Counter[str]] = {}
        self._exchanges: deque[dict[str, Any]] = deque(maxlen=_EXCHANGES)
        self._fleet: tuple[int, list[bytes | None]] = (-1, [])
        self._tips: deque[tuple[int, str]] = deque(maxlen=_BLOCKS)
        self._screening: tuple[int, Predictor] | None = None
        self._right: tuple[int, dict[str, float]] | None = None
        super().__init__(role, kept, stored, floor, chance)
        state = role.blank()
        self._terms, self._parties = state.terms, state.parties
        self._named = {number: party.parameters for number, party in enumerate(state.parties)}
        for height in range(1, stored.height + 1):
            self._count(Block.from_bytes(stored.block(height)))
        self.shown: Mapping[str, Any] = self._seen()

    def step(
        self, moment: Moment, inbox: Sequence[Received], outcomes: Sequence[Any], blocks: Sequence[Any] = ()
    ) -> Effects:
        """See `folkmoot.machine.Machine`."""
        effects = super().step(moment, inbox, outcomes, blocks)
        for item in effects.keep:
            if isinstance(item, Append):
                self._count(Block.from_bytes(content(item.block)))
        self._compare()
        self.shown = self._seen()
        return effects

    def _count(self, block: Block) -> None:
        """What became of whose samples, and the models as they are after this block."""
        what = read_head(block.records[0]).what
        if what == EXCHANGE:
            self._exchanges.append(self._exchanged(block))
        if what == CALIBRATE:
            notes, leaves = read_calibration(block.records[1:])
            for note in notes:
                self._verdicts.setdefault(note.sender, Counter())[note.verdict or "accepted"] += 1
            self._named.update({leaf.party: leaf.parameters for leaf in leaves})
        self._tips.append((block.header.height, block.hash.hex()))

    def _exchanged(self, block: Block) -> dict[str, Any]:
        """What became of an exchange; each sample counts for its sender."""
        told, names = read_exchange(block.records[1:]), [party.name for party in self._known]
        for note in told.shown:
            self._verdicts.setdefault(note.sender, Counter())[note.verdict or "revealed"] += 1
        gate, candidates = told.gate, [one.party for one in told.candidates]
        return {
            "height": block.header.height, "how": gate.mode, "accepted": gate.accepted, "gain": gate.gain,
            "candidates": [names[number] for number in candidates],
            "rolled_back": [names[n] for n in (gate.reverted if gate.accepted else candidates)],
            "before": self._mean_at(block.header.height - 1), "after": None,
        }  # fmt: skip

    def _mean_at(self, height: int) -> float | None:
        """What share of the own check set the mean last got right, if that was at this height."""
        return self._right[1]["mean"] if self._right is not None and self._right[0] == height else None

    def _compare(self) -> None:
        """Of an exchange in the last block, what the mean of the models gets right now."""
        last = self._exchanges[-1] if self._exchanges else None
        if last and last["height"] == self._height and last["after"] is None and last["before"] is not None:
            accuracy = self._accuracy()
            assert accuracy is not None
            self._exchanges[-1] = {**last, "after": accuracy["mean"]}

    @property
    def _known(self) -> Sequence[Entry]:
        """All parties there are."""
        return self._parties if self.participant is None else self.participant.chain.state.parties

    # --- What whoever operates this member asks ----------------------------------------------------------------------

    def ask(self, wanted: AskedFor) -> str:
        """Ask for an exchange, or for an act of this member; what is under way then, in a few words.

        It is kept with the next step, asked for again after a restart, and stands on the chain once it is done. Who
        asks for what was asked for already asks once.

        Raises:
            NotYet: models are missing.
            ValueError: what is wrong, or the rules refuse it.
        """
        _ = self._state
        assert self.participant is not None
        said = asked(self.participant, wanted, self._chance, self.role.renewed)
        self.shown = self._seen()
        return said

    # --- What an application asks ------------------------------------------------------------------------------------

    @property
    def _state(self) -> State:
        """That of the chain as it stands.

        Raises:
            NotYet: models are missing.
        """
        if self.participant is None:
            what = f"{len(self.lacking)} of {len(self._parties)} models are still to be fetched"
            what = self.wrong or (what if self.lacking else "all models are here; they speak from the next round on")
            raise NotYet(f"nothing can be predicted yet: {what}")
        found: State = self.participant.chain.state
        return found

    def predict(self, rows: Sequence[Sequence[float]], name: str = "mean") -> Predictions:
        """What the models as they are say of these samples.

        Args:
            rows: the numbers of each sample, in a row.
            name: one of `PREDICTORS`; "screened" is the mean of the models that do well on this member's check set.

        Raises:
            NotYet: models are missing.
            ValueError: samples of another shape or too many; a predictor that there is not.
        """
        x, state = self._samples(rows), self._state
        predictor, fleet = self._predictor(name), state.committee.fleet
        scores = fleet.scores(x)
        classes = predictor.predict(scores, fleet.claims)
        labels = [self._terms.labels[c] if c >= 0 else "" for c in classes.tolist()] if self._terms.labels else None
        return Predictions(classes, labels, predictor.class_scores(scores, fleet.claims), name, self._height)

    @property
    def _height(self) -> int:
        return 0 if self.participant is None else self.participant.chain.height

    def _predictor(self, name: str) -> Predictor:
        if name not in PREDICTORS:
            raise ValueError(f"predictor = {brief(name)}: expected one of {', '.join(PREDICTORS)}")
        if name != SCREENED:
            return by_name(name, self._terms.alpha)
        check = self._check
        if check is None:
            others = ", ".join(name for name in PREDICTORS if name != SCREENED)
            raise ValueError(f'predictor = "screened": this member has no check set; expected one of {others}')
        if self._screening is None or self._screening[0] != self._height:
            fleet = self._state.committee.fleet
            judged = Check(self.role.me, True, fleet.scores(check[0]), check[1])
            self._screening = self._height, screen([judged], fleet.claims).predictor
        return self._screening[1]

    @property
    def _check(self) -> tuple[NDArray[Any], NDArray[Any]] | None:
        return None if self.role.data is None else self.role.data.party.check

    def take(self, rows: Sequence[Sequence[float]], told: Sequence[int | str]) -> tuple[int, int]:
        """Keep samples of this member's own, among which it looks for some to send; how many are new, and known.

        Args:
            rows: the numbers of each sample, in a row.
            told: the class of each: its number, or its name where classes have names.

        Raises:
            ValueError: samples of another shape or too many, a class that the own model does not know, no room.
            Full: the disk takes them not; none is kept.
        """
        if self.role.data is None:
            raise ValueError(_NO_SAMPLES)
        x = self._samples(rows)
        if len(told) != len(x):
            raise ValueError(f"y: {len(told)} classes for {len(x)} samples: expected as many")
        y = np.array([self._class_of(number, value) for number, value in enumerate(told)], np.int64)
        new = self.role.data.add(x, y)
        self.shown = self._seen()
        return new, len(x) - new

    def _class_of(self, number: int, value: int | str) -> int:
        assert self.role.data is not None
        known, labels = self.role.data.party.model.classes, self._terms.labels
        found = labels.index(value) if isinstance(value, str) and value in labels else value
        if isinstance(found, str) or found not in known:
            names = [labels[c] if labels else str(c) for c in known]
            raise ValueError(
                f"y[{number}] = {brief(value)}: expected one of the classes that this member's model knows: "
                f"{', '.join(names)}"
            )
        return int(found)

    def _samples(self, rows: Sequence[Sequence[float]]) -> NDArray[np.float32]:
        shape = self._terms.shape
        if not 1 <= len(rows) <= MOST_ROWS:
            raise ValueError(f"x: {len(rows)} samples: expected 1 to {MOST_ROWS} in one request")
        for number, row in enumerate(rows):
            if len(row) != prod(shape):
                raise ValueError(f"x[{number}]: {len(row)} numbers: expected the {prod(shape)} of one sample")
        return as_float32(np.array(rows, np.float64), "x").reshape(len(rows), *shape)

    # --- What it shows -----------------------------------------------------------------------------------------------

    def _seen(self) -> Mapping[str, Any]:
        """Models, whose samples were taken or refused and why, accuracy on the own check set, hashes of last blocks."""
        said, own = [], self.participant
        for number, party in enumerate(self._known):
            verdicts = dict(self._verdicts.get(number, ()))
            accepted, revealed = verdicts.pop("accepted", 0), verdicts.pop("revealed", 0)
            gone = own is not None and not own.chain.state.is_in(number)
            said.append({
                "member": party.name, "kind": party.model_kind, "classes": list(party.classes),
                "parameters": self._parameters(number).hex(), "here": party.parameters not in self.lacking,
                "accepted": accepted, "revealed": revealed, "refused": verdicts, "gone": gone,
            })  # fmt: skip
        data, check, height = self.role.data, self._check, self._height
        return {
            "height": height,
            "learning": {
                "classes": self._terms.n_classes, "labels": list(self._terms.labels),
                "shape": list(self._terms.shape), "models": said, "lacking": len(self.lacking), "wrong": self.wrong,
                "samples": 0 if data is None else len(data.party.x), "checked": 0 if check is None else len(check[1]),
                "accuracy": self._accuracy(), "blocks": [list(tip) for tip in self._tips],
                "exchange": "" if own is None else own.convening.said, "exchanges": list(self._exchanges),
                "waiting": [] if own is None else own.wishes.shown(), "queued": 0 if own is None else len(own.pool),
            },
        }  # fmt: skip

    def _parameters(self, number: int) -> bytes:
        """Digest of those of a party as they now are."""
        if self.participant is None:
            return self._named[number]
        state: State = self.participant.chain.state
        if self._fleet[0] != self._height:
            fleet = state.committee.fleet
            self._fleet = self._height, [fleet.hash(n) if fleet.is_in(n) else None for n in range(len(fleet))]
        return self._fleet[1][number] or state.parties[number].parameters

    def _accuracy(self) -> Mapping[str, float] | None:
        """Shares of the own check set that come out right: of the mean, of the models kept, of the own model alone."""
        check, data = self._check, self.role.data
        if check is None or data is None or self.participant is None or not len(check[1]):
            return None
        if self._right is None or self._right[0] != self._height:
            fleet, found = self._state.committee.fleet, {}
            scores = fleet.scores(check[0])
            for name in ("mean", SCREENED):
                found[name] = float(np.mean(self._predictor(name).predict(scores, fleet.claims) == check[1]))
            if (number := self.participant.party) >= 0:
                own = scores[number][:, list(data.party.model.classes)].argmax(axis=1)
                found["alone"] = float(np.mean(np.array(data.party.model.classes)[own] == check[1]))
            self._right = self._height, found
        return self._right[1]


def terms_from(n_classes: int, shape: tuple[int, ...], rules: Mapping[str, Any]) -> Terms:
    """Terms of a consortium, by what a charter says of them.

    Raises:
        ValueError: a field that is not known, or a value out of range.
    """
    allowed = [field.name for field in fields(Terms) if field.name not in ("n_classes", "shape")]
    for name in rules:
        if name not in allowed:
            raise ValueError(f"{name}: unknown; the rules are {', '.join(allowed)}")
    whole = ("edition", "refusals", "approvals")
    given: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list)
        else float(value) if type(value) is int and name not in whole else value
        for name, value in rules.items()
    }  # fmt: skip
    return Terms(n_classes, shape, **{"edition": 2, "refusals": 8, **given})
