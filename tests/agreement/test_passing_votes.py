"""Where messages get lost, votes are passed on: they count as if their senders had sent them, and for nothing else."""

from contextlib import suppress

import numpy as np
import pytest
from test_voting import KEYS, PROPOSE, VOTE, Member, played
from votes_alone import VOTING

from folkmoot.agreement.ballots import gathered, scattered
from folkmoot.agreement.links import MEMORY, Links
from folkmoot.agreement.messages import PRECOMMIT, PREVOTE, PROPOSAL, Ballots, Confirmation, Proposal, Vote
from folkmoot.agreement.signed_messages import Rejected
from folkmoot.encoding import Malformed
from folkmoot.ledger.chain import propose
from folkmoot.machine import Effects, Moment


class Room:
    """Four members; what is sent in the last stage of a round comes in the first stage of the next one."""

    def __init__(self):
        self.members, self.inbox, self.sent = [Member(m) for m in range(4)], [[] for _ in range(4)], []

    def play(self, t, lose=lambda stage, message: False):
        for stage in range(PROPOSE, VOTE + 4):
            arrived, self.inbox = self.inbox, [[] for _ in self.members]
            for m, member in enumerate(self.members):
                effects = self.step(member, t, stage, arrived[m])
                member.keep(Moment(t, stage), effects)
                for receiver, data in effects.send:
                    message = VOTING.from_bytes(data, (len(KEYS),))
                    self.sent.append((t, stage, m, message))
                    for to in range(4):
                        if to != m and receiver in (None, to) and not lose(stage, message):
                            self.inbox[to].append((m, message))

    def step(self, member, t, stage, arrived):
        effects, voter = Effects(), member.voter
        if stage == PROPOSE:
            voter.enter(t)
        for sender, message in arrived:
            with suppress(Rejected):
                voter.take(message, sender, effects)
        voter.settle(effects)
        if stage == PROPOSE and not voter.show_lock(effects) and t % len(KEYS) == member.index:
            block = propose(voter.chain, [b"%d" % t])
            if voter.consider(block, effects):
                voter.propose(block.hash, effects)
        if stage >= VOTE:
            voter.vote(stage - VOTE, effects)
        voter.close(effects)
        return effects

    @property
    def heights(self):
        return [member.voter.chain.height for member in self.members]


def test_without_faults_nothing_is_said_twice():
    room = Room()
    for t in (1, 2, 3):
        room.play(t)
    assert room.heights == [3] * 4
    assert not any(isinstance(message, Ballots) for *_, message in room.sent)
    assert sum(isinstance(message, Confirmation) for *_, message in room.sent) == 12


@pytest.mark.parametrize("phase", [PREVOTE, PRECOMMIT])
def test_a_vote_that_is_lost_on_the_way_comes_by_another_one(phase):
    """Nearly half of the votes are lost; with three of four to be heard, a round had a block in 1 of 4 cases or so."""
    dice, room = np.random.default_rng(1), Room()
    for t in range(1, 13):
        room.play(t, lambda stage, said: isinstance(said, Vote) and said.phase == phase and dice.random() < 0.4)
    assert min(room.heights) >= 11
    assert any(isinstance(message, Ballots) for *_, message in room.sent)


def voter(t=1):
    member = Member(0)
    member.voter.enter(t)
    return member.voter


def vote(m, t=1, hash=b"h" * 32, phase=PREVOTE, note=b"note"):
    """The vote that member m casts."""
    other = Member(m)
    other.voter.enter(t)
    effects = Effects()
    other.voter._cast(effects, phase, hash)
    return VOTING.from_bytes(effects.send[0][1], (len(KEYS),))


def test_what_is_gathered_is_what_most_have_said_and_comes_apart_again():
    votes = {m: vote(m) for m in (1, 2)} | {3: vote(3, hash=b"g" * 32)}
    ballots = gathered(PREVOTE, votes)
    assert (ballots.voters, ballots.hash) == ((1, 2), b"h" * 32)
    assert list(scattered(ballots, ())) == [votes[1], votes[2]]
    assert list(scattered(ballots, [1])) == [votes[2]]
    assert gathered(PREVOTE, {}) is None
    assert isinstance(next(scattered(ballots._replace(purpose=PROPOSAL), ())), Proposal)


