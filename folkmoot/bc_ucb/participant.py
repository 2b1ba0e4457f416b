"""One participant of a game on a chain: bytes in, bytes out, in lock-step stages; no clock, socket or coin of its own.

A round after the burn-in has the stages below; what is sent in one arrives in the next, or it is late.

    report   pull an arm, report means and reward; validators offer to compare pull counts
    answer   answer the offers
    screen   validators name whom they heard and begin to agree; f + 1 relay stages follow
    propose  validators propose the block that follows; whoever is locked shows its certificate
    second   validators that lack a report confirm a proposal that is made of the sets they agreed on
    prevote, precommit, confirm, commit: see finality.py

A driver calls `arm` and `observe` for the pull of a round, then `step` once a stage. The rewards of a round are paid,
and learnt from, when its block is committed, be it in a later round; if it never is, they never are.
"""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from folkmoot.agreement.hand import Memory
from folkmoot.agreement.identity import WouldEquivocate
from folkmoot.agreement.messages import (
    COMPARISON,
    PROPOSAL,
    Answer,
    Blocks,
    Offer,
    Proposal,
    ReportSent,
    SetsSent,
    Unverified,
    Want,
    comparison_words,
    from_bytes,
    proposal_words,
)
from folkmoot.agreement.signed_messages import Rejected
from folkmoot.agreement.voting import Effects, Voter
from folkmoot.bc_ucb.algorithm import Params, choose
from folkmoot.bc_ucb.contract import ONE, rounded
from folkmoot.bc_ucb.deliberation import Deliberation
from folkmoot.bc_ucb.records import REPORT, Named, report_words
from folkmoot.bc_ucb.round import is_paid, learn
from folkmoot.coins import Coins
from folkmoot.comparison.in_rounds import Comparison
from folkmoot.encoding import Malformed
from folkmoot.interface import init
from folkmoot.ledger.block import Block
from folkmoot.ledger.chain import Chain

REPORTING, ANSWERING, SCREENING = 0, 1, 2


class Stages(NamedTuple):
    """Numbers of the later stages of a round, and how many there are."""

    propose: int
    second: int
    prevote: int
    precommit: int
    confirm: int
    commit: int
    total: int


def stages(faulty: int) -> Stages:
    """The stages of a round of a game that stands so many faulty participants."""
    first = SCREENING + faulty + 1
    return Stages(*range(first, first + 7))


