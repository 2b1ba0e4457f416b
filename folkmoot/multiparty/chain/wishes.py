"""What waits for a block besides samples: acts of parties (acts.py), and the records of an exchange.

An act that several must sign goes around: whoever can sign it adds its word and passes it on, and all put together what
they hear. So nobody need collect, and nobody can hold it up. Original parties approve models by what they measure on
their own data; they expel a party only if whoever operates them has said so. An act is said again in every round until
it is on the chain, or the rules refuse it. What is kept of others is checked first, by the rules of the chain, and
bounded.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from folkmoot.agreement.signed_messages import Rejected
from folkmoot.encoding import Limits, Malformed, Value, decode, digest, encode
from folkmoot.errors import OtherSide
from folkmoot.ledger.block import LIMITS as BLOCKS
from folkmoot.ledger.block import Block
from folkmoot.ledger.contents import MissingContent
from folkmoot.ledger.errors import RefusedRecord
from folkmoot.machine import Delete, Effects, Put
from folkmoot.multiparty.chain.acts import (
    MOST_REASON,
    Admitted,
    Approval,
    Expelled,
    Left,
    Rotated,
    TooFew,
    Updated,
    read_act,
    what_of,
)
from folkmoot.multiparty.chain.acts import to_bytes as act_bytes
from folkmoot.multiparty.chain.bounds import MOST_SAID
from folkmoot.multiparty.chain.changes import changed
from folkmoot.multiparty.chain.desk import Desk
from folkmoot.multiparty.chain.entries import typed
from folkmoot.multiparty.chain.miner import Miner
from folkmoot.multiparty.chain.records import ADMIT, COMMIT, EXCHANGE, EXPEL, LEAVE, ROTATE, UPDATE
from folkmoot.multiparty.chain.signing import EXPULSION, signature_of
from folkmoot.multiparty.chain.standing import State
from folkmoot.multiparty.chain.talk import RecordsTold, WishTold

MOST_WISHES = 32  # acts that wait, of all parties together
MOST_OF_ONE = 4  # of one sender
WITHIN = 64  # blocks after it is signed, in which an act may stand on the chain
KEPT = "act/"  # before the digest of an own act, the key under which it is kept
CHANGING = (LEAVE, EXPEL, UPDATE, ADMIT, ROTATE)
_LIMITS = Limits(size=BLOCKS.size, depth=2, items=1 << 14, int_size=8)
Signed: TypeAlias = Left | Expelled | Updated | Admitted | Rotated


@dataclass
class Wish:
    """An act that waits.

    Attributes:
        act: as it is signed by now.
        sender: who brought it first; -1: this participant.
        whole: is it as the rules want it?
        own: does this participant say it again in every round?
        parameters: of the model that it is about, once they are here.
        why: why this participant has not approved it; empty: it has, or has not looked, or need not.
    """

    act: Signed
    sender: int
    whole: bool
    own: bool = False
    parameters: bytes = b""
    why: str = ""


def to_bytes(what: str, records: tuple[bytes, ...]) -> bytes:
    """The one encoding of a wish."""
    return encode((what, records), _LIMITS)


def read_wish(data: bytes) -> tuple[str, tuple[bytes, ...]]:
    """What is wished for, and its records, which are for others to read.

    Raises:
        Malformed: bytes that are none.
    """
    what, records = typed(decode(data, _LIMITS), (str, tuple), "wish")
    if not records or any(type(one) is not bytes for one in records):
        raise Malformed("wish: expected records")
    return what, records


def about(act: Signed) -> bytes:
    """32 bytes that stand for an act, whoever has signed it."""
    said: Value = act.about() if isinstance(act, Updated | Admitted) else act.said()
    return digest("multiparty/wish", (what_of(act), said))


class Wishes:
    """See the top of the file.

    Attributes:
        acts: that wait, by what stands for them.
        agreed: the parties whose expulsion whoever operates this participant wants: number and reason; and the last
            block in which it wants it.
    """

    def __init__(self, own: Desk, kept: Mapping[str, bytes]) -> None:
        self._own = own
        self.acts: dict[bytes, Wish] = {}
        self.agreed: dict[tuple[int, str], int] = {}
        self._records: dict[int, tuple[str, tuple[bytes, ...]]] = {}  # of exchanges, by sender
        for key, data in kept.items():
            if key.startswith(KEPT):
                self._kept(data)

    def _kept(self, data: bytes) -> None:
        act = read_act(data)
        if isinstance(act, Signed):
            if isinstance(act, Expelled):
                self.agreed[act.number, act.reason] = act.until
            self.acts[about(act)] = Wish(act, -1, whole=False, own=True)

    # --- What comes in -----------------------------------------------------------------------------------------------

    def take(self, data: bytes, sender: int, exchange: bool) -> None:
        """Take in a wish of somebody else; `exchange`: records of one, and no act.

        Raises:
            Rejected: it counts for nothing; or the rules refuse it, as what is said by one who is behind, or ahead.
            OtherSide: it is not of its form.
        """
        what, records = read_wish(data)
        if exchange and what in (COMMIT, EXCHANGE):
            self._records[sender] = what, records
        elif not exchange and what in CHANGING and len(records) == 1:
            act = read_act(records[0])
            if what_of(act) != what or not isinstance(act, Signed):
                raise Malformed("wish: another act than it says")
            try:
                self._add(act, sender)
            except RefusedRecord:
                raise Rejected("old height") from None
        else:
            raise Rejected("wish")

    def _add(self, act: Signed, sender: int) -> None:
        whole, key = self._holds(act), about(act)
        known = self.acts.get(key)
        if known is not None:
            both = merged(known.act, act)
            if both != known.act:
                known.act, known.whole = both, whole or self._holds(both)
            return
        if isinstance(act, Expelled) and not act.signatures:
            raise Malformed("wish: an expulsion that nobody has signed")
        if Counter(wish.sender for wish in self.acts.values())[sender] >= MOST_OF_ONE or not self._makes_room(sender):
            raise Rejected("full")
        self.acts[key] = Wish(act, sender, whole)

    def _makes_room(self, sender: int) -> bool:
        """Is there room for one more? Where not, who has the most gives way to whom it leaves no more than itself."""
        if len(self.acts) < MOST_WISHES:
            return True
        others = [(key, wish.sender) for key, wish in self.acts.items() if not wish.own]
        counts = Counter(of for _, of in others)
        crowd, most = max(counts.items(), key=lambda item: item[1], default=(sender, 0))
        if most <= counts[sender] + 1:
            return False
        del self.acts[next(key for key, of in reversed(others) if of == crowd)]
        return True

    def _holds(self, act: Signed) -> bool:
        """Do the rules take it as it is? False: it is right so far, and more must sign it, or its model is missing.

        Raises:
            OtherSide: the rules refuse it.
        """
        chain = self._own.chain
        state = chain.state._replace(origin=chain.genesis.hash)
        until = getattr(act, "until", 0)
        if until > chain.height + 2 * WITHIN:
            raise Malformed("wish: it would wait for too long")
        try:
            changed(state, what_of(act), chain.height + 1, act_bytes(act))
        except TooFew:
            return False
        except MissingContent:
            assert isinstance(act, Updated | Admitted)
            if self._own.find(act.party.parameters) is None:
                self._own.seek([act.party.parameters])
                return False
        return True

    # --- What this participant wants ---------------------------------------------------------------------------------

    def hand_in(self, what: str, records: tuple[bytes, ...], effects: Effects) -> None:
        """Records of an exchange are to come to a block."""
        self._records[-1] = what, records
        self._own.send(effects, RecordsTold(to_bytes(what, records)))

    def want(self, act: Signed, effects: Effects) -> None:
        """An own act is to come to a block. It is kept, and said again after a restart.

        Raises:
            ValueError: the rules refuse it.
        """
        try:
            whole = self._holds(act)
        except OtherSide as error:
            raise ValueError(str(error).removeprefix("record 1: ")) from None
        key = about(act)
        if key not in self.acts and not self._makes_room(-1):
            raise ValueError(f"{MOST_WISHES} acts wait already")
        if key in self.acts:
            act = merged(self.acts[key].act, act)
        self.acts[key] = Wish(act, -1, whole, own=True)
        effects.keep.append(Put(KEPT + key.hex(), act_bytes(act)))
        self._say(self.acts[key], effects)

    def lacks(self, act: Signed) -> bool:
        """Does this act not wait yet?"""
        return about(act) not in self.acts

    def expel(self, number: int, reason: str, effects: Effects) -> None:
        """Whoever operates this original party wants another one to be expelled, for this reason.

        Raises:
            ValueError: the rules refuse it, or this is no original party.
        """
        if not 1 <= len(reason) <= MOST_REASON or not reason.isascii() or not reason.isprintable():
            raise ValueError(f"reason = {reason!r:.40}: expected 1 to {MOST_REASON} printable ASCII characters")
        if self._own.party not in self._own.chain.state.trusted:
            raise ValueError("this member is no original party: it has no say in who is expelled")
        asked = [one.act for one in self.acts.values() if isinstance(one.act, Expelled)]
        same = next((one for one in asked if (one.number, one.reason) == (number, reason)), None)
        act = same or Expelled(number, reason, self._own.chain.height + WITHIN, ())
        self.want(self._with_own(act), effects)
        self.agreed[number, reason] = max(act.until, self._own.chain.height + WITHIN)

    def _with_own(self, act: Expelled) -> Expelled:
        number, own = self._own.party, self._own
        signature = signature_of(own.key, EXPULSION, own.chain.genesis.hash, act.said())
        rows = dict(act.signatures) | {number: signature}
        return act._replace(signatures=tuple(sorted(rows.items())))

    # --- A step ------------------------------------------------------------------------------------------------------

    def act(self, again: bool, effects: Effects) -> None:
        """Sign what this participant can sign; `again`: say once more what it wants."""
        said, first = 0, self._own.voter.round % max(1, len(self.acts))
        waiting = list(self.acts.values())
        for wish in waiting[first:] + waiting[:first]:
            more = self._signed(wish)
            if more != wish.act:
                wish.act, wish.own = more, True
                wish.whole = self._is_whole(more)
            elif not (again and wish.own):
                continue
            if said < MOST_SAID:
                said += 1
                self._say(wish, effects)
        if again and -1 in self._records:
            self._own.send(effects, RecordsTold(to_bytes(*self._records[-1])))

    def _is_whole(self, act: Signed) -> bool:
        try:
            return self._holds(act)
        except OtherSide:
            return False

    def _say(self, wish: Wish, effects: Effects) -> None:
        self._own.send(effects, WishTold(to_bytes(what_of(wish.act), (act_bytes(wish.act),))))

    def _signed(self, wish: Wish) -> Signed:
        """The act with this participant's word, if it has one to add."""
        act, own, state = wish.act, self._own.party, self._own.chain.state
        if isinstance(act, Expelled):
            wanted = self.agreed.get((act.number, act.reason), -1)
            asked = act.until <= wanted and own in state.trusted and own != act.number
            return self._with_own(act) if asked and own not in dict(act.signatures) else act
        if not isinstance(act, Updated | Admitted):
            return act
        number = act.number if isinstance(act, Updated) else -1
        judge = self._own.newcomers.judge if own in state.judges(act.party.classes, number) else None
        if not wish.parameters and (judge is not None or act.approvals):
            wish.parameters = self._own.find(act.party.parameters) or b""
            self._own.seek([] if wish.parameters else [act.party.parameters])
        spoken = wish.why or any(approval.approver == own for approval in act.approvals)
        if judge is None or spoken or not wish.parameters:
            return act
        try:
            said = judge.review(self._own.chain, act.about(), act.party, wish.parameters, number)
        except OtherSide as error:
            wish.why = str(error)
            return act
        if not isinstance(said, Approval):
            away = "" if said.distance is None else f" ({said.distance:.3g})"
            wish.why = f"{said.reason}{away}"
            return act
        both = {approval.approver: approval for approval in (*act.approvals, said)}
        return act._replace(approvals=tuple(both[number] for number in sorted(both)))

    def content(self, name: bytes) -> bytes | None:
        """The parameters of a model that waits."""
        for wish in self.acts.values():
            if wish.parameters and isinstance(wish.act, Updated | Admitted) and wish.act.party.parameters == name:
                return wish.parameters
        return None

    def blocks(self, miner: Miner, time: int, round: int) -> Iterator[tuple[bytes | int, Block]]:
        """Of what waits: each a block that the rules may take, and what it is to be dropped by if they do not."""
        for sender, (what, records) in sorted(self._records.items()):
            try:
                made = miner.recording(what, list(records), time, round=round)
            except ValueError:  # more than a block can hold
                del self._records[sender]
                continue
            if made is not None:
                yield sender, made
        for key, wish in sorted(self.acts.items()):
            wish.whole = wish.whole or self._is_whole(wish.act)
            made = miner.act(wish.act, time, round=round) if wish.whole else None
            if made is not None:
                yield key, made

    def drop(self, key: bytes | int) -> None:
        """The rules have refused a block of it."""
        if isinstance(key, int):
            del self._records[key]
        else:
            del self.acts[key]

    def follow(self, effects: Effects) -> None:
        """There is another block: what stands on it, or can stand on none after it, waits no longer."""
        self._records.clear()
        for key, wish in list(self.acts.items()):
            try:
                wish.act = self._still(wish.act)
                wish.whole = self._holds(wish.act)
                wish.why = ""
            except OtherSide:
                del self.acts[key]
                if wish.own:
                    effects.keep.append(Delete(KEPT + key.hex()))

    def _still(self, act: Signed) -> Signed:
        """An act with the words of those who still have a say, and the key that they signed with."""
        if isinstance(act, Expelled):
            rows = [row for row in act.signatures if self._stands(act._replace(signatures=(row,)))]
            return act._replace(signatures=tuple(rows))
        if isinstance(act, Updated | Admitted):
            found = [one for one in act.approvals if self._stands(act._replace(approvals=(one,)))]
            return act._replace(approvals=tuple(found))
        return act

    def _stands(self, act: Signed) -> bool:
        try:
            self._holds(act)
        except OtherSide:
            return False
        return True

    def shown(self) -> list[dict[str, object]]:
        """What waits, for whoever operates this participant."""
        state: State = self._own.chain.state
        return [_shown(wish, state) for _, wish in sorted(self.acts.items())]


