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
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice, takewhile
from typing import Any

import numpy as np

from folkmoot.agreement.catching_up import MOST_BLOCKS
from folkmoot.agreement.entered import ROUND, last_round
from folkmoot.agreement.hand import Hand
from folkmoot.agreement.identity import WouldEquivocate
from folkmoot.agreement.kinds import Final, Round
from folkmoot.agreement.messages import Blocks, Want
from folkmoot.agreement.shares import Largest
from folkmoot.agreement.signed_messages import Rejected
from folkmoot.agreement.voting import OTHER_BLOCK, Voter
from folkmoot.encoding import encode
from folkmoot.errors import OtherSide
from folkmoot.ledger.block import Block
from folkmoot.ledger.chain import Chain
from folkmoot.machine import NO_FLOOR, Chance, Effects, Floor, Moment, Noticed, Outcome, Put, Received
from folkmoot.machine import Chain as Stored
from folkmoot.multiparty.chain.answering import Answering
from folkmoot.multiparty.chain.bounds import MOST_ASKED, MOST_GIVEN, given_bytes, stages
from folkmoot.multiparty.chain.convening import Convening
from folkmoot.multiparty.chain.desk import Desk
from folkmoot.multiparty.chain.local_party import LocalParty
from folkmoot.multiparty.chain.miner import Miner
from folkmoot.multiparty.chain.newcomers import Newcomers
from folkmoot.multiparty.chain.records import EXCHANGE, REFUSE, REGISTER, read_head
from folkmoot.multiparty.chain.role import Told, secrets_in, seed_in
from folkmoot.multiparty.chain.sheets import Sheet, read_told
from folkmoot.multiparty.chain.shelf import names_in
from folkmoot.multiparty.chain.standing import State
from folkmoot.multiparty.chain.talk import (
    MOST_NAMES,
    Answered,
    Applied,
    ExchangeTold,
    Given,
    Lacking,
    RecordsTold,
    SampleTold,
    WishTold,
    given,
)
from folkmoot.multiparty.chain.voted import chosen
from folkmoot.multiparty.chain.voting import in_turn
from folkmoot.multiparty.chain.weighing import HELD_UP, require_worth
from folkmoot.multiparty.chain.wishes import Wishes
from folkmoot.signatures import SigningKey, check_header, public_key

SAMPLES, ANSWER, PROPOSE, PREVOTE, PRECOMMIT, CONFIRM, COMMIT = range(7)
NAMES = ("samples", "answer", "propose", "prevote", "precommit", "confirm", "commit")
PAUSE = 64  # rounds after the last block in which an exchange that is under way holds up samples


@dataclass(frozen=True)
class Role(Told):
    """Who a participant is."""

    def resume(
        self, kept: Mapping[str, bytes], chain: Stored, chance: Chance, floor: Floor = NO_FLOOR
    ) -> "Participant":
        """See `folkmoot.machine.Resumes`.

        Raises:
            Malformed, InvalidBlock: what was kept is damaged, or is another participant's or chain's.
            ValueError: a chain whose blocks are not voted on.
        """
        return Participant(self, kept, chain, floor)