class Node(Voter):
    """A participant; its `memory` goes to the Node that takes its place after a crash. Attributes as of `Voter`."""

    def __init__(
        self, index: int, seed: bytes, memory: Memory, params: Params, comparison: Comparison, coins: Coins
    ) -> None:
        """`seed`: 32 secret bytes; `coins`: for the own random choices."""
        super().__init__(index, seed, memory)
        self._params, self._comparison, self._coins = params, comparison, coins
        self._stages = stages(self.settings.terms.faulty)
        self._work: Deliberation | None = None

    @property
    def drawn(self) -> bool:
        """Is it a validator of this round?"""
        return self._work is not None and self._work.drawn

    # --- What a participant thinks, and what an attacker changes -------------------------------------------------

    def arm(self, round: int) -> int:
        """The arm to pull in round 1, 2, ..."""
        chain = self.memory.chain
        accounts, known = chain.state.accounts, chain.height > 0
        estimates = accounts.estimates / ONE
        return int(
            choose(self._params, self.memory.learnt, estimates, known, accounts.levels, self.index, round, self._coins)
        )

    def observe(self, round: int, arm: int, reward: float) -> None:
        """The reward of that pull; learnt from at once in the burn-in, else once it is paid."""
        if is_paid(self._params, round, False):
            learn(self.memory.learnt, self.index, arm, reward)
        else:
            self.memory.pending[round] = arm, reward

    def own_means(self) -> NDArray[np.int64]:
        """What to report: int64 [arms], scaled."""
        return np.array([rounded(float(mean)) for mean in self.memory.learnt.mean[self.index]], np.int64)

    def own_counts(self) -> list[int]:
        """The own pulls that were paid: [arms]."""
        return [int(count) for count in self.memory.learnt.pulls[self.index]]

    def told_counts(self) -> list[int]:
        """What goes into the answers to others' comparisons: [arms]."""
        return self.own_counts()

    def own_value(self, work: Deliberation, named: Named) -> bytes | None:
        """What to say as a validator that would name this; None: nothing."""
        return named.to_bytes()

    # --- A stage -------------------------------------------------------------------------------------------------

    def step(self, round: int, stage: int, inbox: Sequence[tuple[int, bytes]]) -> Effects:
        """Take in what has arrived, (sender, bytes), and do what this stage of the round asks for."""
        effects = Effects()
        if round != self._round:
            self.enter(round)
            self._work = None
        self._receive(stage, inbox, effects)
        try:
            self._act(stage, effects)
        except WouldEquivocate:
            self.rejected["own second value"] += 1  # after a crash: silent rather than faulty
        self._commit_if_confirmed(effects)
        if self._ahead is not None:
            self._send(effects, Want(self.memory.chain.height + 1), self._ahead)
            self._ahead = None
        return effects

    def _act(self, stage: int, effects: Effects) -> None:
        at = self._stages
        if stage == REPORTING:
            self._report(effects)
        elif stage == SCREENING:
            self._screen(effects)
        elif SCREENING < stage <= at.propose and self._work is not None:
            self._share(effects, self._work.relay())
        if stage == at.propose:
            if self._work is not None:
                self.checked += self._work.checked
                self.rejected.update(self._work.rejected)
            self._propose(effects)
        if stage == at.second:
            self._second()
            self._say_proposal(effects)
        if stage == at.prevote:
            self._prevote(effects, self._candidate())
        if stage >= at.precommit:
            self._precommit(effects)
        if stage >= at.confirm:
            self._confirm(effects)

    def _report(self, effects: Effects) -> None:
        chain, round = self.memory.chain, self._round
        work = self._work = Deliberation(self.index, self.hand, chain, round, self._params, self._comparison)
        if self._params.screening:
            self._comparison.begin(chain.tip, round, self.own_counts(), self.told_counts())
        if round in self.memory.pending:
            means, reward = self.own_means(), rounded(self.memory.pending[round][1])
            words = report_words(chain.tip, round, self.index, means, reward)
            signature = self.hand.sign(REPORT, round, words)
            message = ReportSent(chain.height, chain.tip, round, self.index, means, reward, signature)
            work.take_report(message)
            self._send(effects, message)
        if work.drawn and self._params.screening and (content := self._comparison.offer(self.hand.identity.public_key)):
            offer = Offer(chain.tip, round, self.index, work.proof, content, b"")
            signature = self.hand.identity.sign(COMPARISON, comparison_words(offer))
            self._send(effects, offer._replace(signature=signature))

    def _screen(self, effects: Effects) -> None:
        work = self._work
        if work is not None and work.previous == self.memory.chain.tip:
            value = self.own_value(work, work.naming()) if work.drawn else None
            self._share(effects, work.start(value))

    def _share(self, effects: Effects, contents: list[bytes]) -> None:
        for content in contents:
            self._send(effects, SetsSent(self._round, content))

    def _propose(self, effects: Effects) -> None:
        best, work = self._finality.best, self._work
        if best is not None:
            self._send(effects, best)
        elif work is not None and (candidate := work.candidate()) is not None and self._consider(candidate):
            if work.drawn:
                self._proposals[self.index] = candidate.hash
            self._say_proposal(effects)

    def _second(self) -> None:
        """A validator that could not make the block itself supports one of the same sets."""
        work = self._work
        if work is None or not work.drawn or self._finality.best is not None or self.index in self._proposals:
            return
        for hash in sorted(set(self._proposals.values())):
            if work.agrees(self._records.get(hash)):
                self._proposals[self.index] = hash

    def _say_proposal(self, effects: Effects) -> None:
        if self.index in self._proposals and "proposal" not in self._sent:
            self._sent.add("proposal")
            hash, height, round = self._proposals[self.index], self._finality.height, self._round
            signature = self.hand.sign(PROPOSAL, round, proposal_words(height, round, hash))
            self._send(effects, Proposal(height, round, self.index, hash, signature, self._bodies[hash]))

    def _candidate(self) -> bytes | None:
        """The block of this round that enough validators stand for.

        Where coins are public, more than half of the validators; else everybody took part in the agreement and
        supports what follows from it.
        """
        work = self._work
        if work is None or work.previous != self.memory.chain.tip:
            return None
        if work.validators is None:
            return next((h for h in sorted(self._records) if work.agrees(self._records[h])), None)
        hashes = [hash for sender, hash in self._proposals.items() if sender in work.validators]
        found = next((h for h in set(hashes) if 2 * hashes.count(h) > len(work.validators)), None)
        record = None if found is None else self._records.get(found)
        return found if record is not None and record.round == self._round else None

    # --- What comes in -------------------------------------------------------------------------------------------

    def _receive(self, stage: int, inbox: Sequence[tuple[int, bytes]], effects: Effects) -> None:
        """Take in messages: bounded for each sender, malformed and worthless ones counted by reason."""
        m, k = self.memory.chain.state.members.shape
        most, got = 4 * m + 16, Counter[int]()
        for sender, data in inbox:
            got[sender] += 1
            try:
                if got[sender] > most:
                    raise Rejected("flood")
                self._take(from_bytes(data, m, k), sender, stage, effects)
            except Malformed:
                self.rejected["malformed"] += 1
            except Rejected as error:
                self.rejected[error.reason] += 1

    def _take(self, message: Unverified, sender: int, stage: int, effects: Effects) -> None:
        """Act on one message, its signatures checked only if it can matter."""
        if isinstance(message, Want):
            self._answer_want(message, sender, effects)
        elif isinstance(message, Blocks):
            for data in message.blocks:
                self._append(Block.from_bytes(data), effects)
        elif isinstance(message, SetsSent):
            if self._work is not None and message.round == self._round:
                self._work.take_inner(message.content)
        elif isinstance(message, ReportSent | Offer | Answer):
            self._take_early(message, sender, stage, effects)
        elif message.height > self._finality.height:
            self._ahead = sender
        elif message.height < self._finality.height:
            raise Rejected("old height")
        else:
            self._take_vote(message)

    def _take_early(self, message: ReportSent | Offer | Answer, sender: int, stage: int, effects: Effects) -> None:
        work = self._work
        if isinstance(message, ReportSent) and message.height > self.memory.chain.height:
            self._ahead = sender
        if work is None or message.round != self._round or message.previous != work.previous:
            raise Rejected("other round or block")
        if stage > SCREENING or (isinstance(message, Offer) and stage > ANSWERING):
            raise Rejected("late")
        if isinstance(message, ReportSent):
            if not work.knows_enough(message.sender):
                self._verify(message)
                work.take_report(message)
        elif isinstance(message, Answer):
            if message.validator == self.index and message.sender not in work.answers:
                self._verify(message)
                work.answers[message.sender] = message.content
        elif message.sender not in work.offered:
            self._verify(message)
            if not work.is_validator(message.sender, message.proof):
                raise Rejected("no validator")
            work.offered.add(message.sender)
            content = self._comparison.answer(self.settings.keys[message.sender], message.content)
            if content:
                answer = Answer(work.previous, self._round, self.index, message.sender, content, b"")
                signature = self.hand.identity.sign(COMPARISON, comparison_words(answer))
                self._send(effects, answer._replace(signature=signature), message.sender)

    def _may_propose(self, sender: int) -> bool:
        return self._work is None or self._work.validators is None or sender in self._work.validators

    # --- Blocks that are final -------------------------------------------------------------------------------------


def newborn(chain: Chain, params: Params) -> Memory:
    """What a participant remembers at the start of a game."""
    return Memory(chain, init(params))
