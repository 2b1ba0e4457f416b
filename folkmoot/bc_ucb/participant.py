"""One participant of a game on a chain: a machine of contract 2 (see folkmoot/machine.py).

A round has the stages below; what is sent in one arrives in the next, or it is late. One of the burn-in ends after its
first stage: its pulls are learnt from at once, and nothing is said.

    pull     choose an arm, which the driver pulls
    report   take the outcome, report means and reward; validators offer to compare pull counts
    answer   answer the offers; where messages get lost, pass on the reports that came
    screen   validators name whom they heard and begin to agree; f + 1 relay stages follow, in which they send each
             other the reports that, by their values, the other one lacks
    propose  the last of these: validators propose the block that follows; whoever is locked shows its certificate
    second   validators that lack a report confirm a proposal that is made of the sets they agreed on
    prevote, precommit, confirm, commit: see agreement/finality.py

The rewards of a round are paid, and learnt from, when its block is committed, be it in a later round; if it never is,
they never are. Without an outcome by `report` the report says so, and the outcome may be claimed later (see pulls.py).
After a restart the participant may go on in the
middle of a round: it only votes then, and keeps silent where it may have said something else before.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from folkmoot.agreement.entered import ROUND, last_round
from folkmoot.agreement.forms import START
from folkmoot.agreement.hand import Hand
from folkmoot.agreement.identity import WouldEquivocate
from folkmoot.agreement.kinds import Final, Round
from folkmoot.agreement.messages import PROPOSAL, Confirmation, Proposal, Verified, Vote, signed_here
from folkmoot.agreement.shared import SMALL, by_first
from folkmoot.agreement.shares import Largest
from folkmoot.agreement.signed_messages import VALUE, Rejected
from folkmoot.agreement.voting import Voter
from folkmoot.bc_ucb import snapshot
from folkmoot.bc_ucb.algorithm import Params
from folkmoot.bc_ucb.compared import Compared
from folkmoot.bc_ucb.deliberation import Deliberation
from folkmoot.bc_ucb.messages import (
    GAME,
    Answer,
    Early,
    Offer,
    Passed,
    ReportSent,
    SetsSent,
    Shown,
    verify_early,
)
from folkmoot.bc_ucb.pending import Pending
from folkmoot.bc_ucb.pulls import Pulls
from folkmoot.bc_ucb.records import REPORT, SETS, Named, report_words
from folkmoot.bc_ucb.rules import Rounds, SharedRounds
from folkmoot.bc_ucb.stages import ANSWERING, PULLING, REPORTING, SCREENING, bounded, stages
from folkmoot.bc_ucb.thinking import Thinking
from folkmoot.coins import Coins
from folkmoot.comparison.in_rounds import Comparing
from folkmoot.encoding import Malformed, encode
from folkmoot.ledger.chain import Chain
from folkmoot.machine import ALL, NO_FLOOR, Chance, Effects, Floor, Moment, Noticed, Outcome, Put, Received
from folkmoot.machine import Chain as Stored
from folkmoot.signatures import Remembered

CHAIN = "chain"  # the key of a snapshot of the chain
FAR = 64  # blocks
_OF_ONE = 8  # blocks whose outcomes one remembers that looks alone
_CHECKS = 32  # signatures that one remembers of each participant: those of a round, and of the next
_EARLY, _VOTES = (ReportSent, Offer, Answer), (Vote, Confirmation, Proposal)


@dataclass(frozen=True)
class Role:
    """Who a participant is, and what it was told before the game.

    Attributes:
        index: its number.
        seed: 32 secret bytes.
        first: the chain before its first block.
        params: what it thinks.
        comparing: its part in the comparison of counts, given chance.
        coins: for its own random choices.
        rules: of the chain; shared among participants that live in one program.
        far: blocks behind at which it takes a state that a quorum has signed, and not all blocks; None: never.
        every: rounds from one comparison of counts to the next, the first round after the burn-in being one of them.
    """

    index: int
    seed: bytes
    first: Chain
    params: Params
    comparing: Comparing
    coins: Coins
    rules: Rounds = field(default_factory=lambda: SharedRounds(_OF_ONE))
    far: int | None = FAR
    every: int = 1

    def compares(self, round: int) -> bool:
        """Are counts compared in this round, after the burn-in? In the others all who reported are heard."""
        return self.params.screening and (round - self.params.burn_in - 1) % self.every == 0

    def resume(
        self, kept: Mapping[str, bytes], chain: Stored, chance: Chance, floor: Floor = NO_FLOOR
    ) -> "Participant":
        """See `folkmoot.machine.Resumes`.

        Raises:
            Malformed, InvalidBlock: what was kept is damaged, or is another participant's or game's.
        """
        return Participant(self, kept, chain, chance, floor)


class Participant(Thinking):
    """A participant between two steps.

    Attributes:
        role: who it is.
        pulls: its own.
        pending: evidence that waits for a block.
        voter: what it knows of the next block.
        hand: its keys.
        next: the first moment it may act in.
    """

    def __init__(self, role: Role, kept: Mapping[str, bytes], stored: Stored, chance: Chance, floor: Floor) -> None:
        super().__init__(role.rules, role.first.state.configuration, role.params, role.coins)
        self.role, self._floor = role, floor
        chain = snapshot.stored_chain(self, kept.get(CHAIN), stored, role.first)
        self._effects = Effects()  # of the step under way
        self._checks = Remembered(_CHECKS * len(chain.state.keys))
        self.hand = Hand(role.seed, (REPORT, SETS, VALUE), kept, lambda item: self._effects.keep.append(item), floor)
        self.voter = Voter(role.index, self.hand, self, chain, stored, role.rules.call)
        self.voter.far = role.far
        self.voter.resume(kept)
        self.pending = Pending(chain.state, kept, role.rules.call)
        self.pulls = Pulls(role.index, role.params, kept)
        self._comparison = role.comparing(chance)
        self._compared = Compared(role.index, self.hand.identity, self._comparison, kept)
        settings = chain.state.configuration
        compared = self._comparison.sizes(settings.terms.n_arms) if role.params.screening else (0, 0)
        self.stages, self._at = role.rules.call(bounded, settings, *compared), stages(settings.terms.faulty)
        self._largest = Largest(self.stages, GAME.kind_of)
        self._work: Deliberation | None = None
        self._propose_at, self._second_at, self._prevote_at = self._at.propose, self._at.second, self._at.prevote
        last = last_round(kept)
        self.next = Moment(last, ANSWERING) if last >= max(floor.round, 1) else Moment(max(floor.round, 1), PULLING)

    @property
    def drawn(self) -> bool:
        """Is it a validator of this round?"""
        return self._work is not None and self._work.drawn

    def statements(self) -> tuple[bytes, ...]:
        """Evidence that the chain does not hold yet: what to show to others."""
        return self.pending.shown()

    def state_given(self, chain: Chain) -> bytes:
        """See `folkmoot.agreement.states.GivesStates`."""
        return snapshot.to_bytes(chain)

    def chain_of(self, data: bytes) -> Chain:
        """See `folkmoot.agreement.states.GivesStates`.

        Raises:
            Malformed: see there.
        """
        return snapshot.given(data, self.role.first, self.rules.call)

    def own_value(self, work: Deliberation, named: Named) -> bytes | None:
        """What to say as a validator that would name this; None: nothing."""
        return named.to_bytes()

    # --- A stage -------------------------------------------------------------------------------------------------

    def step(
        self, moment: Moment, inbox: Sequence[Received], outcomes: Sequence[Outcome], blocks: Sequence[Any] = ()
    ) -> Effects:
        """See `folkmoot.machine.Machine`; `blocks` are of the ledger, with their signatures."""
        with self._checks:
            return self._stepped(moment, inbox, outcomes, blocks)

    def _stepped(
        self, moment: Moment, inbox: Sequence[Received], outcomes: Sequence[Outcome], blocks: Sequence[Any]
    ) -> Effects:
        effects = self._effects = Effects()
        (round, stage), voter = moment, self.voter
        if round != voter.round:
            voter.enter(round)
            self._work = None
        for block in blocks:
            voter.append(block, effects)
        for outcome in outcomes:
            kept = self.pulls.outcome(self.chain.state, outcome)
            effects.keep += kept or ()
            effects.noticed += [Noticed(-1, "outcome")] * (kept is None)
        if inbox:
            self._receive(stage, inbox, effects)
        voter.settle(effects)
        try:
            if round >= self._floor.round:
                self._act(round, stage, effects)
        except WouldEquivocate:
            effects.counts["own second value"] += 1  # after a crash: silent rather than faulty
        voter.close(effects)
        new = self.pending.close(voter.chain.state, effects)
        if new or stage == REPORTING:
            for content in self.statements():
                if content in new or stage == REPORTING:
                    self._send(effects, Shown(content))
        self.next = Moment(round, stage + 1) if stage + 1 < self._at.total else Moment(round + 1, PULLING)
        return effects

    def _act(self, round: int, stage: int, effects: Effects) -> None:
        work, voter = self._work, self.voter
        if stage == PULLING:
            effects.pull = self.arm(round)
            effects.keep += [Put(ROUND, partial(encode, round)), *self.pulls.pull(round, effects.pull)]
        elif voter.index in voter.chain.state.excluded:
            return  # nobody would count what it says
        elif stage == REPORTING:
            self._report(effects)
        elif stage == ANSWERING and work is not None:
            self._pass_on(work.pass_on(voter.links), effects)
        elif stage == SCREENING:
            self._screen(effects)
        elif stage <= self._propose_at and work is not None:
            self._share(effects, work.relay())
            self._pass_on(work.pushed(), effects)
        if stage < self._propose_at:
            return
        if stage == self._propose_at:
            if work is not None:
                work.tell(effects)
            self._propose(effects)
        elif stage == self._second_at:
            self._second(effects)
            voter.pass_on(PROPOSAL, effects)
        elif stage == self._prevote_at and work is not None:
            for state in voter.states.values():
                effects.noticed += work.contradicting(state.last)
        if stage >= self._prevote_at:
            voter.vote(stage - self._prevote_at, effects)

    def _report(self, effects: Effects) -> None:
        chain, round, params = self.chain, self.voter.round, self.role.params
        compares = self.role.compares(round)
        params = params if compares else params._replace(screening=False)
        work = self._work = Deliberation(self.index, self.hand, chain, round, params, self._comparison, self.rules)
        if compares:
            self._comparison.begin(chain.tip, round, self.own_counts(), self.told_counts())
        effects.counts["drawn"] += work.drawn
        told = self.own_outcome(round)
        claims = tuple(map(tuple, self.pulls.claims(chain.state, round)))
        about = chain.height, chain.tip, round, self.index
        said = told.reward, told.seal, told.proof, claims
        message = ReportSent(*about, self.own_means(), *said, b"", work.blinding(REPORT))
        words = report_words(work.origin, chain.tip, round, self.index, message.report.body)
        message = message.signed(self.hand.sign(REPORT, round, words))
        work.take_report(signed_here(message))
        self._send(effects, message)
        if work.drawn and compares and (offered := self._compared.offer(work)) is not None:
            offer, kept = offered
            effects.keep.append(kept)
            self._send(effects, offer)

    def _screen(self, effects: Effects) -> None:
        work = self._work
        if work is not None and work.previous == self.chain.tip:
            value = self.own_value(work, work.naming(self.statements())) if work.drawn else None
            said = work.start(value)
            self._share(effects, said * 2 if self.voter.links.bad(work.round) else said)

    def _share(self, effects: Effects, contents: list[bytes]) -> None:
        for content in contents:
            self._send(effects, SetsSent(self.voter.round, content))

    def _pass_on(self, told: list[tuple[int, Passed]], effects: Effects) -> None:
        for to, message in told:
            self._send(effects, message, to)

    def _send(self, effects: Effects, message: Any, to: int | None = ALL) -> None:
        effects.send.append((to, GAME.to_bytes(message)))

    # --- The block of the round -------------------------------------------------------------------------------------

    def _propose(self, effects: Effects) -> None:
        work, voter = self._work, self.voter
        if not voter.show_lock(effects) and work is not None:
            self._propose_own(work, effects)

    def _propose_own(self, work: Deliberation, effects: Effects) -> None:
        work.hold_late(effects)
        candidate = work.candidate()
        if candidate is not None and self.voter.consider(candidate, effects) and work.drawn:
            self.voter.propose(candidate.hash, effects)

    def _second(self, effects: Effects) -> None:
        """A validator that could not make the block makes it now, or supports one of the same sets."""
        work, voter = self._work, self.voter
        if work is None or not work.drawn or voter.best is not None or self.index in voter.proposals:
            return
        self._propose_own(work, effects)
        if self.index in voter.proposals:
            return
        seen = sorted(hash for hash in set(voter.proposals.values()) if hash in voter.states)
        alike = [hash for hash in seen if work.agrees(voter.states[hash].last)]
        if alike:
            voter.propose(alike[-1], effects)

    def candidate(self, voter: Round) -> bytes | None:
        """The block of this round that enough validators stand for.

        Where coins are public, more than half of the validators; else everybody took part in the agreement and
        supports what follows from it.
        """
        work = self._work
        if work is None or work.previous != self.chain.tip:
            return None
        if work.validators is None:
            return next((h for h in sorted(voter.states) if work.agrees(voter.states[h].last)), None)
        hashes = [hash for sender, hash in voter.proposals.items() if sender in work.validators]
        found = next((h for h in set(hashes) if 2 * hashes.count(h) > len(work.validators)), None)
        return found if found in voter.states and voter.states[found].last.round == voter.round else None

    def committed(self, final: Final, effects: Effects) -> None:
        """Learn from the round of a block if it was paid."""
        record = final.chain.state.last
        effects.counts["signatures"] += len(record.reports) + len(record.sets)
        effects.keep.append(Put(CHAIN, partial(snapshot.to_bytes, final.chain)))
        effects.keep += self.pulls.settle(final.chain.state)

    # --- What comes in -------------------------------------------------------------------------------------------

    def _receive(self, stage: int, inbox: Sequence[Received], effects: Effects) -> None:
        """Take in messages; what is malformed or worth nothing is noticed."""
        shape, largest, decode = self.shape(self.chain.state), self._largest, GAME.from_bytes
        voter, sizes, work, reading = self.voter, largest.known, self._work, by_first(self.rules.call, decode, shape)
        round, known = voter.round, reading.known
        for sender, data in voter.in_turn(inbox):
            try:
                size = len(data) if type(data) is bytes else -1
                if not 0 <= size <= sizes.get(data[:START], -1):
                    largest.require(data)
                message = (known.get(data) or reading.learn(data)) if size <= SMALL else decode(data, shape)
                if type(message) is SetsSent:  # most messages are these
                    if work is not None and message[0] == round:
                        work.take_inner(message[1], sender)
                elif isinstance(message, _VOTES):
                    voter.take(message, sender, effects)
                else:
                    self._take(message, sender, stage, effects)
            except Malformed:
                effects.noticed.append(Noticed(sender, "malformed"))
            except Rejected as error:
                effects.noticed.append(Noticed(sender, error.reason))

    def _take(self, message: Any, sender: int, stage: int, effects: Effects) -> None:
        """Act on one message, its signatures checked only if it can matter."""
        if isinstance(message, _EARLY):
            self._take_early(message, sender, stage, effects)
        elif isinstance(message, Shown):
            self.pending.take(self.chain.state, message.statement, effects)
        elif isinstance(message, Passed):
            if self._work is None or message.round != self.voter.round or stage > self._at.second:
                raise Rejected("late")
            self._work.take_passed(message, sender, stage <= SCREENING, effects)
        else:
            self.voter.take(message, sender, effects)

    def _take_early(self, message: Early, sender: int, stage: int, effects: Effects) -> None:
        work = self._work
        if isinstance(message, ReportSent) and message.height > self.voter.chain.height:
            self.voter.seen_ahead(sender, message.height)
        if work is None or message.round != work.round or message.previous != work.previous:
            raise Rejected("other round or block")
        if stage > SCREENING or (stage > ANSWERING and isinstance(message, Offer)):
            raise Rejected("late")
        if isinstance(message, Offer) and self.role.params.screening and not self.role.compares(work.round):
            raise Rejected("not compared")
        if not work.matters(message):
            return
        verified = verify_early(message, self.voter.keys, work.origin, self.rules.call)
        effects.counts["signatures"] += 1
        if isinstance(message, ReportSent):
            effects.noticed += work.take_report(verified)
        elif isinstance(message, Answer):
            work.take_answer(verified)
        else:
            self._answer(work, verified, effects)

    def _answer(self, work: Deliberation, verified: Verified[Offer], effects: Effects) -> None:
        effects.noticed += work.take_offer(verified)
        offer = verified.message
        if offer.sender not in work.offered:
            return
        answered = self._compared.answer(work, self.voter.keys[offer.sender], offer)
        if answered is not None:
            answer, kept = answered
            effects.keep.append(kept)
            self._send(effects, answer, offer.sender)
