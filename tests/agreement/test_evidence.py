"""Evidence: what convicts the culprit, and that nothing an honest member signs can be made into evidence against it."""

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from folkmoot.agreement.evidence import (
    MOST_BYTES,
    OF_VOTES,
    TWO_CONFIRMATIONS,
    TWO_OF,
    culprit,
    evidence,
    kinds_of,
    two_confirmations,
    two_votes,
)
from folkmoot.agreement.hand import Hand
from folkmoot.agreement.identity import Identity, WouldEquivocate
from folkmoot.agreement.messages import PHASES, PREVOTE, PROPOSAL, Proposal, Vote, proposal_words, vote_words
from folkmoot.encoding import decode, encode
from folkmoot.ledger.block import Header

SEEDS = [bytes([n]) * 32 for n in range(1, 5)]
KEYS = [Identity(seed).public_key for seed in SEEDS]
KINDS = kinds_of("notes")
ORIGIN, OTHER = b"o" * 32, b"another run with the same keys".ljust(32)
LIAR = 2


class Ground:
    def __init__(self, origin=ORIGIN):
        self.origin, self.keys = origin, KEYS


def header(height=1, previous=b"p" * 32, nonce=0, kind="notes"):
    return Header(1, kind, height, previous, b"r" * 32, 0, nonce)


def vote(phase, round, hash, sender=LIAR, origin=ORIGIN, hand=None):
    """Signed by a hand that remembers nothing, or by this one."""
    words = vote_words(origin, phase, 1, round, hash)
    return Vote(phase, 1, round, sender, hash, (hand or Hand(SEEDS[sender])).sign(phase, round, words))


def proposal(round, hash, sender=LIAR, origin=ORIGIN, hand=None):
    words = proposal_words(origin, 1, round, hash)
    signature = (hand or Hand(SEEDS[sender])).sign(PROPOSAL, round, words)
    return Proposal(1, round, sender, hash, signature, b"a block")


def confirmed(told, sender=LIAR, hand=None):
    return told, (hand or Hand(SEEDS[sender])).confirm(told.height, told.hash)


@cache
def convictions():
    """Evidence of every kind against the liar."""
    return (
        two_votes(proposal(7, b"a" * 32), proposal(7, b"b" * 32)),
        *(two_votes(vote(phase, 7, b"a" * 32), vote(phase, 7, b"b" * 32)) for phase in PHASES),
        two_confirmations(LIAR, confirmed(header()), confirmed(header(nonce=1))),
    )


@pytest.mark.parametrize("number", range(4))
def test_two_words_for_one_slot_convict_their_signer(number):
    data = convictions()[number]
    assert culprit(KINDS, data, Ground()) == LIAR
    assert len(data) <= MOST_BYTES
    assert decode(data)[0] == 1 + number


def test_there_is_one_evidence_for_both_orders():
    one, other = vote(PREVOTE, 7, b"a" * 32), vote(PREVOTE, 7, b"b" * 32)
    assert two_votes(one, other) == two_votes(other, one)
    shown = decode(two_votes(one, other))
    assert culprit(KINDS, encode((*shown[:3], *shown[6:], *shown[3:6])), Ground()) is None
    headers = confirmed(header()), confirmed(header(nonce=1))
    assert two_confirmations(LIAR, *headers) == two_confirmations(LIAR, *headers[::-1])


def test_what_an_honest_member_may_sign_is_no_evidence():
    first = vote(PREVOTE, 7, b"a" * 32)
    payload = OF_VOTES[TWO_OF[PREVOTE]].payload
    said = [((1, message.hash), message.signature) for message in (first, vote(PREVOTE, 8, b"b" * 32))]
    for round in (7, 8):
        assert culprit(KINDS, evidence(TWO_OF[PREVOTE], payload(LIAR, round, *said)), Ground()) is None
    assert culprit(KINDS, two_votes(first, first), Ground()) is None
    following = confirmed(header()), confirmed(header(2, header().hash))
    assert culprit(KINDS, two_confirmations(LIAR, *following), Ground()) is None


def test_attack_of_framing_by_votes_of_another_run_with_the_same_keys():
    """Run one prevotes for a, run two for b: each is honest, and both together are no evidence in either."""
    one, other = vote(PREVOTE, 7, b"a" * 32), vote(PREVOTE, 7, b"b" * 32, origin=OTHER)
    for origin in (ORIGIN, OTHER):
        assert culprit(KINDS, two_votes(one, other), Ground(origin)) is None
    for data in convictions()[:3]:
        assert culprit(KINDS, data, Ground(OTHER)) is None


def test_headers_of_another_kind_of_chain_convict_nobody():
    told = two_confirmations(LIAR, *(confirmed(header(nonce=n, kind="others")) for n in (0, 1)))
    assert culprit(KINDS, told, Ground()) is None
    assert culprit(kinds_of("others"), told, Ground()) == LIAR


