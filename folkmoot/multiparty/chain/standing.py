"""Where a chain of kind "bema" stands: its parties, their models, and what a list of samples does to these."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from folkmoot.encoding import Malformed, Value
from folkmoot.ledger.contents import Contents, name_of
from folkmoot.multiparty.chain.entries import MOST_PARTIES, Entry, read_entry, typed
from folkmoot.multiparty.chain.life import VACANT, Life
from folkmoot.multiparty.chain.records import MINER, OP, RP
from folkmoot.multiparty.chain.voting import MOST_MEMBERS, Voting, read_voting
from folkmoot.multiparty.exchange.bench import Commitment
from folkmoot.multiparty.models.model import Model
from folkmoot.multiparty.rules.committee import Committee
from folkmoot.multiparty.rules.sample import Sample
from folkmoot.multiparty.rules.terms import Terms
from folkmoot.signatures import KEY_BYTES

MOST_MINERS = 1 << 10


class Moved(NamedTuple):
    """A model after samples have moved it."""

    party: int
    parameters: bytes
    name: bytes  # of them, as a content


class Calibrated(NamedTuple):
    """What a list of samples did."""

    committee: Committee
    verdicts: tuple[str, ...]  # of each sample: empty, or the check it failed
    moved: tuple[Moved, ...]  # ascending
    each: tuple[tuple[int, ...], ...] = ()  # models that each sample moved


class State(NamedTuple):
    """What the rules remember. Nothing in it is changed; `ahead` only keeps what is computed anyway."""

    terms: Terms
    parties: tuple[Entry, ...]  # original ones first, then in the order of admission
    originals: int
    miners: frozenset[bytes]  # public keys
    committee: Committee  # their models as they are now
    contents: Contents
    origin: bytes  # hash of the genesis; empty before the first block
    ahead: dict[tuple[tuple[int, bytes, int, int], ...], Calibrated]  # of the samples last asked for
    voting: Voting | None = None  # None: a block has one signature, its maker's
    round: int = 0  # in which the last block was proposed, where there are votes
    recorded: frozenset[bytes] = frozenset()  # samples that were refused, where the terms bound refusals
    turned_away: int = 0  # newcomers in a row, up to now; counted where the terms bound them
    life: Life = Life()
    checks: Mapping[int, Commitment] = {}  # by number of the party: see `exchange_rules`

    @property
    def members(self) -> tuple[bytes, ...]:
        """Keys of those who vote, in the order of their numbers; `VACANT` for those who are gone."""
        keys = [party.key if self.is_in(i) else VACANT for i, party in enumerate(self.parties[: self.originals])]
        return tuple(keys) + tuple(sorted(self.miners))

    @property
    def voters(self) -> tuple[bytes, ...]:
        """Keys of the members that are not gone."""
        return tuple(key for key in self.members if key != VACANT)

    @property
    def makers(self) -> tuple[bytes, ...]:
        """Keys of those who propose blocks to be voted on, in the order of their turns."""
        return tuple(sorted(self.miners)) or self.voters

    def is_in(self, number: int) -> bool:
        """Is there a party with this number, and is it not gone?"""
        return 0 <= number < len(self.parties) and number not in self.life.gone

    @property
    def keys_now(self) -> tuple[bytes, ...]:
        """Of each party, by its number; `VACANT` for those who are gone."""
        return tuple(party.key if self.is_in(i) else VACANT for i, party in enumerate(self.parties))

    @property
    def trusted(self) -> tuple[int, ...]:
        """Numbers of the original parties that are not gone."""
        return tuple(number for number in range(self.originals) if self.is_in(number))

    def number_of(self, key: bytes) -> int:
        """The number of the party with this key; -1: there is none, or it is gone."""
        found = (i for i, party in enumerate(self.parties) if party.key == key and self.is_in(i))
        return next(found, -1)

    def kind_of(self, key: bytes) -> str | None:
        """As what this key makes blocks, None if it may not."""
        if self.voting is not None and key not in self.makers:
            return None
        number = self.number_of(key)
        if number >= 0:
            return OP if number < self.originals else RP
        return MINER if key in self.miners else None

    def covers(self, original: int, classes: Sequence[int]) -> bool:
        """Does this original party know all of the classes?"""
        known = original < self.originals and self.is_in(original)
        return known and set(classes) <= set(self.parties[original].classes)

    def judges(self, classes: Sequence[int], number: int = -1) -> tuple[int, ...]:
        """Original parties whose approval of a model of these classes counts; `number`: of the party that it is of.

        Those who know all of the classes. Where the model is an original party's, those who know one of them: no other
        may know them all, and the party is trusted already.
        """
        others = [other for other in self.trusted if other != number]
        if 0 <= number < self.originals:
            return tuple(other for other in others if set(classes) & set(self.parties[other].classes))
        return tuple(other for other in others if self.covers(other, classes))

    def needed(self, judges: Sequence[int], number: int = -1) -> int:
        """How many of them must approve it. Of an original party's model no more than there are, which may be none."""
        most = max(self.terms.approvals, 1)
        return min(most, len(judges)) if 0 <= number < self.originals else most

    def is_taken(self, name: str, key: bytes) -> bool:
        """Is or was this name or key a party's?"""
        known = any(name == other.name or key == other.key for other in self.parties)
        return known or key in self.life.retired

    def claimed(self, label: int) -> bool:
        """Is there a party that knows this class?"""
        return label < self.terms.n_classes and bool(self.committee.fleet.claims[:, label].any())

    def after(self, samples: Sequence[Sample]) -> Calibrated:
        """What these samples do to the models, in their order.

        Raises:
            Malformed: they make parameters that are not finite.
        """
        key = _key(samples)
        return self.ahead[key] if key in self.ahead else self.known(samples, calibrated(self.committee, samples))

    def known(self, samples: Sequence[Sample], found: Calibrated) -> Calibrated:
        """What these samples do is known already: those that are refused move nothing, and may be left out."""
        self.ahead.clear()  # a miner asks, and its own block is applied next: one is enough
        self.ahead[_key(samples)] = found
        return found