class Participant(Desk):
    """A participant between two steps.

    Attributes:
        stages: of a round.
        next: the first moment it may act in.
    """

    newcomers: Newcomers
    wishes: Wishes

    def __init__(self, role: Role, kept: Mapping[str, bytes], stored: Stored, floor: Floor) -> None:
        state: State = role.first.state
        if state.voting is None:
            raise ValueError("chain: one signature makes its blocks; its genesis says nothing of votes")
        super().__init__(role.first, 2 * given_bytes(state.terms.shape, role.most, role.room))
        self.role, self._floor, self._stored = role, floor, stored
        self.exchanges, self.aside = 0, Effects()
        self.newcomers = Newcomers(self)
        self._told: list[bytes] = []  # own samples of this round, on their way
        self._asked = Counter[tuple[type[Any], int]]()  # how often who applied or asked for contents in this round
        self._held: dict[int, tuple[int, Block]] = {}  # blocks that were sent, and by whom; contents may be missing
        self._sought: set[bytes] = set()  # contents, in this round
        self._kinds: dict[bytes, str] = {}  # of blocks that were proposed in this round
        if role.asks is not None and len(state.contents.get(role.asks.parameters)) > role.room:
            raise ValueError(f"parameters of {role.asks.name}: expected at most {role.room} bytes, to fit in a message")
        chain = role.first
        blocks = [Block.from_bytes(stored.block(height)) for height in range(1, stored.height + 1)]
        for block in blocks:
            chain = self.append(chain, block)
        state = chain.state  # keys may be others than at the beginning
        self._secrets = secrets_in(role.seed, kept)
        seed = seed_in(state, self._secrets, role.seed)
        self.key = SigningKey(seed)
        own = self.own = public_key(self.key)
        for block in blocks:
            self._settle(block)
        self.index = state.members.index(own) if own in state.members else -1
        self._miner = Miner(self.key, chain, pool=self.pool) if own in state.makers else None
        self._effects = Effects()  # of the step under way
        self.voter = Voter(self.index, self._hand(seed, kept), self, chain, stored)
        self.voter.resume(kept)
        self.pool.follow(chain)
        self.answering, self.wishes = Answering(self, kept), Wishes(self, kept, blocks)
        self.convening = Convening(self, self.answering, kept)
        self.shelf.also = lambda name: self.answering.contents.get(name) or self.wishes.content(name)
        self.stages = stages(state, NAMES, ANSWER, role.wanted, role.most, role.room, role.exchanging)
        self._largest = Largest(self.stages, self.forms.kind_of)
        self.next = Moment(max(last_round(kept) + 1, floor.round, 1), SAMPLES)

    def _hand(self, seed: bytes, kept: Mapping[str, bytes]) -> Hand:
        return Hand(seed, (), kept, lambda item: self._effects.keep.append(item), self._floor)

    # --- A stage -----------------------------------------------------------------------------------------------------

    def step(
        self, moment: Moment, inbox: Sequence[Received], outcomes: Sequence[Outcome], blocks: Sequence[Any]
    ) -> Effects:
        """See `folkmoot.machine.Machine`; `blocks` are of the ledger, with their signatures. Nobody pulls here."""
        effects, self.aside = self.aside, Effects()
        self._effects = effects
        round, stage = moment
        if round != self.voter.round:
            self.voter.enter(round)
            self.shelf.clear()
            self._sought, self._kinds = set(), {}
            self._asked.clear()
            effects.keep.append(Put(ROUND, partial(encode, round)))
        for block in blocks:
            self.voter.append(block, effects)
        self._receive(inbox, effects)
        self._append_held(effects)
        try:
            if round >= self._floor.round:
                self._act(stage, effects)
                self._arrange(stage, effects)
        except WouldEquivocate:
            effects.counts["own second value"] += 1  # after a crash: silent rather than faulty
        self.voter.close(effects)
        if lacking := sorted(self.shelf.missing.keys() - self._sought)[:MOST_NAMES]:
            self._sought.update(lacking)
            self.send(effects, Lacking(tuple(lacking)))
        self.next = Moment(round, stage + 1) if stage < COMMIT else Moment(round + 1, SAMPLES)
        return effects

    def _arrange(self, stage: int, effects: Effects) -> None:
        """Acts of parties, and exchanges."""
        if self.chain.state.terms.approvals or self.role.exchanging.each:
            self.wishes.act(stage == SAMPLES, effects)
            try:
                self.answering.go_on(effects)
                self.convening.act(stage == SAMPLES, effects)
            except OtherSide:
                effects.noticed.append(Noticed(-1, "exchange"))

    def _act(self, stage: int, effects: Effects) -> None:
        if stage == SAMPLES:
            self._say_samples(effects)
            self.newcomers.apply(effects)
        elif stage == PROPOSE and self.index >= 0 and not self.voter.show_lock(effects):
            self._propose(effects)
        elif stage >= PREVOTE and self.index >= 0:
            self.voter.vote(stage - PREVOTE, effects)

    def _say_samples(self, effects: Effects) -> None:
        number, finds = self.party, self.role.finds
        if number < 0 or finds is None or self._is_paused:
            return
        order = np.random.default_rng([self.voter.round, number])  # the same after a restart
        origin = self.chain.genesis.hash
        for data in LocalParty(self.key, origin, number, finds, order).mine(
            self.chain.state.committee, self.role.wanted
        ):
            self._told.append(data)
            self.send(effects, SampleTold(data))

    # --- The block of the round --------------------------------------------------------------------------------------

    def _propose(self, effects: Effects) -> None:
        """Whoever's turn it is: of an exchange; else of an act, or of a newcomer or samples, which come by turns."""
        state, round = self.chain.state, self.voter.round
        assert state.voting is not None
        if self._miner is None or self.own not in in_turn(state.voting, state.makers, round):
            return
        self._miner.chain = self.chain
        about = (self._miner, self.role.clock(), round)
        block = self._wished(self.wishes.recorded(*about), effects)
        ways = (partial(self._wished, self.wishes.blocks(*about), effects), partial(self._other, self._miner, effects))
        for way in reversed(ways) if self.wishes.was_last else ways:
            block = block or way()
        if block is not None:
            for message in given(self.shelf.give(names_in(block)), self.role.room):
                self.send(effects, message)
            self.voter.propose(block.hash, effects)

    @property
    def _is_paused(self) -> bool:
        """Is an exchange under way? Other blocks would make it begin anew, so they wait; but not for long."""
        return self.answering.busy and self.voter.round <= self.chain.state.round + PAUSE

    def _other(self, miner: Miner, effects: Effects) -> Block | None:
        """Of a newcomer, or of samples."""
        block = None if self._is_paused else self.newcomers.admission(miner, effects)
        if block is not None or self._is_paused:
            return block
        block = miner.block(self.role.clock(), self.role.most, round=self.voter.round)
        return block if block is not None and self.voter.consider(block, effects) else None

    def _wished(self, waiting: Iterator[tuple[bytes | int, Block]], effects: Effects) -> Block | None:
        for key, block in waiting:
            if self._is_paused and read_head(block.records[0]).what in HELD_UP:
                continue
            if self.voter.consider(block, effects):
                return block
            if not self.shelf.missing:
                self.wishes.drop(key)
        return None

    def candidate(self, voter: Round) -> bytes | None:
        """See `voted.chosen`."""
        held = HELD_UP if self._is_paused else ()
        states = {hash: state for hash, state in voter.states.items() if self._kinds.get(hash) not in held}
        return chosen(self.chain.state, voter.round, voter.proposals, states)

    def follow(self, chain: Chain, block: Block) -> State:
        """See `VotedKind`; and it is worth a vote, see `weighing`.

        Raises:
            RefusedRecord, LowWork: it does not follow.
        """
        state = super().follow(chain, block)
        require_worth(chain.state, block.records, self.role.exchanging, self.exchanges)
        self._kinds[block.hash] = read_head(block.records[0]).what
        return state

    def committed(self, final: Final, effects: Effects) -> None:
        """Samples in the block wait no longer, nor does a newcomer whose answer it is."""
        self.pool.follow(final.chain, [final.block])
        self._settle(final.block)
        self._follow(final.chain.state)
        self.convening.follow(final.block.records, effects)
        self.answering.clear()
        self.wishes.follow(final.block, effects)
        self.newcomers.follow()

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
                return

    def _follow(self, state: State) -> None:
        """It may have another key now, or be gone; or be in, and make blocks."""
        seed = seed_in(state, self._secrets, bytes(self.key))
        if seed != bytes(self.key):
            self.key, self.voter.hand = SigningKey(seed), self._hand(seed, {})
            self.own, self._miner = public_key(self.key), None
        self.index = self.voter.index = state.members.index(self.own) if self.own in state.members else -1
        if self._miner is None and self.own in state.makers:
            self._miner = Miner(self.key, self.voter.chain, pool=self.pool)

    def _settle(self, block: Block) -> None:
        what = read_head(block.records[0]).what
        self.exchanges += what == EXCHANGE
        if what in (REGISTER, REFUSE):
            self.newcomers.settle(block)

    # --- What comes in -----------------------------------------------------------------------------------------------

    def _receive(self, inbox: Sequence[Received], effects: Effects) -> None:
        """Take in messages; what is malformed or worth nothing is noticed.

        Own samples count when those of others arrive, and have their place among them: so all have them in one order.
        """
        shape, place = self.shape(self.chain.state), self.index if self.index >= 0 else len(self.chain.state.members)
        for sender, data in self.voter.in_turn(inbox):
            if sender > place:
                self._take_own()
            try:
                self._largest.require(data)
                self._take(self.forms.from_bytes(data, shape), sender, effects)
            except Rejected as error:
                effects.noticed.append(Noticed(sender, error.reason))
            except OtherSide:
                effects.noticed.append(Noticed(sender, "malformed"))
        self._take_own()

    def _take_own(self) -> None:
        told, self._told = self._told, []
        for data in told:
            self.pool.receive(data)

    def _take(self, message: Any, sender: int, effects: Effects) -> None:
        if isinstance(message, SampleTold):
            reason = self.pool.receive(message.content)
            if reason is not None:
                effects.counts[f"sample: {reason.partition(':')[0]}"] += 1
        elif isinstance(message, Given):
            for content in message.contents:
                self.shelf.lay(content, sender, len(self.chain.state.members))
        elif isinstance(message, Blocks):
            blocks = self._final(list(map(Block.from_bytes, message.blocks)))
            near = range(self.chain.height + 1, self.chain.height + MOST_BLOCKS + 1)
            told = {b.header.height: (sender, b) for b in blocks if b.header.height in near}
            self._held = {**told, **self._held}  # what waits for contents was signed by a quorum
        elif isinstance(message, Want):
            self._give_blocks(message, sender, effects)
        elif isinstance(message, Lacking):
            self._within(MOST_ASKED, message, sender)
            for answer in given(self.shelf.lend(message.names, sender), self.role.room):
                self.send(effects, answer, sender)
        elif isinstance(message, Applied):
            self._within(1, message, sender)
            self.newcomers.take_application(message, sender, effects)
        elif isinstance(message, Answered):
            self.newcomers.take_answer(message.content, sender)
        elif isinstance(message, WishTold | RecordsTold):
            self.wishes.take(message.content, sender, isinstance(message, RecordsTold))
        elif isinstance(message, ExchangeTold):
            if isinstance(sheet := read_told(message.content), Sheet):
                self.answering.take(sheet, sender, effects)
            else:
                self.convening.take(sheet)
        else:
            self.voter.take(message, sender, effects)

    def _final(self, blocks: Sequence[Block]) -> Sequence[Block]:
        """New ones that a quorum has signed: no other takes the place of one that is asked for.

        By one of them a member may have another key, or leave: what follows it is asked for once that is known.

        Raises:
            Rejected: the first new one is none; or that cannot be told yet.
        """
        height, quorum = self.chain.height, self.quorum(self.chain.state)
        new = [block for block in blocks if block.header.height > height]
        known = list(takewhile(lambda block: len(self._signers(block)) >= quorum, new))
        if new and not known:
            raise Rejected("signature" if new[0].header.height == height + 1 else OTHER_BLOCK)
        return known

    def _signers(self, block: Block) -> list[bytes]:
        told = dict(block.signatures)
        members = [key for key in self.chain.state.members if key in told]
        return [key for key in members if check_header(key, block.hash, told[key])]

    def _give_blocks(self, want: Want, sender: int, effects: Effects) -> None:
        """Blocks, and before them what they name."""
        sent = len(effects.send)
        self.voter.take(want, sender, effects)
        blocks, effects.send[sent:] = effects.send[sent:], []
        last = min(want.height + MOST_BLOCKS - 1, self._stored.height)
        names = [n for h in range(want.height, last + 1) for n in names_in(Block.from_bytes(self._stored.block(h)))]
        for message in islice(given(self.shelf.give(names), self.role.room), MOST_GIVEN):
            self.send(effects, message, sender)
        effects.send += blocks

    def _within(self, most: int, message: Any, sender: int) -> None:
        """So many messages of a kind are answered to a sender in a round."""
        self._asked[type(message), sender] += 1
        if self._asked[type(message), sender] > most:
            raise Rejected("asked too often")
