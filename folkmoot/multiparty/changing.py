"""The life of a consortium: parties leave, are expelled, bring another model or key; checkpoints, predictions, rewards.

What is done stands on the chain as a signed record, which whoever verifies the chain checks (chain/acts.py).
"""

import os
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from folkmoot.doors import guarded, guarded_but
from folkmoot.errors import brief
from folkmoot.ledger import Block, Chain, Genesis, Ledger, create
from folkmoot.ledger.contents import MemoryContents, beside
from folkmoot.ledger.errors import RefusedRecord
from folkmoot.ledger.store import file_name
from folkmoot.multiparty.chain.acts import (
    WITHIN,
    Act,
    Admitted,
    Approval,
    Checkpoint,
    Expelled,
    Left,
    Rotated,
    Updated,
    read_act,
)
from folkmoot.multiparty.chain.changes import models_of
from folkmoot.multiparty.chain.checkpoints import going_on
from folkmoot.multiparty.chain.entries import Entry, entry
from folkmoot.multiparty.chain.kind import KIND
from folkmoot.multiparty.chain.messages import application, read_application
from folkmoot.multiparty.chain.miner import Miner
from folkmoot.multiparty.chain.original_party import OUTSIDE, Objection, OriginalParty
from folkmoot.multiparty.chain.records import DISTANCE, ROTATE, UNCOVERED, UPDATE
from folkmoot.multiparty.chain.signing import CHANGE, EXPULSION, LEAVING, ROTATION, signature_of
from folkmoot.multiparty.chain.standing import State
from folkmoot.multiparty.entrance import checked
from folkmoot.multiparty.keys import Draw, copy_keys, draw_of
from folkmoot.multiparty.party import Party
from folkmoot.multiparty.together import Together
from folkmoot.signatures import SigningKey, public_key


class Registration(NamedTuple):
    """What became of a regular party that wanted to join, or of another model of a party.

    Attributes:
        name: of the party.
        admitted: is it in?
        reason: why not: "uncovered", "distance", "unusable", "unmeasured" or "outside"; empty if it is.
        distance: mean distance of its scores from the original party's that looked at it; None if not measured.
        by: name of that original party, or names; None where none knows all of its classes.
        bound: where the distance was too large, the largest that the terms allow; else None.
    """

    name: str
    admitted: bool
    reason: str
    distance: float | None
    by: str | None
    bound: float | None = None

    def __str__(self) -> str:
        """A line."""
        by = f" by {self.by}" if self.by else ""
        if self.admitted:
            return f"{self.name}: admitted{by}" + ("" if self.distance is None else f", distance {self.distance:.3g}")
        told = f"{self.name}: refused{by} as {self.reason}"
        if self.bound is None:
            return told
        term = "omega" if self.reason == DISTANCE else "outside"
        return f"{told}: {self.distance:.3g}, at most {self.bound:g} is allowed ({term})"


