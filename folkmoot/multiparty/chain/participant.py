"""One participant of a consortium: a machine of contract 2 (see folkmoot/machine.py).

Members, which are the original parties and the miners, vote on every block (see agreement/finality.py). A party, be it
original or regular, looks through its own data for samples and sends them. Who is no member follows the chain, and one
that is no party yet asks to be admitted. A round has these stages; what is sent in one arrives in the next:

    samples  parties mine in their data and send what they find; a newcomer sends its application
    answer   original parties look at newcomers and say what they think of them, signed
    propose  a miner whose turn it is makes a block: of an answer, or else of the samples that wait. Whoever is locked
             shows its certificate instead
    prevote, precommit, confirm, commit: see agreement/finality.py

What a block names, samples and parameters, is sent along with it; who still lacks some of it asks. Contents
are in the store before the block is kept that names them: a crash in between leaves a content that nobody names.
After a restart the participant waits for the next round. Samples that waited are lost then; parties find others.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

import numpy as np

from folkmoot.agreement.catching_up import MOST_BLOCKS
from folkmoot.agreement.hand import Hand
from folkmoot.agreement.identity import WouldEquivocate
from folkmoot.agreement.kinds import Final, Round
from folkmoot.agreement.messages import Blocks, Want
from folkmoot.agreement.shares import Largest
from folkmoot.agreement.signed_messages import Rejected
from folkmoot.agreement.voting import Voter
from folkmoot.encoding import Limits, Malformed, decode, encode
from folkmoot.errors import OtherSide
from folkmoot.ledger.block import Block
from folkmoot.ledger.chain import Chain
from folkmoot.ledger.errors import RefusedRecord
from folkmoot.ledger.rules import UnknownRules
from folkmoot.machine import ALL, NO_FLOOR, Chance, Effects, Floor, Moment, Noticed, Outcome, Put, Received
from folkmoot.machine import Chain as Stored
from folkmoot.multiparty.chain.bounds import (
    MOST_ANSWERS,
    MOST_ASKED,
    MOST_GIVEN,
    given_bytes,
    stages,
)
from folkmoot.multiparty.chain.entries import Entry
from folkmoot.multiparty.chain.local_party import Finds, LocalParty
from folkmoot.multiparty.chain.messages import application, read_application
from folkmoot.multiparty.chain.miner import Miner
from folkmoot.multiparty.chain.original_party import OriginalParty
from folkmoot.multiparty.chain.records import CALIBRATE, Refused, answer_in, read_head
from folkmoot.multiparty.chain.shelf import names_in
from folkmoot.multiparty.chain.signing import APPLICATION, is_signed
from folkmoot.multiparty.chain.standing import State
from folkmoot.multiparty.chain.talk import (
    MOST_NAMES,
    ROOM,
    Answered,
    Applied,
    Given,
    Lacking,
    SampleTold,
    given,
)
from folkmoot.multiparty.chain.voted import VotedKind, chosen, is_vouched
from folkmoot.multiparty.chain.voting import in_turn
from folkmoot.signatures import SigningKey, public_key

SAMPLES, ANSWER, PROPOSE, PREVOTE, PRECOMMIT, CONFIRM, COMMIT = range(7)
NAMES = ("samples", "answer", "propose", "prevote", "precommit", "confirm", "commit")
ROUND = "round"  # the key under which the last round is kept that was entered
_ROUND_LIMITS = Limits(size=16, depth=0, items=1, int_size=8)


@dataclass(frozen=True)
class Role:
    """Who a participant is, and what it was told before it began.

    Attributes:
        seed: 32 secret bytes, of its key.
        first: the chain before its first block, with the participant's own store of contents.
        finds: its data, in which it looks for samples; None: it sends none.
        judge: an original party's opinion of newcomers.
        asks: a newcomer's entry; its parameters are in the store.
        wanted: samples a party sends in a round; the same for all, as drivers bound what they let through by it.
        most: samples in a block; the same for all.
        clock: milliseconds since 1970, for the heads of blocks.
    """

    seed: bytes
    first: Chain
    finds: Finds | None = None
    judge: OriginalParty | None = None
    asks: Entry | None = None
    wanted: int = 8
    most: int = 200
    clock: Callable[[], int] = lambda: 0

    def resume(
        self, kept: Mapping[str, bytes], chain: Stored, chance: Chance, floor: Floor = NO_FLOOR
    ) -> "Participant":
        """See `folkmoot.machine.Resumes`.

        Raises:
            Malformed, InvalidBlock: what was kept is damaged, or is another participant's or chain's.
            ValueError: a chain whose blocks are not voted on.
        """
        return Participant(self, kept, chain, floor)


class Participant(VotedKind):
    """A participant between two steps.

    Attributes:
        role: who it is.
        index: its number among the members; -1: it has no vote.
        voter: what it knows of the next block.
        stages: of a round.
        next: the first moment it may act in.
    """

    def __init__(self, role: Role, kept: Mapping[str, bytes], stored: Stored, floor: Floor) -> None:
        state: State = role.first.state
        if state.voting is None:
            raise ValueError("chain: one signature makes its blocks; its genesis says nothing of votes")
        super().__init__(role.first, 2 * given_bytes(state.terms.shape, role.most))
        self.role, self._floor, self._stored, self._key = role, floor, stored, SigningKey(role.seed)
        own = self._own = public_key(self._key)
        self.index = state.members.index(own) if own in state.members else -1
        self._miner = Miner(self._key, role.first, pool=self.pool) if own in state.makers else None
        self._answers: dict[bytes, tuple[int, bytes]] = {}  # by the newcomer's key: from whom, the record
        self._judged: dict[bytes, bytes] = {}  # by the application: what this original party says
        self._refused = False  # this newcomer
        self._asked = Counter[tuple[type[Any], int]]()  # how often who applied or asked for contents in this round
        self._held: dict[int, tuple[int, Block]] = {}  # blocks that were sent, and by whom; contents may be missing
        self._sought: set[bytes] = set()  # contents, in this round
        if role.asks is not None and len(state.contents.get(role.asks.parameters)) > ROOM:
            raise ValueError(f"parameters of {role.asks.name}: expected at most {ROOM} bytes, to be sent in a message")
        chain = role.first
        for height in range(1, stored.height + 1):
            block = Block.from_bytes(stored.block(height))
            chain = self.append(chain, block)
            self._settle(block)
        self._effects = Effects()  # of the step under way
        hand = Hand(role.seed, (), kept, lambda item: self._effects.keep.append(item), floor)
        self.voter = Voter(self.index, hand, self, chain, stored)
        self.voter.resume(kept)
        self.pool.follow(chain)
        self.stages = stages(state, NAMES, ANSWER, role.wanted, role.most)
        self._largest = Largest(self.stages, self.forms.kind_of)
        self.next = Moment(max(_last_round(kept) + 1, floor.round, 1), SAMPLES)

    @property
    def chain(self) -> Chain:
        """As it stands."""
        return self.voter.chain

    @property
    def party(self) -> int:
        """Its number among the parties of the chain; -1: it is none."""
        own = self._own
        return next((i for i, party in enumerate(self.chain.state.parties) if party.key == own), -1)

    # --- A stage -----------------------------------------------------------------------------------------------------

    def step(
        self, moment: Moment, inbox: Sequence[Received], outcomes: Sequence[Outcome], blocks: Sequence[Any]
    ) -> Effects:
        """See `folkmoot.machine.Machine`; `blocks` are of the ledger, with their signatures. Nobody pulls here."""
        effects = self._effects = Effects()
        round, stage = moment
        if round != self.voter.round:
            self.voter.enter(round)
            self.shelf.clear()
            self._sought = set()
            self._asked.clear()
            effects.keep.append(Put(ROUND, partial(encode, round)))
        for block in blocks:
            self.voter.append(block, effects)
        self._receive(inbox, effects)
        self._append_held(effects)
        try:
            if round >= self._floor.round:
                self._act(stage, effects)
        except WouldEquivocate:
            effects.counts["own second value"] += 1  # after a crash: silent rather than faulty
        self.voter.close(effects)
        if lacking := sorted(self.shelf.missing.keys() - self._sought)[:MOST_NAMES]:
            self._sought.update(lacking)
            self._send(effects, Lacking(tuple(lacking)))
        self.next = Moment(round, stage + 1) if stage < COMMIT else Moment(round + 1, SAMPLES)
        return effects

    def _act(self, stage: int, effects: Effects) -> None:
        if stage == SAMPLES:
            self._say_samples(effects)
            self._apply(effects)
        elif stage == PROPOSE and self.index >= 0 and not self.voter.show_lock(effects):
            self._propose(effects)
        elif stage >= PREVOTE and self.index >= 0:
            self.voter.vote(stage - PREVOTE, effects)

    def _send(self, effects: Effects, message: Any, to: int | None = ALL) -> None:
        effects.send.append((to, self.forms.to_bytes(message)))

    def _say_samples(self, effects: Effects) -> None:
        number, finds = self.party, self.role.finds
        if number < 0 or finds is None:
            return
        order = np.random.default_rng([self.voter.round, number])  # the same after a restart
        origin = self.chain.genesis.hash
        for data in LocalParty(self._key, origin, number, finds, order).mine(
            self.chain.state.committee, self.role.wanted
        ):
            self.pool.receive(data)
            self._send(effects, SampleTold(data))

    def _apply(self, effects: Effects) -> None:
        """Again in every round, until the chain says what became of it."""
        asks = self.role.asks
        if asks is not None and self.party < 0 and not self._refused:
            data = application(self._key, self.chain.genesis.hash, asks)
            self._send(effects, Applied(data, self.role.first.state.contents.get(asks.parameters)))

    # --- The block of the round --------------------------------------------------------------------------------------

    def _propose(self, effects: Effects) -> None:
        """Whoever's turn it is: of the first answer that holds, or else of samples."""
        state: State = self.chain.state
        assert state.voting is not None
        round, own = self.voter.round, self._own
        if self._miner is None or own not in in_turn(state.voting, state.makers, round):
            return
        self._miner.chain = self.chain
        block = self._admission(self._miner, effects)
        if block is None:
            block = self._miner.block(self.role.clock(), self.role.most, round=round)
            if block is None or not self.voter.consider(block, effects):
                return
        for message in given(self.shelf.give(names_in(block))):
            self._send(effects, message)
        self.voter.propose(block.hash, effects)

    def _admission(self, miner: Miner, effects: Effects) -> Block | None:
        """A block of the first answer that the rules take; those they refuse are forgotten."""
        for key, (sender, record) in sorted(self._answers.items()):
            block = miner.admission(record, self.role.clock(), round=self.voter.round)
            if block is not None and self.voter.consider(block, effects, sender):
                return block
            del self._answers[key]
        return None

    def candidate(self, voter: Round) -> bytes | None:
        """See `voted.chosen`."""
        return chosen(self.chain.state, voter.round, voter.proposals, voter.states)

    def committed(self, final: Final, effects: Effects) -> None:
        """Samples in the block wait no longer, nor does a newcomer whose answer it is."""
        self.pool.follow(final.chain, [final.block])
        self._settle(final.block)
        self._judged.clear()  # models may have moved

    def _append_held(self, effects: Effects) -> None:
        """Blocks that were sent, as far as what they name is at hand; one that waits for contents is held on to."""
        while (height := self.chain.height + 1) in self._held:
            sender, block = self._held.pop(height)
            self.voter.append(block, effects, sender)
            if self.chain.height == height:
                self.voter.seen_ahead(sender)  # there may be more by now
            else:
                if any(self.shelf.missing.values()):
                    self._held[height] = sender, block
                    effects.noticed.pop()  # that contents are missing is not the sender's fault
                return

    def _settle(self, block: Block) -> None:
        if read_head(block.records[0]).what != CALIBRATE:
            said = answer_in(block.records[1])
            self._answers.pop(said.party.key, None)
            self._refused |= isinstance(said, Refused) and said.party.key == self._own

    # --- What comes in -----------------------------------------------------------------------------------------------

    def _receive(self, inbox: Sequence[Received], effects: Effects) -> None:
        """Take in messages; what is malformed or worth nothing is noticed."""
        shape = self.shape(self.chain.state)
        for sender, data in self.voter.in_turn(inbox):
            try:
                self._largest.require(data)
                self._take(self.forms.from_bytes(data, shape), sender, effects)
            except Rejected as error:
                effects.noticed.append(Noticed(sender, error.reason))
            except OtherSide:
                effects.noticed.append(Noticed(sender, "malformed"))

    def _take(self, message: Any, sender: int, effects: Effects) -> None:
        if isinstance(message, SampleTold):
            reason = self.pool.receive(message.content)
            if reason is not None:
                effects.counts[f"sample: {reason.partition(':')[0]}"] += 1
        elif isinstance(message, Given):
            for content in message.contents:
                self.shelf.lay(content, sender, len(self.chain.state.members))
        elif isinstance(message, Blocks):
            blocks = [Block.from_bytes(data) for data in message.blocks]
            near = range(self.chain.height + 1, self.chain.height + MOST_BLOCKS + 1)
            told = {b.header.height: (sender, b) for b in blocks if b.header.height in near}
            self._held = {**told, **self._held}  # what waits for contents was signed by a quorum
        elif isinstance(message, Want):
            self._give_blocks(message, sender, effects)
        elif isinstance(message, Lacking):
            self._within(MOST_ASKED, message, sender)
            for answer in given(self.shelf.give(message.names)):
                self._send(effects, answer, sender)
        elif isinstance(message, Applied):
            self._within(1, message, sender)
            self._take_application(message, sender, effects)
        elif isinstance(message, Answered):
            self._take_answer(message.content, sender)
        else:
            missing, noticed = len(self.shelf.missing), len(effects.noticed)
            self.voter.take(message, sender, effects)
            if len(self.shelf.missing) > missing:  # of a block that was proposed: nobody's fault
                del effects.noticed[noticed:]

    def _give_blocks(self, want: Want, sender: int, effects: Effects) -> None:
        """Blocks, and before them what they name."""
        sent = len(effects.send)
        self.voter.take(want, sender, effects)
        blocks, effects.send[sent:] = effects.send[sent:], []
        last = min(want.height + MOST_BLOCKS - 1, self._stored.height)
        names = [n for h in range(want.height, last + 1) for n in names_in(Block.from_bytes(self._stored.block(h)))]
        for message in islice(given(self.shelf.give(names)), MOST_GIVEN):
            self._send(effects, message, sender)
        effects.send += blocks

    def _within(self, most: int, message: Any, sender: int) -> None:
        """So many messages of a kind are answered to a sender in a round."""
        self._asked[type(message), sender] += 1
        if self._asked[type(message), sender] > most:
            raise Rejected("asked too often")

    def _take_application(self, message: Applied, sender: int, effects: Effects) -> None:
        asked = read_application(message.content)
        origin = self.chain.genesis.hash
        if not is_signed(asked.party.key, APPLICATION, origin, tuple(asked.party), asked.signature):
            raise Rejected("signature")
        self.shelf.lay(message.parameters, sender, len(self.chain.state.members))
        if self.role.judge is None or asked.party.key in self._answers:
            return
        if message.content not in self._judged:
            if len(self._judged) >= MOST_ANSWERS:
                raise Rejected("full")
            self.role.first.state.contents.put(message.parameters)
            try:
                record = self.role.judge.assess(self.chain, message.content)
            except (RefusedRecord, UnknownRules) as error:  # parameters that are not there, a kind not known here
                raise Rejected(type(error).__name__) from None
            self._judged[message.content] = record or b""
        if self._judged[message.content]:
            self._take_answer(self._judged[message.content], self.index)
            self._send(effects, Answered(self._judged[message.content]))

    def _take_answer(self, record: bytes, sender: int) -> None:
        """It waits for a block; of two answers to one newcomer that of the original party with the lower number."""
        said = answer_in(record)
        waiting = self._answers.get(said.party.key)
        if waiting is not None and answer_in(waiting[1]).approver <= said.approver:
            return
        if not is_vouched(self.chain.state, self.chain.genesis.hash, said):
            raise Rejected("signature")
        if waiting is None and len(self._answers) >= MOST_ANSWERS:
            raise Rejected("full")
        self._answers[said.party.key] = (sender, record)


def _last_round(kept: Mapping[str, bytes]) -> int:
    """The last round that was entered; 0: none.

    Raises:
        Malformed: bytes that are no round.
    """
    if ROUND not in kept:
        return 0
    value = decode(kept[ROUND], _ROUND_LIMITS)
    if type(value) is not int or value < 0:
        raise Malformed(f"round: expected an integer of at least 0, {value!r:.40} was kept")
    return value