def _shown(wish: Wish, state: State) -> dict[str, object]:
    act = wish.act
    name = act.party.name if isinstance(act, Admitted) else state.parties[act.number].name
    signers = [number for number, _ in act.signatures] if isinstance(act, Expelled) else []
    signers += [one.approver for one in act.approvals] if isinstance(act, Updated | Admitted) else []
    return {
        "what": what_of(act), "party": name, "reason": act.reason if isinstance(act, Expelled) else "",
        "signed": [state.parties[number].name for number in signers], "not_here": wish.why,
    }  # fmt: skip


def merged(one: Signed, other: Signed) -> Signed:
    """An act with all that have signed it, of two that are the same but for that."""
    if isinstance(one, Expelled) and isinstance(other, Expelled):
        return one._replace(signatures=tuple(sorted((dict(other.signatures) | dict(one.signatures)).items())))
    if isinstance(one, Updated) and isinstance(other, Updated):
        return one._replace(approvals=_both(one.approvals, other.approvals))
    if isinstance(one, Admitted) and isinstance(other, Admitted):
        return one._replace(approvals=_both(one.approvals, other.approvals))
    return one


def _both(one: tuple[Approval, ...], other: tuple[Approval, ...]) -> tuple[Approval, ...]:
    found = {approval.approver: approval for approval in (*other, *one)}
    return tuple(found[number] for number in sorted(found))