class Changing(Together):
    """What `Consortium` can do besides predicting and calibrating."""

    _chain: Chain
    _ledger: Ledger | None
    _keys: dict[str, SigningKey]
    _keys_from: str | os.PathLike[str]
    _draw: Draw
    registrations: list[Registration]
    _closed = False

    @abstractmethod
    def _append(self, block: Block) -> Block: ...
    @abstractmethod
    def _miner(self) -> Miner: ...
    @abstractmethod
    def _now(self) -> int: ...
    @property
    @abstractmethod
    def _round(self) -> int | None: ...

    def close(self) -> None:
        """Let go of the ledger file for good: what would change the consortium or write to the file is refused from
        then on. It goes on predicting, and `Consortium.open` goes on with the ledger.
        """
        self._closed = True
        if self._ledger is not None:
            self._ledger.close()

    def _must_be_open(self) -> None:
        """Before anything is changed or written.

        Raises:
            ValueError: it is closed.
        """
        if self._closed:
            further = "and is not changed" if self._ledger is None else "and Consortium.open goes on with its ledger"
            raise ValueError(f"this consortium is closed: it predicts, {further}")

    # --- Who is in ---------------------------------------------------------------------------------------------------

    @property
    def parties(self) -> tuple[Party, ...]:
        """Those that are in, in the order of admission; with the models they came with."""
        state: State = self._chain.state
        return tuple(party for number, party in enumerate(self._parties) if state.is_in(number))

    def _number(self, name: str) -> int:
        """The number of a party that is in.

        Raises:
            ValueError: there is none of this name.
        """
        names = [party.name for party in self._parties]
        known = isinstance(name, str) and name in names
        if not known or not self._chain.state.is_in(names.index(name)):
            gone = " (it is gone)" if known else ""
            there = ", ".join(party.name for party in self.parties)
            raise ValueError(f"party {brief(name)}: unknown{gone}; there are {there}")
        return names.index(name)

    def _key(self, party: Party) -> SigningKey:
        if party.name not in self._keys:
            names = [known.name for known in self._parties]  # none before there is a chain
            before = self._chain.state.life.acts_of(names.index(party.name), ROTATE) if party.name in names else 0
            self._keys[party.name] = SigningKey(party.key or self._draw(_key_name(party.name, before)))
        return self._keys[party.name]

    def _judges(self) -> dict[int, OriginalParty]:
        """The original parties that are in, with their data, by their numbers."""
        own = ((number, self._parties[number]) for number in self._chain.state.trusted)
        return {number: OriginalParty(self._key(party), party.x, party.y) for number, party in own}

    def _sign(self, number: int, purpose: str, said: Any) -> bytes:
        return signature_of(self._key(self._parties[number]), purpose, self._chain.genesis.hash, said)

    @property
    def _until(self) -> int:
        return self._chain.height + WITHIN

    def _act(self, act: Act) -> Block:
        """Put an act on the chain.

        Raises:
            ValueError: the rules refuse it.
            NotStored: the ledger cannot be written.
        """
        made = self._miner().act(act, self._now(), round=self._round)
        assert made is not None  # nobody stops a miner here
        try:
            return self._append(made)
        except RefusedRecord as error:
            raise ValueError(str(error).removeprefix("record 1: ")) from None

    @guarded
    def leave(self, name: str) -> None:
        """A party leaves. Its model has no part in anything from then on; its name and key are used no more.

        Raises:
            ValueError: no such party, or the last original one, or terms by which nobody leaves.
            NotStored: the ledger cannot be written.
        """
        self._must_be_open()
        number = self._number(name)
        act = Left(number, self._until, b"")
        self._act(act._replace(signature=self._sign(number, LEAVING, act.said())))
        self._forget(number)

    @guarded
    def expel(self, name: str, reason: str, by: Sequence[str] | None = None) -> None:
        """More than two thirds of the original parties expel a party; it counts among them, and has no say.

        Args:
            name: of the party.
            reason: 1 to 160 printable ASCII characters; it stands on the chain.
            by: names of the original parties that want it; None: all others.

        Raises:
            ValueError: no such party, too few who want it, or terms by which nobody is expelled.
            NotStored: the ledger cannot be written.
        """
        self._must_be_open()
        number = self._number(name)
        others = [other for other in self._chain.state.trusted if other != number]
        chosen = others if by is None else sorted({self._number(other) for other in by})
        act = Expelled(number, reason, self._until, ())
        said = tuple((other, self._sign(other, EXPULSION, act.said())) for other in chosen)
        self._act(act._replace(signatures=said))
        self._forget(number)

    def _forget(self, number: int) -> None:
        party = self._parties[number]
        self._parties[number] = replace(party, x=party.x[:0], y=party.y[:0], check=None)
        self._keys.pop(party.name, None)

    @guarded_but("key")
    def rotate(self, name: str, key: bytes | None = None) -> None:
        """A party gets another key. The old one is nobody's from then on.

        Args:
            name: of the party.
            key: 32 secret bytes; None: drawn, or worked out, as keys are here. In a folder it is `NAME#1.key`, and so
                on.

        Raises:
            ValueError: no such party, a key that is or was somebody's, or terms by which keys do not change.
            NotStored: the ledger cannot be written.
        """
        self._must_be_open()
        number = self._number(name)
        if key is not None and (type(key) is not bytes or len(key) != 32):
            shown = f"of {len(key)} bytes" if type(key) is bytes else f"= {type(key).__name__}"
            raise ValueError(f"key {shown}: expected 32 bytes")
        before = self._chain.state.life.acts_of(number, ROTATE)
        new = SigningKey(self._draw(_key_name(name, before + 1)) if key is None else key)
        act = Rotated(number, public_key(new), before, self._until, b"", b"")
        second = signature_of(new, ROTATION, self._chain.genesis.hash, act.said())
        self._act(act._replace(old=self._sign(number, ROTATION, act.said()), new=second))
        self._keys[name] = new
        self._parties[number] = replace(self._parties[number], key=key)

    # --- Models that several approve ---------------------------------------------------------------------------------

    @guarded
    def update(self, party: Party) -> Registration:
        """Another model of a party, and its data as they now are; the old model's part ends with this block.

        It is approved like a newcomer's. That of an original party is looked at by the others that know one of its
        classes, on those; it keeps its classes.

        Args:
            party: with the name and kind it has; its key is the one it has, or None.

        Raises:
            ValueError: no such party, one that does not fit the terms, or terms by which models do not change.
            NotStored: the ledger cannot be written.
        """
        self._must_be_open()
        number, state = self._number(party.name), self._chain.state
        before = self._parties[number]
        if party.kind != before.kind or party.key not in (None, before.key):
            raise ValueError(f"party {party.name}: on the chain it is {before.kind}, and keys change by `rotate`")
        if not state.terms.approvals:
            raise ValueError(f"party {party.name}: by the terms of this chain no model changes")
        if number < state.originals and tuple(party.model.classes) != state.parties[number].classes:
            raise ValueError(f"party {party.name}: an original party keeps its classes")
        checked(party, self.terms)
        lent = MemoryContents()
        asks = entry(party.name, state.parties[number].key, party.model, lent)
        act = Updated(number, asks, state.life.acts_of(number, UPDATE), self._until, b"", ())
        act = act._replace(consent=self._sign(number, CHANGE, act.said()))
        approvals, found = self._reviewed(asks, act.about(), lent.get(asks.parameters), number)
        if found.admitted:
            state.contents.put(lent.get(asks.parameters))  # what is refused is not kept
            self._act(act._replace(approvals=approvals))
            self._parties[number] = replace(party, key=before.key)
        self.registrations.append(found)
        return found

    @guarded
    def distances(self, party: Party) -> dict[str, float | None]:
        """How far a model is from those of the original parties that `register` or `update` would ask, each on its own
        samples; `omega` bounds it. Nothing is signed, and nothing stands on the chain.

        Args:
            party: a newcomer, or a party that is in, with another model.

        Returns:
            By the names of the original parties; None: it has no sample of these classes. Empty: nobody is asked.

        Raises:
            ValueError: one that does not fit the terms, or is of another kind on the chain.
        """
        checked(party, self.terms)
        state: State = self._chain.state
        there = party.name in (other.name for other in self._parties)
        number = self._number(party.name) if there else -1
        if there and party.kind != self._parties[number].kind:
            raise ValueError(f"party {party.name}: on the chain it is {self._parties[number].kind}")
        hardened, fleet, judges = self.terms.rules == "hardened", state.committee.fleet, self._judges()
        asked = state.judges(party.model.classes, number)
        apart = {judge: judges[judge].apart(party.model, fleet.model(judge), hardened)[0] for judge in asked}
        return {self._parties[judge].name: found for judge, found in apart.items()}

    def _bound(self, reason: str) -> float | None:
        """What the terms allow, where a model is refused for a number."""
        return {DISTANCE: self.terms.omega, OUTSIDE: self.terms.outside}.get(reason)

    def _admit(self, party: Party, asks: Entry, parameters: bytes) -> Registration:
        """A newcomer on a chain that asks for several approvals, or for a look outside."""
        asked = read_application(application(self._key(party), self._chain.genesis.hash, asks))
        act = Admitted(asks, asked.signature, self._until, ())
        approvals, found = self._reviewed(asks, act.about(), parameters)
        if found.admitted:
            self._chain.state.contents.put(parameters)
            self._act(act._replace(approvals=approvals))
            self._parties.append(party)
        self.registrations.append(found)
        return found

    def _reviewed(
        self, asks: Entry, about: Any, parameters: bytes, number: int = -1
    ) -> tuple[tuple[Approval, ...], Registration]:
        """Approvals, by all who look at it; or why there are too few."""
        state, name = self._chain.state, asks.name
        judges = state.judges(asks.classes, number)
        if len(judges) < state.needed(judges, number):
            return (), Registration(name, False, UNCOVERED, None, None)
        said = [(judge, self._judges()[judge].review(self._chain, about, asks, parameters, number)) for judge in judges]
        approvals = tuple(one for _, one in said if isinstance(one, Approval))
        if len(approvals) < state.needed(judges, number):
            judge, no = next((judge, one) for judge, one in said if isinstance(one, Objection))
            bound = self._bound(no.reason)
            return (), Registration(name, False, no.reason, no.distance, self._parties[judge].name, bound)
        by = ", ".join(self._parties[one.approver].name for one in approvals) or None
        return approvals, Registration(name, True, "", max((a.distance for a in approvals), default=None), by)

    # --- Checkpoints -------------------------------------------------------------------------------------------------

    def checkpoint(self) -> Block:
        """Put a block on the chain that names all that the next one depends on; its content is stored.

        Raises:
            ValueError: terms of an earlier version.
            NotStored: the ledger cannot be written.
        """
        self._must_be_open()
        made = self._miner().checkpoint(self._now(), round=self._round)
        assert made is not None  # nobody stops a miner here
        try:
            return self._append(made)
        except RefusedRecord as error:
            raise ValueError(str(error).removeprefix("record 1: ")) from None

    @guarded
    def prune(self, ledger: str | os.PathLike[str]) -> None:
        """Go on in a new file that begins at a checkpoint; the old file and its contents are needed no more.

        Who keeps the old file can show that the new one goes on from it (`folkmoot ledger verify --before`). Keys in
        the folder `FILE.keys` are copied to that of the new file.

        Args:
            ledger: name of the new file.

        Raises:
            ValueError: no ledger here, a file of this name, other keys beside it, or terms of an earlier version.
            NotStored: the new ledger cannot be written.
        """
        self._must_be_open()
        if self._ledger is None:
            raise ValueError("prune: this consortium has no ledger")
        where, old = file_name(ledger), self._ledger
        if where.exists():
            raise ValueError(f"{ledger}: there is a file already, a new ledger needs a name of its own")
        block = self.checkpoint()
        act, state, contents = read_act(block.records[1]), self._chain.state, beside(where)
        assert isinstance(act, Checkpoint)
        for name in (act.snapshot, *(name for _, name in models_of(state))):
            contents.put(state.contents.get(name))
        copy_keys(self._keys_from, old.path, where)
        genesis = Genesis(KIND, going_on(self.terms, block), self._chain.genesis.work_bits)
        self._ledger = create(where, genesis)
        old.close()
        self._chain = self._ledger.chain
        self._draw = draw_of(self._keys_from, self.seed, where)


def _key_name(name: str, before: int) -> str:
    """What the key of a party is called after so many changes."""
    return f"{name}#{before}" if before else name