@pytest.mark.parametrize(
    "data",
    [b"", b"\x07", bytes(100), encode(()), encode((1,)), encode((99, 0)), encode((True, 2)), encode(7), "text", None,
     encode((TWO_CONFIRMATIONS, 2, *header().fields(), b"", *header().fields(), b""))],
)  # fmt: skip
def test_attack_of_bytes_that_are_no_evidence(data):
    assert culprit(KINDS, data, Ground()) is None


def test_attack_of_evidence_that_is_too_large():
    shown = decode(convictions()[1])
    padded = encode((*shown[:4], shown[4] + bytes(MOST_BYTES), *shown[5:]))
    assert culprit(KINDS, padded, Ground()) is None
    with pytest.raises(ValueError, match="at most"):
        evidence(2, (0, bytes(MOST_BYTES)))


def test_attack_of_numbers_that_nobody_has():
    for data in convictions():
        shown = decode(data)
        for number in (-1, -2, 4, 255, 1 << 62, True, 2.0, b"2"):
            assert culprit(KINDS, encode((shown[0], number, *shown[2:])), Ground()) is None


# --- An honest member is never convicted -----------------------------------------------------------------------------


@cache
def honest_words():
    """All that one honest member signs in two games with the same keys, with restarts at every other word.

    It is asked for two words in each slot, as somebody who has lost his memory would be, and signs the first.
    """
    votes, headers, stored = [], [], {ORIGIN: {}, OTHER: {}}

    def keep(origin):
        return lambda item: stored[origin].update({item.key: item.value()})

    for origin in (ORIGIN, OTHER):
        previous = origin
        for round in range(1, 6):
            for hash in (b"a" * 32, b"b" * 32):
                hand = Hand(SEEDS[LIAR], (), stored[origin], keep(origin))  # born again
                for make in (
                    lambda h=hash, r=round, o=origin, by=hand: proposal(r, h, origin=o, hand=by),
                    *(lambda p=p, h=hash, r=round, o=origin, by=hand: vote(p, r, h, LIAR, o, by) for p in PHASES),
                ):
                    try:
                        votes.append(make())
                    except WouldEquivocate:
                        assert hash == b"b" * 32
            told = header(round, previous)
            for asked in (told, header(round, previous, 1)):
                hand = Hand(SEEDS[LIAR], (), stored[origin], keep(origin))
                try:
                    headers.append(confirmed(asked, hand=hand))
                except WouldEquivocate:
                    assert asked != told
            previous = told.hash
    assert (len(votes), len(headers)) == (2 * 5 * 3, 2 * 5)
    return votes, headers


def convicts_nobody(data):
    for origin in (ORIGIN, OTHER, bytes(32)):
        assert culprit(KINDS, data, Ground(origin)) is None


def test_every_pair_of_an_honest_members_words_convicts_nobody():
    votes, headers = honest_words()
    for one in votes:
        for other in votes:
            number = TWO_OF[one.phase if isinstance(one, Vote) else PROPOSAL]
            said = [((message.height, message.hash), message.signature) for message in (one, other)]
            for round in {one.round, other.round}:
                convicts_nobody(evidence(number, OF_VOTES[number].payload(LIAR, round, *said)))
    for one in headers:
        for other in headers:
            convicts_nobody(two_confirmations(LIAR, one, other))


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_attack_of_honest_words_mutated_and_recombined(draw):
    """Fields of an honest member's words in any arrangement; for other members, mixed with a liar's convictions."""
    votes, headers = honest_words()
    pool = {int: {0, 1, 2, 3, 7}, str: {"notes"}, bytes: {b"", bytes(64), bytes(8), b"a" * 32, b"b" * 32}}
    for message in votes:
        pool[bytes] |= {message.signature, message.hash}
        pool[int] |= {message.round, message.height}
    for told, signature in headers:
        for field in (*told.fields(), told.hash, signature):
            pool[type(field)].add(field)
    theirs = sorted({decode(data) for data in convictions()})
    shape = draw.draw(st.sampled_from(theirs))
    fields = [draw.draw(st.sampled_from(sorted(pool[type(item)]))) for item in shape[2:]]
    member = draw.draw(st.integers(0, 3))
    kept = set() if member == LIAR else draw.draw(st.sets(st.integers(0, len(fields) - 1)))
    fields = [item if at in kept else found for at, (item, found) in enumerate(zip(shape[2:], fields, strict=True))]
    convicts_nobody(encode((shape[0], member, *fields)))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_attack_of_any_change_to_evidence(draw):
    """Whatever is changed, it convicts the liar or nobody."""
    data = draw.draw(st.sampled_from(convictions()))
    place, byte = draw.draw(st.integers(0, len(data) - 1)), draw.draw(st.integers(0, 255))
    cut = draw.draw(st.integers(0, 3))
    changed = data[:place] + bytes([byte]) + data[place + 1 : len(data) - cut]
    assert culprit(KINDS, changed, Ground()) in ((LIAR, None) if changed == data else (None,))