def test_votes_that_are_passed_on_count_once():
    node, ballots, effects = voter(), gathered(PREVOTE, {m: vote(m) for m in (1, 2, 3)}), Effects()
    node.take(ballots, 1, effects)
    node.take(ballots, 2, effects)
    assert set(node._finality.votes(PREVOTE)) == {1, 2, 3}
    assert effects.counts["signatures"] == 3


def test_attack_of_a_vote_passed_on_that_nobody_signed():
    node, good = voter(), gathered(PREVOTE, {m: vote(m) for m in (1, 2, 3)})
    false = good._replace(signatures=(good.signatures[0], bytes(64), good.signatures[2]))
    with pytest.raises(Rejected, match="signature"):
        node.take(false, 1, Effects())
    assert set(node._finality.votes(PREVOTE)) == {1}
    for wrong in (good._replace(purpose=PRECOMMIT), good._replace(hash=b"g" * 32)):
        with pytest.raises(Rejected, match="signature"):
            voter().take(wrong, 1, Effects())
    with pytest.raises(Rejected, match="other round"):
        voter(2).take(good, 1, Effects())


def test_attack_of_votes_passed_on_that_have_another_form():
    good = gathered(PREVOTE, {m: vote(m) for m in (1, 2, 3)})
    for wrong in (
        good._replace(voters=(1, 2)),
        good._replace(voters=(2, 1, 3)),
        good._replace(voters=(1, 2, 4)),
        good._replace(purpose="round confirmation"),
    ):
        with pytest.raises(Malformed):
            VOTING.from_bytes(VOTING.to_bytes(wrong), (len(KEYS),))


def test_the_own_vote_is_not_taken_from_others():
    node = voter()
    node.take(gathered(PREVOTE, {0: vote(0), 1: vote(1)}), 1, Effects())
    assert set(node._finality.votes(PREVOTE)) == {1}


def test_a_confirmation_is_said_again_until_the_block_is_final_and_no_longer():
    """Confirmations are lost in their stage: said once more in the next, they are enough, in the same round."""
    room = Room()
    room.play(1, lambda stage, message: isinstance(message, Confirmation) and stage == VOTE + 2)
    said = [stage for _, stage, _, message in room.sent if isinstance(message, Confirmation)]
    assert said == [VOTE + 2] * 4 + [VOTE + 3] * 4
    assert room.heights == [0] * 4
    room.play(2)
    assert room.heights == [2] * 4
    assert [member.kind.learnt for member in room.members] == [[(b"1",), (b"2",)]] * 4


def test_who_still_confirms_a_block_that_is_final_gets_it():
    members = [Member(m) for m in range(4)]
    played(members, 1, b"one")
    effects = Effects()
    members[1].voter.enter(2)
    members[1].voter.take(Confirmation(1, 0, b"h" * 32, bytes(64)), 0, effects)
    ((to, data),) = effects.send
    assert to == 0
    assert len(VOTING.from_bytes(data, (len(KEYS),)).blocks) == 1
    with pytest.raises(Rejected):
        members[1].voter.take(Confirmation(1, 0, b"h" * 32, bytes(64)), 0, effects)  # once a round


def test_who_was_heard_of_late_and_is_not_heard_now_says_that_messages_get_lost():
    links = Links(3)
    for t in (5, 6):
        links.heard("report", t, [0, 1, 2])
        links.heard("vote", t, [0, 1, 2])
        assert not links.bad(t)
    for t in range(7, 7 + MEMORY):  # 2 falls silent
        links.heard("report", t, [0, 1])
        assert links.bad(t)
    for t in range(7 + MEMORY, 7 + 3 * MEMORY):  # and is not expected any more
        links.heard("report", t, [0, 1])
    assert not links.bad(7 + 3 * MEMORY - 1)