def _key(samples: Sequence[Sample]) -> tuple[tuple[int, bytes, int, int], ...]:
    return tuple((sample.sender, sample.name, sample.label, sample.wrong) for sample in samples)


def calibrated(committee: Committee, samples: Sequence[Sample]) -> Calibrated:
    """See `State.after`; the committee stays as it is."""
    twin = committee.copy()
    verdicts: list[str] = []
    moved: list[tuple[int, ...]] = []
    with np.errstate(all="ignore"):  # numbers that overflow are looked at below
        for sample in samples:
            verdict = twin.take(sample)
            verdicts.append(verdict.refused or "")
            moved.append(verdict.moved)
        parties = sorted({party for of_sample in moved for party in of_sample})
        return Calibrated(twin, tuple(verdicts), tuple(_moved(twin, party) for party in parties), tuple(moved))


def _moved(committee: Committee, party: int) -> Moved:
    parameters = committee.fleet.parameters(party)
    return Moved(party, parameters, name_of(parameters))


def replaced(committee: Committee, others: Mapping[int, Model | None]) -> Committee:
    """The committee with other models for some parties; None: the party is gone, and has none."""
    fleet = committee.fleet
    models = [others[i] if i in others else fleet.model(i) if fleet.is_in(i) else None for i in range(len(fleet))]
    twin = Committee(models, committee.terms)
    twin.used = committee.used
    return twin


def configuration(
    terms: Terms, originals: Sequence[Entry], miners: Sequence[bytes] = (), voting: Voting | None = None
) -> Value:
    """What the genesis of a chain holds.

    Args:
        terms: see there.
        originals: the parties that begin it, see `entries.entry`.
        miners: public keys of those who may make blocks and are no parties.
        voting: how blocks are voted on; None: they are not, one signature makes a block.
    """
    said = (terms.to_value(), tuple(tuple(party) for party in originals), tuple(sorted(miners)))
    return said if voting is None else (*said, voting.to_value())


def read_configuration(value: Value) -> tuple[Terms, tuple[Entry, ...], frozenset[bytes], Voting | None]:
    """Terms, original parties, miners, and how blocks are voted on.

    Raises:
        Malformed: not what `configuration` returns for parties with different names and keys.
    """
    voted = type(value) is tuple and len(value) == 4
    told, parties, miners, *more = typed(value, (tuple, tuple, tuple, *[tuple] * voted), "configuration of bema")
    terms = Terms.from_value(told)
    originals = tuple(read_entry(party) for party in parties)
    if not 1 <= len(originals) <= MOST_PARTIES:
        raise Malformed(f"original parties: {len(originals)} given, expected 1 to {MOST_PARTIES}")
    for what, found in (("name", {p.name for p in originals}), ("key", {p.key for p in originals})):
        if len(found) < len(originals):
            raise Malformed(f"original parties: two have the same {what}")
    if len(miners) > MOST_MINERS or not all(type(key) is bytes and len(key) == KEY_BYTES for key in miners):
        raise Malformed(f"miners: expected at most {MOST_MINERS} public keys of {KEY_BYTES} bytes")
    if list(miners) != sorted(set(miners)):
        raise Malformed("miners: expected ascending order, each key once")
    voting = read_voting(more[0]) if more else None
    if voting is not None:
        members = [party.key for party in originals] + list(miners)
        if len(members) > MOST_MEMBERS or len(set(members)) < len(members):
            what = f"expected at most {MOST_MEMBERS}, each key once"
            raise Malformed(f"original parties and miners who vote: {len(members)} given, {what}")
    return terms, originals, frozenset(miners), voting
