"""What waits for a block besides samples: acts of parties (acts.py), and the records of an exchange.

An act that several must sign goes around: whoever can sign it adds its word and passes it on, and all put together what
they hear. So nobody need collect, and nobody can hold it up. Original parties approve models by what they measure on
their own data; they expel a party only if whoever operates them has said so. An act is said again in every round until
it is on the chain, or the rules refuse it. What is kept of others is checked first, by the rules of the chain, and
takes the place of whoever has signed it, see places.py.
"""

from collections.abc import Iterable, Iterator, Mapping

from folkmoot.agreement.signed_messages import Rejected
from folkmoot.encoding import Limits, Malformed, decode, encode
from folkmoot.errors import OtherSide
from folkmoot.ledger.block import LIMITS as BLOCKS
from folkmoot.ledger.block import Block
from folkmoot.ledger.contents import MissingContent
from folkmoot.ledger.errors import RefusedRecord
from folkmoot.machine import Delete, Effects, Put
from folkmoot.multiparty.chain.acts import (
    MOST_REASON,
    WITHIN,
    Admitted,
    Approval,
    Expelled,
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
from folkmoot.multiparty.chain.places import (
    CHANGING,
    MOST_OF_ONE,
    Place,
    Signed,
    Wish,
    about,
    end_after,
    goes_on,
    holder,
    in_turn,
    merged,
    owner,
    place_for,
    shown,
    without,
)
from folkmoot.multiparty.chain.records import COMMIT, EXCHANGE, EXPEL, read_head
from folkmoot.multiparty.chain.signing import EXPULSION, signature_of
from folkmoot.multiparty.chain.standing import State
from folkmoot.multiparty.chain.talk import RecordsTold, WishTold

MOST_REVIEWS = 4  # models of others that a participant looks at in a stage
KEPT = "act/"  # before the digest of an own act, the key under which it is kept
_LIMITS = Limits(size=BLOCKS.size, depth=2, items=1 << 14, int_size=8)


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


class Wishes:
    """See the top of the file.

    Attributes:
        acts: that wait, by what stands for them.
        agreed: the parties whose expulsion whoever operates this participant wants: number and reason; and the last
            block in which it wants it.
        was_last: is the last block an act? Then what else there is goes first, see `Participant`.
    """

    def __init__(self, own: Desk, kept: Mapping[str, bytes], blocks: Iterable[Block] = ()) -> None:
        self._own = own
        self.acts: dict[bytes, Wish] = {}
        self.agreed: dict[tuple[int, str], int] = {}
        self.was_last = False
        self._records: dict[int, tuple[str, tuple[bytes, ...]]] = {}  # of exchanges, by sender
        self._served: dict[Place, int] = {}  # the height of the last block with an act of each
        self._known = own.chain.state.keys_now
        for key, data in kept.items():
            if key.startswith(KEPT):
                self._kept(data)
        for block in blocks:
            self.stood(block)

    def _kept(self, data: bytes) -> None:
        act = read_act(data)
        if isinstance(act, Signed):
            if isinstance(act, Expelled):
                self.agreed[act.number, act.reason] = act.until
            act = self._still(act)
            place = place_for(self.acts, act, -1)
            if place is not None or isinstance(act, Expelled):
                self._put(Wish(act, -1, whole=False, own=True, place=place or (EXPEL, self._own.party)))

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
        key = about(act)
        known = self.acts.get(key)
        if known is not None and merged(known.act, act) == known.act:
            return
        whole = self._holds(act)
        if known is not None:
            known.act = merged(known.act, act)
            known.whole = whole or self._holds(known.act)
            return
        if isinstance(act, Expelled) and not act.signatures:
            raise Malformed("wish: an expulsion that nobody has signed")
        place = place_for(self.acts, act, sender)
        if place is None:
            raise Rejected("full" if isinstance(act, Expelled | Admitted) else "old height")  # a later one is here
        self._put(Wish(act, sender, whole, place=place))

    def _put(self, wish: Wish) -> None:
        """It waits; an earlier act of the same party gives way to it."""
        before = holder(self.acts, wish.place)
        if before is not None:
            del self.acts[before]
            self._own.aside.keep.append(Delete(KEPT + before.hex()))
        self.acts[about(wish.act)] = wish

    def _holds(self, act: Signed) -> bool:
        """Do the rules take it as it is? False: it is right so far, and more must sign it, or its model is missing.

        Raises:
            OtherSide: the rules refuse it.
        """
        chain = self._own.chain
        state = chain.state._replace(origin=chain.genesis.hash)
        if act.until > chain.height + 3 * WITHIN:
            raise Malformed("wish: it would wait for too long")
        if isinstance(act, Expelled) and act.until % WITHIN:
            raise Malformed("wish: an expulsion with an end of its own")
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
        known = self.acts.get(key)
        place = place_for(self.acts, act, -1) if known is None else known.place
        if place is None:
            raise ValueError(f"{what_of(act)}: as many wait already as may")
        if known is not None:
            act = merged(known.act, act)
            self.acts[key] = Wish(act, -1, whole or self._is_whole(act), own=True, place=place)
        else:
            self._put(Wish(act, -1, whole, own=True, place=place))
        effects.keep.append(Put(KEPT + key.hex(), act_bytes(act)))
        self._say(self.acts[key], effects)

    def asks_for(self, newcomer: bytes) -> bool:
        """Does an application of this key wait that this participant brought?"""
        own = (wish.act for wish in self.acts.values() if wish.sender == -1)
        return any(isinstance(act, Admitted) and act.party.key == newcomer for act in own)

    def until(self, what: str) -> int:
        """The last height for an act of one's own that is signed now: after that of the one that gives way to it."""
        before = holder(self.acts, (what, self._own.party))
        return max(self._own.chain.height + WITHIN, 0 if before is None else self.acts[before].act.until + 1)

    def expel(self, number: int, reason: str, effects: Effects) -> None:
        """Whoever operates this original party wants another one to be expelled, for this reason.

        Raises:
            ValueError: the rules refuse it, or this is no original party.
        """
        if not 1 <= len(reason) <= MOST_REASON or not reason.isascii() or not reason.isprintable():
            raise ValueError(f"reason = {reason!r:.40}: expected 1 to {MOST_REASON} printable ASCII characters")
        if self._own.party not in self._own.chain.state.trusted:
            raise ValueError("this member is no original party: it has no say in who is expelled")
        height, state = self._own.chain.height, self._own.chain.state
        self.agreed = {one: last for one, last in self.agreed.items() if last > height and state.is_in(one[0])}
        if len(self.agreed.keys() - {(number, reason)}) >= MOST_OF_ONE:
            raise ValueError(f"{MOST_OF_ONE} expulsions are asked for already: ask for others once these are done")
        act = Expelled(number, reason, end_after(height), ())
        self.want(self._with_own(act), effects)
        self.agreed[number, reason] = act.until

    def _with_own(self, act: Expelled) -> Expelled:
        number, own = self._own.party, self._own
        signature = signature_of(own.key, EXPULSION, own.chain.genesis.hash, act.said())
        rows = dict(act.signatures) | {number: signature}
        return act._replace(signatures=tuple(sorted(rows.items())))

    # --- A step ------------------------------------------------------------------------------------------------------

    def act(self, again: bool, effects: Effects) -> None:
        """Sign what this participant can sign; `again`: say once more what it wants.

        Its own acts are said first, then those that it has not said or looked at for longest.
        """
        said, looks = 0, [MOST_REVIEWS]
        for wish in sorted(self.acts.values(), key=lambda wish: (wish.sender != -1, wish.said, wish.looked)):
            more = self._signed(wish, looks)
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
        wish.said = self._own.voter.round
        self._own.send(effects, WishTold(to_bytes(what_of(wish.act), (act_bytes(wish.act),))))

    def _signed(self, wish: Wish, looks: list[int]) -> Signed:
        """The act with this participant's word, if it has one to add; `looks`: at models, left in this stage."""
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
        if judge is None or spoken or not wish.parameters or not looks[0]:
            return act
        looks[0] -= 1
        wish.looked = self._own.voter.round
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

    def recorded(self, miner: Miner, time: int, round: int) -> Iterator[tuple[bytes | int, Block]]:
        """Of records of exchanges that wait: each a block that the rules may take, and what to drop it by if not."""
        for sender, (what, records) in sorted(self._records.items()):
            try:
                made = miner.recording(what, list(records), time, round=round)
            except ValueError:  # more than a block can hold
                del self._records[sender]
                continue
            if made is not None:
                yield sender, made

    def blocks(self, miner: Miner, time: int, round: int) -> Iterator[tuple[bytes | int, Block]]:
        """The same of the acts that wait, in their turns."""
        for key, wish in in_turn(self.acts, self._served):
            if not wish.whole and not isinstance(wish.act, Expelled):  # the model may be here by now
                wish.whole = self._is_whole(wish.act)
            made = miner.act(wish.act, time, round=round) if wish.whole else None
            if made is not None:
                yield key, made

    def drop(self, key: bytes | int) -> None:
        """The rules have refused a block of it."""
        if isinstance(key, int):
            del self._records[key]
        else:
            del self.acts[key]

    def stood(self, block: Block) -> None:
        """A block of the chain: whose turn was it?"""
        what = read_head(block.records[0]).what
        self.was_last = what in CHANGING
        if self.was_last:
            act = read_act(block.records[1])
            assert isinstance(act, Signed)
            known = self.acts.get(about(act))
            self._served[owner(act, known.sender if known else -1)] = block.header.height

    def follow(self, block: Block, effects: Effects) -> None:
        """There is another block: what stands on it, or can stand on none after it, waits no longer."""
        self.stood(block)
        self._records.clear()
        state: State = self._own.chain.state
        before, self._known = self._known, state.keys_now
        others = frozenset(number for number, key in enumerate(before) if key != self._known[number])
        for key, wish in list(self.acts.items()):
            if isinstance(wish.act, Expelled):
                stays = goes_on(wish, others, state, block.header.height)
            else:
                stays = self._goes_on(wish, others)
            if not stays and self.acts.pop(key).own:
                effects.keep.append(Delete(KEPT + key.hex()))

    def _goes_on(self, wish: Wish, others: frozenset[int]) -> bool:
        wish.act, wish.why = without(wish.act, others), ""
        try:
            wish.whole = self._holds(wish.act)
        except OtherSide:
            return False
        return True

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
        return shown(self.acts, self._own.chain.state)
