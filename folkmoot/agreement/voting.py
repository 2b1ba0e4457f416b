"""The half of a participant that votes: proposals, prevotes, precommits, confirmations; blocks kept and passed on."""

from collections import Counter
from dataclasses import dataclass, field

from folkmoot.agreement.finality import Finality
from folkmoot.agreement.hand import Hand, Memory
from folkmoot.agreement.messages import (
    MOST_BLOCKS,
    PRECOMMIT,
    PREVOTE,
    Blocks,
    Certificate,
    Confirmation,
    Proposal,
    Unverified,
    Vote,
    Want,
    to_bytes,
    verify,
    vote_words,
)
from folkmoot.agreement.signed_messages import Rejected
from folkmoot.bc_ucb.genesis import Configuration
from folkmoot.bc_ucb.records import RoundRecord
from folkmoot.bc_ucb.round import is_paid, learn
from folkmoot.bc_ucb.rules import would_follow
from folkmoot.ledger.block import Block
from folkmoot.ledger.chain import Chain, apply_block
from folkmoot.ledger.errors import InvalidBlock

ALL = None  # the destination "everybody else"


@dataclass
class Effects:
    """What a step came to."""

    outgoing: list[tuple[int | None, bytes]] = field(default_factory=list)  # (participant or ALL, message)
    committed: list[Chain] = field(default_factory=list)  # the chain after each new block


