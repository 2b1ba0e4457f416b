"""How a member votes on the next block of a chain, whatever its kind: what it knows, what it says, what it keeps.

A round ends with the stages propose, prevote, precommit, confirm, commit; a kind may have others before and between.
What is said in one stage is taken in (`take`) in the next, then the member acts (`vote` says what on). See finality.py
for why this is safe.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any, cast

from folkmoot.agreement.ballots import gathered, scattered
from folkmoot.agreement.catching_up import MOST_BLOCKS, blocks_first, packed
from folkmoot.agreement.evidence import two_confirmations, two_votes
from folkmoot.agreement.kinds import Final
from folkmoot.agreement.known import LOCK, Known
from folkmoot.agreement.messages import (
    PHASES,
    PRECOMMIT,
    PREVOTE,
    PROPOSAL,
    AnySigned,
    Ballots,
    Blocks,
    Certificate,
    Confirmation,
    Proposal,
    StateGiven,
    Unverified,
    Verified,
    Vote,
    Want,
    WantState,
    proposal_words,
    signed_here,
    verify,
    vote_words,
)
from folkmoot.agreement.signed_messages import Rejected
from folkmoot.agreement.states import GivesStates, Step, checked, given
from folkmoot.ledger.block import Block
from folkmoot.ledger.contents import MissingContent
from folkmoot.ledger.errors import InvalidBlock
from folkmoot.machine import ALL, Append, Delete, Effects, Noticed, Put, Received, Skip

CONFIRMING = "confirmation"
OTHER_BLOCK = "other block"  # it may be right, but not after the block that is the last one here
_CATCHING_UP = (Want, Blocks, WantState, StateGiven)
_REPEATS = 2  # of a confirmation, one in each stage, until the block is final
_MOST_HEADERS = 1 << 10  # of blocks of one height, remembered


class Voter(Known):
    """A member that votes: see the top of the file."""

    # --- What comes in -----------------------------------------------------------------------------------------------

    def take(self, message: Unverified, sender: int, effects: Effects) -> None:
        """Take in a message, its signatures checked only if it can matter.

        Raises:
            Rejected: it counts for nothing.
            Malformed: a block in it is none.
        """
        height = self._finality.height
        if isinstance(message, Vote) and message.height == height and message.round == self.round:
            self._take_vote(message, effects)  # most are votes
        elif isinstance(message, Confirmation) and message.height == height:
            self._take_confirmation(message, sender, effects)
        elif isinstance(message, Proposal) and message.height == height and message.round == self.round:
            self._take_proposal(message, sender, effects)
        elif isinstance(message, _CATCHING_UP):
            self._take_catching_up(message, sender, effects)
        elif message.height > height:
            self.seen_ahead(sender, message.height - 1)
        elif message.height < height:
            if not isinstance(message, Confirmation):
                raise Rejected("old height")
            self._answer(Want(message.height), sender, effects)  # who still says so lacks the others' signatures
        elif isinstance(message, Certificate):
            if message.round <= self.round and (self.best is None or message.round > self.best.round):
                self._take_certificate(self._verified(message, effects), sender, effects)
        elif not isinstance(message, Ballots) or message.round != self.round:
            raise Rejected("other round")
        else:
            known = self._shown if message.purpose == PROPOSAL else self._finality.votes(message.purpose)
            for ballot in scattered(message, [self.index, *known]):
                self.take(ballot, sender, effects)

    def _take_vote(self, message: Vote, effects: Effects) -> None:
        """As `take`: of this height and round."""
        who = message.sender
        first = self._finality.vote_of(message.phase, who)
        if first is None:
            self._finality.vote(self._verifying.known.get(message) or self._verifying.learn(message))
            effects.counts["signatures"] += 1
        else:
            self._second_word(message.phase, first, message, effects)

    def _take_confirmation(self, message: Confirmation, sender: int, effects: Effects) -> None:
        """As `take`: of this height."""
        if message.sender != sender:  # an old one, with another height beside it: the signature names none
            raise Rejected("another's confirmation")
        counted = self._finality.confirmation_of(sender)
        if counted is None:
            self._finality.confirm(self._verifying.known.get(message) or self._verifying.learn(message))
            effects.counts["signatures"] += 1
        elif message.hash != counted.hash:
            self._second_confirmation(counted, message, effects)

    def _take_catching_up(self, message: Want | Blocks | WantState | StateGiven, sender: int, effects: Effects) -> None:
        """As `take`: somebody wants blocks or a state, or gives them."""
        if isinstance(message, Want):
            self._answer(message, sender, effects)
        elif isinstance(message, WantState):
            self._once_a_round(sender, message.height)
            self._send(effects, given(self.kind, self._last, message), sender)
        elif isinstance(message, StateGiven):
            if not self._far_behind:
                raise Rejected("state")
            self._jump(checked(cast(GivesStates, self.kind), message, self.chain.height), sender, effects)
        else:
            for data in message.blocks:
                block = self.kind.received(data)
                if block.header.height > self.chain.height + 1:  # it was pushed, or an answer before it got lost
                    raise Rejected(OTHER_BLOCK)
                if block.header.height > self.chain.height:  # several may answer
                    self.append(block, effects, sender)

    def in_turn(self, inbox: Sequence[Received]) -> Sequence[Received]:
        """An inbox in the order to take it in: what brings a member further that may be behind, then the rest."""
        behind = self._others.any or self.links.bad(self.round)
        return blocks_first(inbox, self.kind.forms.kind_of) if behind else inbox

    def seen_ahead(self, sender: int, height: int | None = None) -> None:
        """A member claims to have so many blocks (None: more than there are here)."""
        self._others.claim(sender, self.chain.height + 1 if height is None else height)

    def _verified(self, message: AnySigned, effects: Effects) -> Verified[AnySigned]:
        verified = verify(message, self.keys, self._finality.quorum, self._origin, self._call)
        effects.counts["signatures"] += verified.checked
        return verified

    def _take_certificate(self, verified: Verified[Certificate], sender: int, effects: Effects) -> None:
        certificate = verified.message
        block = self.kind.received(certificate.block)
        if block.hash == certificate.hash and self.consider(block, effects, sender):
            self._finality.learn(verified)

    def _take_proposal(self, message: Proposal, sender: int, effects: Effects) -> None:
        """As `take`: of this height and round."""
        if message.sender in self.proposals:
            if (shown := self._shown.get(message.sender)) is not None:
                self._second_word(PROPOSAL, shown, message, effects)
            return
        height, round, who, hash, signature, block = message
        said = Proposal(height, round, who, hash, signature, b"")  # what is signed
        if said not in self._verifying.known:
            self._verifying.learn(said)
        effects.counts["signatures"] += 1
        self.proposals[who] = hash
        self._shown[who] = said  # to prove a second one with
        if block and hash not in self._bodies:
            self.consider(self.kind.received(block), effects, sender)

    def _second_word(self, purpose: str, first: Proposal | Vote, second: Proposal | Vote, effects: Effects) -> None:
        """Somebody who says two things in one slot is shown to all, once; the first one counts."""
        who = second.sender
        if second.hash != first.hash and (purpose, who) not in self._caught:
            self._verified(second, effects)
            self._caught.add((purpose, who))
            effects.noticed.append(Noticed(who, "two values", two_votes(first, second)))

    def _second_confirmation(self, first: Confirmation, second: Confirmation, effects: Effects) -> None:
        """As `_second_word`; it takes the headers of both blocks to show it."""
        who, headers = second.sender, self._headers
        if first.hash in headers and second.hash in headers and (CONFIRMING, who) not in self._caught:
            self._verified(second, effects)
            self._caught.add((CONFIRMING, who))
            shown = [(headers[said.hash], said.signature) for said in (first, second)]
            effects.noticed.append(Noticed(who, "two values", two_confirmations(who, *shown)))

    def consider(self, block: Block, effects: Effects, sender: int = -1) -> bool:
        """Remember a block if it would follow."""
        try:
            state = self.kind.follow(self.chain, block)
        except InvalidBlock as error:
            self._note_refused(block, error, sender, effects)
            return False
        self._bodies[block.hash] = self.kind.carried(block.bearing(()) if block.signatures else block)
        self.states[block.hash] = state
        self._blocks[block.hash] = block
        self._headers[block.hash] = block.header
        if len(self._headers) > _MOST_HEADERS:
            del self._headers[next(iter(self._headers))]
        return True

    def append(self, block: Block, effects: Effects, sender: int = -1) -> None:
        """Add a block that is signed by a quorum; the kind learns from it."""
        try:
            chain = self.kind.append(self.chain, block)
        except InvalidBlock as error:
            self._note_refused(block, error, sender, effects)
            return
        effects.counts["signatures"] += len(block.signatures)
        self._compare(block, effects)
        self._last = Step(self.chain, block)
        self.chain, final = chain, Final(block, chain)
        effects.keep += [Append(chain.height, partial(self.kind.carried, block)), Delete(LOCK)]
        self._finality = self._next_height(None)
        self.proposals, self._shown, self._headers = {}, {}, {}
        self.kind.committed(final, effects)
        effects.committed.append(final)

    def _note_refused(self, block: Block, error: InvalidBlock, sender: int, effects: Effects) -> None:
        """A fault only if it should follow what is here; the honest send others, too, to who is behind or ahead."""
        height, previous = block.header.height, block.header.previous
        if height <= self.chain.height:
            effects.noticed.append(Noticed(sender, "old height"))
        elif (height, previous) != (self.chain.height + 1, self.chain.tip):
            effects.noticed.append(Noticed(sender, OTHER_BLOCK))
        elif not isinstance(error, MissingContent):  # what it names may still come
            effects.noticed.append(Noticed(sender, "block"))

    def _compare(self, block: Block, effects: Effects) -> None:
        """Who has signed this block, and was counted for another one?"""
        self._headers[block.hash] = block.header
        if not self._finality.confirmed_beside(block.hash):
            return
        numbers = {key: number for number, key in enumerate(self.keys)}
        for key, signature in block.signatures:
            counted = self._finality.confirmation_of(numbers[key])
            if counted is not None and counted.hash != block.hash:
                second = Confirmation(block.header.height, numbers[key], block.hash, signature)
                self._second_confirmation(counted, second, effects)

    def _answer(self, want: Want, sender: int, effects: Effects) -> None:
        """Send the next few blocks, once a round to each who asks."""
        if not 1 <= want.height <= self.chain.height:
            raise Rejected("want")
        heights = range(want.height, min(want.height + MOST_BLOCKS, self.chain.height + 1))
        blocks = packed(heights, lambda height: self._block(height, effects))
        if not blocks:  # skipped here; others have it
            raise Rejected("want")
        self._once_a_round(sender, want.height)
        self._send(effects, Blocks(blocks), sender)

    def _once_a_round(self, sender: int, height: int) -> None:
        """An answer a round to each, beside a block from after that height which was sent without a request."""
        if self._asked.get(sender) == self.round and height >= self._pushed.get(sender, 0):
            raise Rejected("want")
        self._asked[sender], self._pushed[sender] = self.round, 0

    @property
    def _far_behind(self) -> bool:
        """Is somebody honest so many blocks ahead that the state is to be taken instead?"""
        faulty = len(self.keys) - self._finality.quorum
        return self.far is not None and self._others.certain(faulty) > self.chain.height + self.far

    def _jump(self, step: Step, sender: int, effects: Effects) -> None:
        """Go on from a state that was given and checked, without the blocks before it."""
        self.chain = step.before
        self._finality = self._next_height(None)
        effects.keep.append(Skip(step.before.height))
        self.append(step.block, effects, sender)

    def _block(self, height: int, effects: Effects) -> bytes | None:
        """A block of the chain; those of this step are not stored yet. None: it was skipped (see `_jump`)."""
        fresh = next((final for final in effects.committed if final.chain.height == height), None)
        if fresh is not None:
            return self.kind.carried(fresh.block)
        try:
            return self._stored.block(height)
        except IndexError:
            return None

    # --- What a member says ------------------------------------------------------------------------------------------

    def _send(self, effects: Effects, message: Any, to: int | None = ALL) -> None:
        effects.send.append((to, self.kind.forms.to_bytes(message)))

    def show_lock(self, effects: Effects) -> bool:
        """Whoever knows a certificate for the next block shows it instead of proposing another; does it?"""
        if self.best is None:
            return False
        self._send(effects, self.best)
        return True

    def propose(self, hash: bytes, effects: Effects) -> None:
        """Stand for a block that would follow, once a round."""
        self.proposals[self.index] = hash
        if "proposal" not in self._sent:
            self._sent.add("proposal")
            words = self._call(proposal_words, self._origin, self.height, self.round, hash)
            signature = self.hand.sign(PROPOSAL, self.round, words)
            message = Proposal(self.height, self.round, self.index, hash, signature, self._bodies[hash])
            self._shown[self.index] = message._replace(block=b"")
            self._send(effects, message)

    def vote(self, since: int, effects: Effects) -> None:
        """What is to be said so many stages after that of the prevotes: in it (0), in the next one (1), and so on."""
        if since <= 1:
            self._prevote(effects)
        if since >= 1:
            self._precommit(effects)
        if since >= 2:
            self._confirm(effects)
        if 1 <= since <= len(PHASES):
            phase = PHASES[since - 1]
            if voters := self._finality.votes(phase):
                self.links.heard(phase, self.round, voters)
            self.pass_on(phase, effects)

    def pass_on(self, purpose: str, effects: Effects) -> None:
        """What has come of others' proposals or votes, if messages get lost."""
        said = self._shown if purpose == PROPOSAL else self._finality.votes(purpose)
        ballots = gathered(purpose, said) if self.links.bad(self.round) else None
        if ballots is not None:
            self._send(effects, ballots)

    def _cast(self, effects: Effects, phase: str, hash: bytes) -> None:
        if phase in self._sent:
            return
        self._sent.add(phase)
        height, round, origin = self.height, self.round, self._origin
        signature = self.hand.sign(phase, round, self._call(vote_words, origin, phase, height, round, hash))
        vote = Vote(phase, height, round, self.index, hash, signature)
        self._send(effects, vote)
        self._finality.vote(signed_here(vote))

    def _prevote(self, effects: Effects) -> None:
        if PREVOTE in self._sent:
            return
        hash = self._finality.choice(self.kind.candidate(self))
        if hash is not None:
            self._cast(effects, PREVOTE, hash)

    def _precommit(self, effects: Effects) -> None:
        certificate = None if PRECOMMIT in self._sent else self._finality.certified(self._bodies)
        if certificate is None:
            return
        self._finality.learn(signed_here(certificate))
        effects.keep.append(Put(LOCK, partial(self.kind.forms.to_bytes, self.best)))
        self._cast(effects, PRECOMMIT, certificate.hash)

    def _confirm(self, effects: Effects) -> None:
        hash = None if CONFIRMING in self._sent else self._finality.decided()
        if hash is not None:
            self._sent.add(CONFIRMING)
            confirmation = Confirmation(self.height, self.index, hash, self.hand.confirm(self.height, hash))
            self._send(effects, confirmation)
            self._finality.confirm(signed_here(confirmation))
            self._repeats = [*[confirmation] * _REPEATS, None]  # not in this stage

    def _repeat(self, effects: Effects) -> None:
        """Confirmations add up over rounds, so one that got lost is not lost: it is said again until all is final."""
        again = self._repeats.pop()
        if again is not None and again.height == self.height:
            self._send(effects, again)

    def settle(self, effects: Effects) -> None:
        """Commit what a quorum has confirmed: once all has come in, and at the end of every stage (see `close`)."""
        found = self._finality.confirmed()
        if found is not None:
            hash, signatures = found
            if hash in self._bodies:
                block, keys = self._blocks.get(hash) or self.kind.received(self._bodies[hash]), self.keys
                signed = tuple(sorted((keys[v], s) for v, s in signatures.items()))
                final = block.bearing(signed)
                self.append(final, effects)
                if self.links.bad(self.round):
                    absent = sorted({*range(len(keys))} - {self.index, *signatures})
                    self._push(final, absent, effects)
            else:
                for member in signatures:
                    self._others.claim(member, self.height)

    def _push(self, final: Block, absent: Sequence[int], effects: Effects) -> None:
        """Send a block to those who were not heard to confirm it, for they may lack the others' signatures.

        Who lacks earlier blocks too cannot use it, and may still ask for them in this round (see `_once_a_round`).
        """
        for member in absent:
            if self._asked.get(member) != self.round:
                self._asked[member], self._pushed[member] = self.round, final.header.height
                self._send(effects, Blocks((self.kind.carried(final),)), member)

    def close(self, effects: Effects) -> None:
        """At the end of every stage: commit what a quorum has confirmed, ask for what is missing."""
        self.settle(effects)
        if self._repeats:
            self._repeat(effects)
        if not self._others.any:
            return
        members = len(self.keys)
        ask = self._others.ask(self.chain.height, members, members - self._finality.quorum)
        if ask is not None:
            effects.behind.append(self.chain.height + 1)
            message = WantState if self._far_behind else Want
            self._send(effects, message(self.chain.height + 1), ask)
