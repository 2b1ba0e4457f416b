"""A participant that begins with its own model alone: it fetches those of the others, and then takes part.

The genesis of a chain names the parameters of each original party's model by their digest. Whoever lacks some asks for
them, in the first stage of each round: the party whose model it is, and in later rounds the others, one after the
other. What comes is checked against the digest and is in the store at once. So a crash loses nothing of it, nobody is
believed, and what was not asked for is thrown away. Parameters travel in the messages that participants have for
contents anyway (`Lacking`, `Given`): as large as the members' agreement lets one be, and no larger.

Until all are there it says nothing else; it answers others who lack what it has.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from folkmoot.agreement.entered import ROUND, last_round
from folkmoot.agreement.shares import Largest
from folkmoot.agreement.signed_messages import Rejected
from folkmoot.encoding import encode
from folkmoot.errors import OtherSide
from folkmoot.ledger.chain import Genesis, start
from folkmoot.ledger.contents import Contents, MissingContent, TamperedContent, name_of
from folkmoot.machine import NO_FLOOR, Chance, Effects, Floor, Moment, Noticed, Outcome, Put, Received
from folkmoot.machine import Chain as Stored
from folkmoot.multiparty.chain.bounds import MOST_ASKED, stages
from folkmoot.multiparty.chain.entries import Entry
from folkmoot.multiparty.chain.exchanging import Exchanging
from folkmoot.multiparty.chain.local_party import Finds
from folkmoot.multiparty.chain.participant import ANSWER, COMMIT, NAMES, SAMPLES, Participant, Role
from folkmoot.multiparty.chain.standing import State, read_configuration
from folkmoot.multiparty.chain.talk import CONSORTIUM, MOST_NAMES, ROOM, Given, Lacking, given
from folkmoot.multiparty.party import Party


@dataclass(frozen=True)
class GatheringRole:
    """Who such a participant is.

    Attributes:
        me: its number on the chain, among the original parties or after them, see `places`.
        seed: 32 secret bytes, of its key.
        genesis: of the chain; its blocks are voted on.
        contents: its own store; of the parameters that the genesis names it may lack any.
        finds, wanted, most, room, clock, party, exchanging: see `role.Role`.
        asks: of a newcomer that is no original party: its entry; its parameters are in the store.
        places: of each member as the driver numbers them, its number on the chain: original parties first, then those
            who only make blocks, in the order of their keys, then the others. Empty: they are the same.
    """

    me: int
    seed: bytes
    genesis: Genesis
    contents: Contents
    finds: Finds | None = None
    wanted: int = 8
    most: int = 200
    room: int = ROOM
    clock: Callable[[], int] = lambda: 0
    party: Callable[[], Party | None] = lambda: None
    exchanging: Exchanging = field(default_factory=Exchanging)
    asks: Entry | None = None
    places: tuple[int, ...] = ()

    def blank(self) -> State:
        """What the genesis says, before any model is loaded: enough to know what may be said."""
        terms, originals, miners, voting = read_configuration(self.genesis.configuration)
        nothing: Any = None
        return State(terms, originals, len(originals), miners, nothing, self.contents, b"", {}, voting)

    def resume(self, kept: Mapping[str, bytes], chain: Stored, chance: Chance, floor: Floor = NO_FLOOR) -> "Gatherer":
        """See `folkmoot.machine.Resumes`.

        Raises:
            Malformed, InvalidBlock: what was kept is damaged, or is another participant's or chain's.
            ValueError: a chain whose blocks are not voted on.
        """
        return Gatherer(self, kept, chain, floor, chance)


class Gatherer:
    """A participant that may lack what its chain begins with.

    Attributes:
        role: who it is.
        stages: of a round.
        participant: once all is there; None until then.
        lacking: digests of what it lacks.
        wrong: why the chain cannot begin here although all is there; empty: it can, or something is missing.
    """

    def __init__(
        self, role: GatheringRole, kept: Mapping[str, bytes], stored: Stored, floor: Floor, chance: Chance
    ) -> None:
        self._chance = chance
        self.role, self._kept, self._stored, self._floor = role, dict(kept), stored, floor
        state = role.blank()
        self._owners = {party.parameters: number for number, party in enumerate(state.parties)}
        self._n, self._members = len(state.parties), len(state.members)
        self.stages = stages(state, NAMES, ANSWER, role.wanted, role.most, role.room, role.exchanging)
        self._largest = Largest(self.stages, CONSORTIUM.kind_of)
        self._next = Moment(max(last_round(kept) + 1, floor.round, 1), SAMPLES)
        self._tries = 0
        self._asked = Counter[int]()  # how often who asked in this round
        self._lent = set[tuple[int, bytes]]()  # and what each was given
        self.participant: Participant | None = None
        self.lacking = {name for name in self._owners if not self._has(name)}
        self.wrong = ""
        self._begin()

    @property
    def next(self) -> Moment:
        """See `folkmoot.machine.Machine`."""
        return self._next if self.participant is None else self.participant.next

    def kind_of(self, data: bytes) -> str:
        """See `folkmoot.machine.Machine`."""
        return CONSORTIUM.kind_of(data)

    def _has(self, name: bytes) -> bool:
        try:
            self.role.contents.get(name)
        except (MissingContent, TamperedContent):
            return False
        return True

    def _begin(self) -> None:
        """Take part, if all is there."""
        if self.lacking or self.wrong:
            return
        role = self.role
        try:
            first = start(role.genesis, role.contents)
        except OtherSide as error:  # a model of somebody that is none, or of a kind that is not known here
            self.wrong = str(error)
            return
        own = Role(
            role.seed, first, role.finds, None, role.asks, role.wanted, role.most, role.room, role.clock, role.party,
            role.exchanging,
        )  # fmt: skip
        self.participant = Participant(own, self._kept, self._stored, self._floor)
        self.participant.next = max(self.participant.next, self._next)

    def step(
        self, moment: Moment, inbox: Sequence[Received], outcomes: Sequence[Outcome], blocks: Sequence[Any] = ()
    ) -> Effects:
        """See `folkmoot.machine.Machine`. It begins to take part at the beginning of a round."""
        places = self.role.places
        if not places:
            return self._stepped(moment, inbox, outcomes, blocks)
        back = {place: number for number, place in enumerate(places)}
        told = sorted((Received(places[one.sender], one.data) for one in inbox), key=lambda one: one.sender)
        effects = self._stepped(moment, told, outcomes, blocks)
        effects.send = [(to if to is None else back[to], data) for to, data in effects.send]
        effects.noticed = [one._replace(sender=back.get(one.sender, -1)) for one in effects.noticed]
        return effects

    def _stepped(
        self, moment: Moment, inbox: Sequence[Received], outcomes: Sequence[Outcome], blocks: Sequence[Any]
    ) -> Effects:
        if self.participant is None and moment.stage == SAMPLES:
            self._next = moment
            self._begin()
        if self.participant is not None:
            return self.participant.step(moment, inbox, outcomes, blocks)
        return self._gather(moment, inbox)

    def _gather(self, moment: Moment, inbox: Sequence[Received]) -> Effects:
        effects = Effects()
        if moment.stage == SAMPLES:
            self._asked.clear()
            self._lent.clear()
            word = Put(ROUND, partial(encode, moment.round))
            effects.keep.append(word)
            self._kept[ROUND] = encode(moment.round)
        for sender, data in inbox:
            try:
                self._largest.require(data)
                self._take(CONSORTIUM.from_bytes(data, (self._members,)), sender, effects)
            except Rejected as error:
                effects.noticed.append(Noticed(sender, error.reason))
            except OtherSide:
                effects.noticed.append(Noticed(sender, "malformed"))
        if moment.stage == SAMPLES:
            self._ask(effects)
        self._next = Moment(moment.round, moment.stage + 1) if moment.stage < COMMIT else Moment(moment.round + 1, 0)
        return effects

    def _take(self, message: Any, sender: int, effects: Effects) -> None:
        """Contents that are lacked, and questions for some; all else is for those who are further."""
        if isinstance(message, Given):
            for content in message.contents:
                if (name := name_of(content)) in self.lacking:
                    self.role.contents.put(content)
                    self.lacking.discard(name)
                    effects.counts["contents fetched"] += 1
        elif isinstance(message, Lacking):
            self._asked[sender] += 1
            if self._asked[sender] > MOST_ASKED:
                raise Rejected("asked too often")
            for answer in given(self._lend(message.names, sender), self.role.room):
                effects.send.append((sender, CONSORTIUM.to_bytes(answer)))

    def _lend(self, names: Sequence[bytes], to: int) -> Iterator[bytes]:
        """Models that are here, each once in a round."""
        for name in names:
            if name in self._owners and (to, name) not in self._lent and self._has(name):
                self._lent.add((to, name))
                yield self.role.contents.get(name)

    def _ask(self, effects: Effects) -> None:
        """The owner of each model that is lacking; when that was in vain, the one after it, and so on."""
        whom: dict[int, list[bytes]] = {}
        for name in sorted(self.lacking):
            others = [(self._owners[name] + step) % self._n for step in range(self._n)]
            others = [number for number in others if number != self.role.me]
            whom.setdefault(others[self._tries % len(others)], []).append(name)
        self._tries += 1
        for other, names in whom.items():
            effects.send.append((other, CONSORTIUM.to_bytes(Lacking(tuple(names[:MOST_NAMES])))))
