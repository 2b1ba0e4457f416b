"""The system "bema": from a charter to a consortium of models, one model a member, that predict as one.

How it works. The charter names each member's model by the digest of its parameters; the parameters themselves lie in
the data folder of the member. Each node fetches those of the others once, from whoever has them, in the messages of its
rounds (`folkmoot/multiparty/chain/gathering.py`): the charter says how large they are, so it bounds a frame. Blocks are
those of a chain of kind "bema", and need the signatures of more than two thirds of the members.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from folkmoot.configuration import Configuration, shown
from folkmoot.encoding import Malformed
from folkmoot.errors import OtherSide
from folkmoot.machine import Chain as Stored
from folkmoot.machine import Machine, Resumes
from folkmoot.node import enduring, revealing
from folkmoot.node.brought import (
    SAMPLES,
    Brought,
    OwnSamples,
    brought_of,
    contents_of,
    decoded,
    enter_code,
    own_model,
    renewed_in,
)
from folkmoot.node.charter import BadCharter, Charter
from folkmoot.node.system import WithoutAccounts, settings_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from folkmoot.ledger.block import Block
    from folkmoot.ledger.chain import Genesis
    from folkmoot.ledger.contents import Contents
    from folkmoot.multiparty.chain.entries import Entry
    from folkmoot.multiparty.chain.exchanging import Exchanging
    from folkmoot.multiparty.chain.standing import State
    from folkmoot.multiparty.party import Party

_LEAST_ROOM = 1 << 12  # bytes of contents in one message


class BemaSettings(Configuration):
    """Settings of the system "bema".

    Attributes:
        classes: C; the classes are 0 to C - 1.
        shape: of one sample.
        models: of the original parties, as `model.toml` in their data folders has them: of all members but those below.
        miners: names of members that have no model and no samples, and only make blocks. If there are any, nobody
            else makes one.
        guests: names of members that may ask to be admitted later, with the model that lies in their data folders.
        wanted: samples that a member sends in a round, to calibrate the models by; 0: none, the models stay as they
            are, and there is no block.
        most: samples in a block.
        each: samples of each of its classes that a member reveals in an exchange, at most; 0: there is no exchange.
        exchanges: that there may be, in all.
        patience: rounds that whoever has asked for an exchange waits for an answer.
        rules: fields of `folkmoot.multiparty.Terms`, by name.
    """

    says_its_name = False

    classes: int = Field(ge=2, le=1 << 12)
    shape: tuple[int, ...] = Field(min_length=1, max_length=4)
    models: tuple[Brought, ...] = Field(min_length=1)
    miners: tuple[str, ...] = ()
    guests: tuple[str, ...] = ()
    wanted: int = Field(0, ge=0, le=64)
    most: int = Field(64, ge=1, le=1_024)
    each: int = Field(0, ge=0, le=16)
    exchanges: int = Field(1, ge=0, le=1 << 16)
    patience: int = Field(8, ge=1, le=1 << 20)
    rules: dict[str, Any] = Field(default_factory=dict)


@dataclass(frozen=True)
class _Facts:
    """What follows from a charter of models."""

    genesis: "Genesis"
    state: "State"  # before any model is loaded
    room: int
    places: tuple[int, ...]  # on the chain, of each member; empty: the same


class Bema(WithoutAccounts):
    """Members with models of their own predict as one, and may calibrate these on a chain."""

    has_ledger = learns = asks_in_rounds = True
    sealed = False

    def __init__(self, charter: Charter) -> None:
        self._charter = charter
        if charter.amends is not None:
            raise BadCharter(
                "amends: a charter of bema cannot be amended: members leave, are expelled, change keys and models by "
                "`folkmoot node ask`; for another address, pace, terms or member, sign another charter, with the "
                "models as they are: `folkmoot node carry OLD NEW`"
            )
        if charter.terms.evidence != "note":
            raise BadCharter(f'evidence = {charter.terms.evidence!r}: expected "note"; such a chain records no proofs')
        self.settings: BemaSettings = settings_of(BemaSettings, charter.terms.settings)
        try:
            self._facts = self._found()
        except (ValueError, Malformed) as error:
            raise BadCharter(f"terms.settings: {error}") from None

    def _found(self) -> _Facts:
        from folkmoot.agreement.forms import HEAD
        from folkmoot.ledger.block import LIMITS as BLOCKS
        from folkmoot.ledger.chain import Genesis
        from folkmoot.multiparty.chain.bounds import content_bytes, exchange_bytes
        from folkmoot.multiparty.chain.entries import read_entry
        from folkmoot.multiparty.chain.gathering import GatheringRole
        from folkmoot.multiparty.chain.kind import KIND
        from folkmoot.multiparty.chain.standing import configuration
        from folkmoot.multiparty.chain.talk import MOST_NAMES, ROOM
        from folkmoot.multiparty.chain.voting import MOST_MEMBERS, Voting
        from folkmoot.multiparty.models.labels import every
        from folkmoot.node.learner import terms_from

        settings, members = self.settings, self._charter.members
        cards = {card.name: card for card in members}
        others = [*settings.miners, *settings.guests]
        if len(set(others)) < len(others) or not set(others) <= cards.keys():
            raise ValueError(f"miners and guests: {', '.join(others)}: expected names of members, each once")
        if len(members) > MOST_MEMBERS:
            raise ValueError(f"{len(members)} members: expected at most {MOST_MEMBERS} who vote on blocks")
        terms = terms_from(settings.classes, settings.shape, settings.rules)
        by_member = {model.member: model for model in settings.models}
        names = [card.name for card in members if card.name not in others]
        if sorted(model.member for model in settings.models) != sorted(names):
            told = ", ".join(sorted(by_member))
            raise ValueError(f"models: of {told}: expected one of each member, {', '.join(names)}")
        entries = []
        for card in (cards[name] for name in names):
            brought = by_member[card.name]
            settings_bytes, parameters = decoded(brought)
            one = (card.name, card.key, brought.kind, brought.classes, settings_bytes, parameters)
            entries.append(read_entry(one))
            if brought.classes[-1] >= settings.classes:
                raise ValueError(
                    f"models: {card.name}: class {brought.classes[-1]}: expected {every(terms.n_classes, terms.labels)}"
                )
            if brought.size > ROOM:
                raise ValueError(f"models: {card.name}: {brought.size} bytes of parameters: expected at most {ROOM}")
        if len({entry.parameters for entry in entries}) < len(entries):
            raise ValueError("models: two have the same parameters; each member brings a model of its own")
        samples = min(MOST_NAMES, settings.most) * (HEAD + content_bytes(settings.shape))
        largest = max(HEAD + model.size + 16 for model in settings.models)
        shown = max(len(model.classes) for model in settings.models) * settings.each
        room = max(_LEAST_ROOM, samples, largest)
        if settings.each:  # candidates have an output more
            room = max(room, 2 * largest, shown * (HEAD + content_bytes(settings.shape)))
        if room > ROOM and settings.each:
            raise ValueError(
                f"each = {settings.each}: what a member reveals takes {room} bytes: expected at most {ROOM}"
            )
        voting, keys = Voting(charter=self._charter.identity), [cards[name].key for name in settings.miners]
        genesis = Genesis(KIND, configuration(terms, entries, keys, voting))
        state = GatheringRole(0, b"", genesis, _no_contents()).blank()
        if settings.each and exchange_bytes(state, self._agreed()) >= BLOCKS.size:
            raise ValueError(f"each = {settings.each}: an exchange of {len(members)} members with {settings.classes} "
                             "classes may not fit into a block")  # fmt: skip
        return _Facts(genesis, state, min(ROOM, room), self._places())

    def _agreed(self) -> "Exchanging":
        """On exchanges."""
        from folkmoot.multiparty.chain.exchanging import Exchanging

        settings, fixed = self.settings, self._charter.terms.seed
        number = int.from_bytes(self._charter.identity[:7], "big") if fixed is None else fixed
        return Exchanging(
            settings.each, settings.exchanges, number, guests=len(settings.guests), patience=settings.patience
        )

    def _places(self) -> tuple[int, ...]:
        """Of each member, its number on the chain: original parties, miners by their keys, guests."""
        settings, members = self.settings, self._charter.members
        kinds = [2 if card.name in settings.guests else int(card.name in settings.miners) for card in members]
        order = sorted(range(len(members)), key=lambda n: (kinds[n], members[n].key if kinds[n] == 1 else b"", n))
        places = tuple(order.index(number) for number in range(len(members)))
        return () if places == tuple(range(len(members))) else places

    @property
    def genesis(self) -> "Genesis":
        """Of the chain."""
        return self._facts.genesis

    def role(
        self, me: int, seed: bytes, *, folder: Path | None = None,
        lies: Callable[["Party"], "Party"] | None = None,
    ) -> Resumes:  # fmt: skip
        """See `System`; without a data folder it has no model at hand, and no samples.

        Args:
            me, seed: whose.
            folder: its data folder.
            lies: makes a liar of the party; None: it is honest.

        Raises:
            ValueError: it has not brought what the charter says, or its model cannot be used here.
            OtherSide: what lies in the folder is damaged.
        """
        from folkmoot.node.learner import LearnerRole, OwnData

        facts, data, settings = self._facts, None, self.settings
        name, fixed = self._charter.members[me].name, self._charter.terms.seed
        if folder is not None and name not in settings.miners:
            party, samples = self._party(me, folder)
            data = OwnData(party if lies is None else lies(party), samples)
        contents = _no_contents() if folder is None else contents_of(folder)
        asks = None if data is None or name not in settings.guests else self._entry(me, data.party, contents)
        clock = _nothing if fixed is not None else _milliseconds
        found: LearnerRole = LearnerRole(
            facts.places[me] if facts.places else me, seed, facts.genesis, contents, data if settings.wanted else None,
            settings.wanted, settings.most, facts.room, clock, lambda: None if data is None else data.party,
            self._agreed(), asks, facts.places, data, lambda: None if folder is None else renewed_in(folder),
        )  # fmt: skip
        return found

    def _entry(self, me: int, party: "Party", contents: "Contents") -> "Entry":
        """Of a guest, as it asks to be admitted."""
        from folkmoot.multiparty.chain.entries import entry

        card = self._charter.members[me]
        return entry(card.name, card.key, party.model, contents)

    def _party(self, me: int, folder: Path) -> tuple["Party", OwnSamples]:
        from folkmoot.multiparty.entrance import checked
        from folkmoot.multiparty.party import Party
        from folkmoot.node.brought import CHECK, OWN

        name, state = self._charter.members[me].name, self._facts.state
        told = next((model for model in self.settings.models if model.member == name), None)
        here = brought_of(folder, name)
        if told is not None and here != told:
            raise ValueError(f"{folder}: model.toml is not the model that the charter has for {name}")
        model = own_model(folder, here)
        samples = OwnSamples(folder / SAMPLES, state.terms.shape)
        x, y = samples.read(OWN)
        check = samples.read(CHECK)
        party = Party(name, model, x, y, check=check if len(check[1]) else None)
        return checked(party, state.terms), samples

    def stages_in(self, round: int) -> int | None:
        """See `System`: all."""
        return None

    def silent(self, machine: Machine, stage: int) -> bool:
        """See `System`: none is."""
        return False

    def seen(self, machine: Any) -> Mapping[str, Any]:
        """See `System`: `learning`, see `folkmoot.node.learner`; there are no arms."""
        found: Mapping[str, Any] = machine.shown
        return found

    def reveals(self) -> list[str]:
        """See `System`."""
        settings = self.settings
        return revealing.of_models(settings.wanted, settings.each, settings.exchanges)

    def endures(self) -> list[str]:
        """See `System`."""
        from folkmoot.multiparty.chain.voting import quorum

        settings = self.settings
        n = self._charter.n_members - len(settings.guests)  # who vote
        models = [(model.member, model.kind, model.classes) for model in settings.models]
        rules = "".join(
            f", {name} = {shown(value)}" for name, value in sorted(settings.rules.items()) if name != "labels"
        )
        names = self._facts.state.terms.labels or tuple(map(str, range(settings.classes)))
        said = enduring.of_models(models, names, settings.shape, settings.wanted, rules, n, quorum(n))
        return said + enduring.of_others(settings.miners, settings.guests)

    def costs(self) -> list[str]:
        """See `System`: what has to be fetched once."""
        total = sum(model.size for model in self.settings.models)
        return [f"Each member fetches the models of the others once: {total / 1000:,.0f} kB for all of them."]

    def received(self, data: bytes) -> "Block":
        """See `System`."""
        from folkmoot.ledger.block import Block

        return Block.from_bytes(data)

    def lacks(self, folder: Path) -> int:
        """Of how many models the parameters are not in this data folder."""
        contents, lacking = contents_of(folder), 0
        for entry in self._facts.state.parties:
            try:
                contents.get(entry.parameters)
            except OtherSide:
                lacking += 1
        return lacking

    def blocks(self, stored: Stored, folder: Path) -> "Iterator[Block]":
        """Each stored block, computed again from the first models on.

        Raises:
            OtherSide: one does not follow, or models or samples are missing.
        """
        from folkmoot.ledger.block import Block
        from folkmoot.ledger.chain import apply_block, start

        enter_code(folder)
        chain = start(self.genesis, contents_of(folder))
        for height in range(1, stored.height + 1):
            block = Block.from_bytes(stored.block(height))
            chain = apply_block(chain, block)
            yield block


def _no_contents() -> Any:
    from folkmoot.ledger.contents import MemoryContents

    return MemoryContents()


def _nothing() -> int:
    return 0


def _milliseconds() -> int:
    return int(1000 * time.time())
