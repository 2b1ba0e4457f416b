"""Votes for the next block: what makes a certificate, a decision, a final block; and why the signatures are apart."""

import pytest

from folkmoot.agreement.finality import Finality
from folkmoot.agreement.messages import PRECOMMIT, PREVOTE, Certificate, Confirmation, Vote, signed_here

B, C = b"B" * 32, b"C" * 32
BODIES = {B: b"block B", C: b"block C"}


def entered(round, quorum=3, best=None):
    finality = Finality(5, quorum, best)
    finality.enter(round)
    return finality


def cast(finality, phase, round, hash, senders):
    for sender in senders:
        finality.vote(signed_here(Vote(phase, 5, round, sender, hash, b"s" * 64)))


def prevoted(finality, round, hash, senders):
    cast(finality, PREVOTE, round, hash, senders)


def precommitted(finality, round, hash, senders):
    cast(finality, PRECOMMIT, round, hash, senders)


def confirmed(finality, sender, hash, signature):
    finality.confirm(signed_here(Confirmation(5, sender, hash, signature)))


def certificate(round, hash=B, height=5):
    return Certificate(height, round, hash, (0, 1, 2), (b"s" * 64,) * 3, BODIES[hash])


def test_a_quorum_of_prevotes_of_the_round_is_a_certificate():
    finality = entered(9)
    prevoted(finality, 9, B, [2, 0])
    assert finality.certified(BODIES) is None
    prevoted(finality, 9, B, [3])
    found = finality.certified(BODIES)
    assert found == Certificate(5, 9, B, (0, 2, 3), (b"s" * 64,) * 3, b"block B")


def test_a_certificate_needs_the_block_itself():
    finality = entered(9)
    prevoted(finality, 9, B, [0, 1, 2])
    assert finality.certified({C: b"block C"}) is None


def test_only_the_first_vote_of_a_sender_counts():
    finality = entered(9)
    prevoted(finality, 9, B, [0, 1])
    prevoted(finality, 9, C, [2])
    prevoted(finality, 9, B, [2, 2, 1])
    assert finality.certified(BODIES) is None
    assert finality.vote_of(PREVOTE, 2).hash == C
    assert finality.vote_of(PREVOTE, 3) is None


def test_votes_of_other_rounds_do_not_count():
    finality = entered(9)
    prevoted(finality, 8, B, [0, 1, 2])
    prevoted(finality, 10, B, [0, 1, 2])
    precommitted(finality, 8, B, [0, 1, 2])
    assert finality.certified(BODIES) is None
    assert finality.decided() is None


def test_votes_are_forgotten_with_their_round():
    finality = entered(9)
    prevoted(finality, 9, B, [0, 1])
    finality.enter(10)
    prevoted(finality, 10, B, [2])
    assert finality.certified(BODIES) is None


def test_precommits_of_several_rounds_are_never_added_up():
    """Were they, two blocks that are certified in turn, each seen by few, could both be decided."""
    finality = entered(9)
    precommitted(finality, 9, B, [0, 1])
    finality.enter(10)
    precommitted(finality, 10, B, [2])
    assert finality.decided() is None
    precommitted(finality, 10, B, [0, 1])
    assert finality.decided() == B


def test_confirmations_are_added_up_over_rounds():
    finality = entered(9)
    confirmed(finality, 0, B, b"0")
    confirmed(finality, 1, C, b"1")
    finality.enter(10)
    confirmed(finality, 2, B, b"2")
    confirmed(finality, 1, B, b"changed its mind")
    assert finality.confirmed() is None
    confirmed(finality, 3, B, b"3")
    assert finality.confirmed() == (B, {0: b"0", 2: b"2", 3: b"3"})


def test_the_highest_certificate_is_voted_for_instead_of_a_candidate():
    finality = entered(9)
    assert finality.choice(C) == C
    assert finality.choice(None) is None
    assert finality.learn(signed_here(certificate(6, B)))
    assert finality.choice(C) == B
    assert finality.learn(signed_here(certificate(7, C)))
    assert finality.choice(B) == C
    assert not finality.learn(signed_here(certificate(6, B)))
    assert finality.choice(B) == C


@pytest.mark.parametrize("wrong", [certificate(7, B, height=4), certificate(7, B, height=6), certificate(10, B)])
def test_certificates_of_another_height_or_a_coming_round_are_not_learnt(wrong):
    finality = entered(9)
    assert not finality.learn(signed_here(wrong))
    assert finality.best is None


def test_a_lock_from_before_a_crash_is_kept():
    assert entered(9, best=certificate(8, B)).choice(C) == B


def test_no_two_blocks_of_a_round_reach_a_quorum_of_seven():
    """Five of seven: with two that vote twice, five honest ones cannot make up two quorums."""
    for split in range(6):
        one, other = entered(1, quorum=5), entered(1, quorum=5)
        prevoted(one, 1, B, [*range(split), 5, 6])
        prevoted(other, 1, C, [*range(split, 5), 5, 6])
        assert one.certified(BODIES) is None or other.certified(BODIES) is None