class Voter:
    """What a participant knows of the block that is sought; a Node adds how candidates come about.

    Attributes:
        index: the participant's number.
        memory: all that must survive a crash.
        hand: its keys.
        checked: signatures checked.
        rejected: messages that counted for nothing, by reason.
    """

    def __init__(self, index: int, seed: bytes, memory: Memory) -> None:
        self.index, self.memory, self.hand = index, memory, Hand(seed, memory.slots)
        self.checked = 0
        self.rejected: Counter[str] = Counter()
        self._round = -1
        self._sent: set[str] = set()  # what was done in this round already
        self._proposals: dict[int, bytes] = {}  # hashes, of this round
        self._bodies: dict[bytes, bytes] = {}  # unsigned blocks that would follow, by hash
        self._records: dict[bytes, RoundRecord | None] = {}  # of these, as far as they were seen in this round
        self._asked: dict[int, int] = {}  # the last round in which blocks were sent to a participant
        self._ahead: int | None = None  # somebody who has blocks that are missing here
        self._finality = self._next_height(memory.lock)

    @property
    def settings(self) -> Configuration:
        """What the genesis says."""
        settings: Configuration = self.memory.chain.state.configuration
        return settings

    def enter(self, round: int) -> None:
        """Begin a round: votes and proposals of the last one are forgotten, what is certified stays."""
        self._round, self._sent, self._proposals, self._records = round, set(), {}, {}
        best = self._finality.best
        self._bodies = {} if best is None else {best.hash: best.block}
        self._finality.enter(round)

    def _next_height(self, best: Certificate | None) -> Finality:
        finality = Finality(self.memory.chain.height + 1, self.settings.quorum, best)
        finality.enter(self._round)
        self._bodies = {} if best is None else {best.hash: best.block}
        return finality

    def _verify(self, message: Unverified) -> None:
        self.checked += verify(message, self.settings.keys, self.settings.quorum).checked

    def _consider(self, block: Block) -> bool:
        """Remember a block if it would follow."""
        try:
            state = would_follow(self.memory.chain, block)
        except InvalidBlock:
            self.rejected["block"] += 1
            return False
        self._bodies[block.hash] = Block(block.header, block.records).to_bytes()
        self._records[block.hash] = state.last
        return True

    def _take_vote(self, message: Proposal | Vote | Confirmation | Certificate) -> None:
        finality = self._finality
        if isinstance(message, Certificate):
            if message.round <= self._round and (finality.best is None or message.round > finality.best.round):
                self._verify(message)
                block = Block.from_bytes(message.block)
                if block.hash == message.hash and self._consider(block):
                    finality.learn(message)
        elif isinstance(message, Confirmation):
            if not finality.has_confirmed(message.sender):
                self._verify(message)
                finality.confirm(message)
        elif message.round != self._round:
            raise Rejected("other round")
        elif isinstance(message, Vote):
            if not finality.has_voted(message.phase, message.sender):
                self._verify(message)
                (finality.prevote if message.phase == PREVOTE else finality.precommit)(message.round, message)
        elif message.sender not in self._proposals:
            self._verify(message)
            self._proposals[message.sender] = message.hash
            if message.block and message.hash not in self._bodies:
                self._consider(Block.from_bytes(message.block))

    def _send(self, effects: Effects, message: Unverified, to: int | None = ALL) -> None:
        effects.outgoing.append((to, to_bytes(message)))

    def _vote(self, effects: Effects, phase: str, hash: bytes) -> Vote | None:
        if phase in self._sent:
            return None
        self._sent.add(phase)
        height, round = self._finality.height, self._round
        signature = self.hand.sign(phase, round, vote_words(phase, height, round, hash))
        vote = Vote(phase, height, round, self.index, hash, signature)
        self._send(effects, vote)
        return vote

    def _prevote(self, effects: Effects, candidate: bytes | None) -> None:
        hash = self._finality.choice(candidate)
        if hash is not None and (vote := self._vote(effects, PREVOTE, hash)) is not None:
            self._finality.prevote(self._round, vote)

    def _precommit(self, effects: Effects) -> None:
        certificate = self._finality.certified(self._bodies)
        if certificate is None or PRECOMMIT in self._sent:
            return
        self._finality.learn(certificate)
        self.memory.lock = self._finality.best
        vote = self._vote(effects, PRECOMMIT, certificate.hash)
        if vote is not None:
            self._finality.precommit(self._round, vote)

    def _confirm(self, effects: Effects) -> None:
        hash = self._finality.decided()
        if hash is not None and "confirmation" not in self._sent:
            self._sent.add("confirmation")
            height = self._finality.height
            confirmation = Confirmation(height, self.index, hash, self.hand.confirm(height, hash))
            self._send(effects, confirmation)
            self._finality.confirm(confirmation)

    def _commit_if_confirmed(self, effects: Effects) -> None:
        found = self._finality.confirmed()
        if found is None:
            return
        hash, signatures = found
        if hash not in self._bodies:
            self._ahead = next(v for v in sorted(signatures) if v != self.index)
            return
        block = Block.from_bytes(self._bodies[hash])
        keys = self.settings.keys
        self._append(
            Block(block.header, block.records, tuple(sorted((keys[v], s) for v, s in signatures.items()))), effects
        )

    def _append(self, block: Block, effects: Effects) -> None:
        """Add a block that is signed by a quorum, and learn from the round if it was paid."""
        memory = self.memory
        try:
            chain = apply_block(memory.chain, block)
        except InvalidBlock:
            self.rejected["block"] += 1
            return
        record = chain.state.last
        self.checked += len(block.signatures) + len(record.reports) + len(record.sets)
        memory.chain, memory.lock = chain, None
        memory.blocks.append(block)
        if is_paid(self.settings, record.round, record.holds(self.index)) and record.round in memory.pending:
            arm, reward = memory.pending[record.round]
            learn(memory.learnt, self.index, arm, reward)
        memory.pending = {round: pull for round, pull in memory.pending.items() if round > record.round}
        self._finality = self._next_height(None)
        self._proposals = {}
        effects.committed.append(chain)

    def _answer_want(self, want: Want, sender: int, effects: Effects) -> None:
        """Send the next few blocks, once a round to each who asks."""
        first = want.height - 1
        if not 0 <= first < len(self.memory.blocks) or self._asked.get(sender) == self._round:
            raise Rejected("want")
        self._asked[sender] = self._round
        blocks = tuple(block.to_bytes() for block in self.memory.blocks[first : first + MOST_BLOCKS])
        self._send(effects, Blocks(blocks), sender)
