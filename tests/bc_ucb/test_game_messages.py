"""Messages of a round: one encoding each, strict decoding, and nothing counts before its signature is checked."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_round import SEEDS, K, M, identities, keys, report
from made_round import first_chain as chain
from nacl.signing import SigningKey

from folkmoot.agreement.messages import (
    PRECOMMIT,
    PREVOTE,
    PROPOSAL,
    Blocks,
    Certificate,
    Confirmation,
    Proposal,
    Verified,
    Vote,
    Want,
    proposal_words,
    vote_words,
)
from folkmoot.agreement.messages import verify as verify_vote
from folkmoot.agreement.signed_messages import Rejected
from folkmoot.bc_ucb.messages import (
    COMPARISON,
    GAME,
    Answer,
    Offer,
    ReportSent,
    SetsSent,
    comparison_words,
    verify_early,
)
from folkmoot.bc_ucb.records import Claim
from folkmoot.encoding import Malformed, decode, encode
from folkmoot.signatures import sign_header

to_bytes = GAME.to_bytes
QUORUM = 3
HASH = b"h" * 32
ORIGIN = chain().state.origin


def from_bytes(data, participants, arms):
    return GAME.from_bytes(data, (participants, arms))


def verify(message, keys, quorum, origin=ORIGIN):
    early = isinstance(message, ReportSent | Offer | Answer)
    return verify_early(message, keys, origin) if early else verify_vote(message, keys, quorum, origin)


def made_report():
    one = report(chain(), 9, 2, earlier=(Claim(7, 1, b"", b""),))
    return ReportSent(0, chain().tip, 9, *one.plain)


def made_offer():
    offer = Offer(HASH, 9, 1, b"", b"offer", b"")
    return offer._replace(signature=identities()[1].sign(COMPARISON, comparison_words(ORIGIN, offer)))


def made_answer():
    answer = Answer(HASH, 9, 1, 3, b"answer", b"")
    return answer._replace(signature=identities()[1].sign(COMPARISON, comparison_words(ORIGIN, answer)))


def made_proposal():
    signature = identities()[0].sign(PROPOSAL, proposal_words(ORIGIN, 1, 9, HASH))
    return Proposal(1, 9, 0, HASH, signature, b"a block")


def made_vote(phase=PREVOTE, sender=0):
    return Vote(phase, 1, 9, sender, HASH, identities()[sender].sign(phase, vote_words(ORIGIN, phase, 1, 9, HASH)))


def made_confirmation():
    return Confirmation(1, 3, HASH, sign_header(SigningKey(SEEDS[3]), HASH))


def made_certificate(voters=(0, 1, 3)):
    return Certificate(1, 9, HASH, voters, tuple(made_vote(sender=v).signature for v in voters), b"a block")


SIGNED_ONES = [
    made_report, made_offer, made_answer, made_proposal, made_vote, made_confirmation,
    lambda: made_vote(PRECOMMIT, 2),
]  # fmt: skip
OTHERS = [made_certificate, lambda: SetsSent(9, b"content"), lambda: Want(4), lambda: Blocks((b"one", b"two"))]


def same(one, other):
    return type(one) is type(other) and to_bytes(one) == to_bytes(other)


@pytest.mark.parametrize("make", [*SIGNED_ONES, *OTHERS])
def test_a_message_comes_back_from_its_bytes_and_is_verified(make):
    message = make()
    again = from_bytes(to_bytes(message), M, K)
    assert same(message, again)
    if not isinstance(message, SetsSent | Want | Blocks):
        assert same(verify(again, keys(), QUORUM).message, message)


@pytest.mark.parametrize("make", SIGNED_ONES)
def test_attack_of_a_signature_by_somebody_else(make):
    message = make()
    other = message._replace(sender=(message.sender + 1) % M)
    with pytest.raises(Rejected, match="signature"):
        verify(other, keys(), QUORUM)
    with pytest.raises(Rejected, match="signature"):
        verify(message._replace(signature=bytes(64)), keys(), QUORUM)


@pytest.mark.parametrize("make", [*SIGNED_ONES[:5], made_certificate])
def test_attack_of_words_of_another_run_with_the_same_keys(make):
    """Everything but a confirmation, whose header has the genesis before it, names the run."""
    message, another = make(), b"o" * 32
    early = isinstance(message, ReportSent | Offer | Answer)
    with pytest.raises(Rejected, match="signature"):
        verify_early(message, keys(), another) if early else verify_vote(message, keys(), QUORUM, another)


CHANGES = {
    "height": 2, "round": 10, "hash": b"i" * 32, "previous": b"i" * 32, "reward": 1, "validator": 2,
    "content": b"other", "drawn": bytes(80), "means": np.zeros(K, np.int64), "earlier": (),
}  # fmt: skip


@pytest.mark.parametrize("make", [made_report, made_offer, made_answer, made_proposal, made_vote, made_confirmation])
def test_attack_of_changing_what_is_signed(make):
    """Every field but those that only tell where to look: a report's height, a block whose hash is signed."""
    message, tried = make(), 0
    for name in message._fields:
        covered = not (isinstance(message, ReportSent | Confirmation) and name == "height")
        if name in CHANGES and covered:
            tried += 1
            with pytest.raises(Rejected, match="signature"):
                verify(message._replace(**{name: CHANGES[name]}), keys(), QUORUM)
    assert tried > 0


def test_attack_of_a_prevote_as_a_precommit():
    with pytest.raises(Rejected, match="signature"):
        verify(made_vote()._replace(phase=PRECOMMIT), keys(), QUORUM)


def test_attack_of_votes_of_another_run_with_the_same_keys():
    for message in (made_proposal(), made_vote(), made_certificate()):
        with pytest.raises(Rejected, match="signature"):
            verify(message, keys(), QUORUM, b"another run".ljust(32))


def test_attack_of_a_certificate_of_too_few_or_with_a_false_vote():
    assert verify(made_certificate(), keys(), QUORUM).checked == 3
    with pytest.raises(Rejected, match="quorum"):
        verify(made_certificate((0, 1)), keys(), QUORUM)
    good = made_certificate()
    with pytest.raises(Rejected, match="signature"):
        verify(good._replace(voters=(0, 1, 2)), keys(), QUORUM)
    with pytest.raises(Rejected, match="signature"):
        verify(good._replace(round=10), keys(), QUORUM)


def test_only_verify_makes_a_verified_message():
    with pytest.raises(TypeError):
        Verified(made_vote(), 1, object())


@pytest.mark.parametrize(
    ("make", "fields"),
    [
        (made_vote, {"height": -1}),
        (made_vote, {"round": 1 << 62}),
        (made_vote, {"round": 1.0}),
        (made_vote, {"sender": M}),
        (made_vote, {"sender": True}),
        (made_vote, {"hash": b"h" * 31}),
        (made_vote, {"signature": bytes(63)}),
        (made_vote, {"phase": "round proposal"}),
        (made_report, {"means": np.zeros(K + 1, np.int64)}),
        (made_report, {"means": np.zeros(K, np.float64)}),
        (made_report, {"means": (1, 2)}),
        (made_report, {"reward": 0.5}),
        (made_report, {"previous": b""}),
        (made_report, {"seal": bytes(32)}),
        (made_report, {"proof": bytes(64)}),
        (made_report, {"earlier": ((7, 1, b"", b""), (7, 2, b"", b""))}),
        (made_report, {"earlier": ((8, 1, b"", b""), (7, 2, b"", b""))}),
        (made_report, {"earlier": ((7, 1, b""),)}),
        (made_report, {"earlier": tuple((n, 1, b"", b"") for n in range(63))}),
        (made_offer, {"drawn": bytes(79)}),
        (made_offer, {"content": bytes((1 << 22) + 1)}),
        (made_answer, {"validator": M}),
        (made_certificate, {"voters": (0, 0, 1)}),
        (made_certificate, {"voters": (1, 0, 2)}),
        (made_certificate, {"voters": (0, 1)}),
        (made_certificate, {"signatures": (bytes(64), bytes(64), 0)}),
        (lambda: Blocks(()), {"blocks": (b"",) * 9}),
        (lambda: Blocks(()), {"blocks": ("text",)}),
    ],
)
def test_attack_of_fields_out_of_range(make, fields):
    message = make()._replace(**fields)
    data = encode((decode(to_bytes(make()))[0], *message))
    with pytest.raises(Malformed):
        from_bytes(data, M, K)


@pytest.mark.parametrize("value", [(), (10, 1), (-1, 1), ("0", 1), (True, 1), 7, (8, 1, 1), (8,)])
def test_attack_of_messages_of_no_kind(value):
    with pytest.raises(Malformed):
        from_bytes(encode(value), M, K)


# Fields no signature covers: a height that only says whom to ask for blocks, a block whose hash is signed.
FREE = {ReportSent: {"height"}, Proposal: {"block"}, Confirmation: {"height"}, Certificate: {"block"}}


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.sampled_from([*SIGNED_ONES, *OTHERS]), st.integers(0, 400), st.integers(1, 255), st.integers(0, 30))
def test_attack_of_changed_bytes_is_malformed_or_rejected_or_the_same_words(make, place, flip, cut):
    """A change of the bytes of a signed message never gives a verified message with other words in it."""
    message = make()
    data = bytearray(to_bytes(message))
    data[place % len(data)] ^= flip
    for attempt in (bytes(data), bytes(data[: len(data) - cut])):
        try:
            told = from_bytes(attempt, M, K)
            got = told if isinstance(told, SetsSent | Want | Blocks) else verify(told, keys(), QUORUM).message
        except (Malformed, Rejected):
            continue
        free = FREE.get(type(got), ())
        if type(got) is type(message) and not isinstance(got, SetsSent | Want | Blocks):
            kept = {name: field for name, field in message._asdict().items() if name in free}
            assert same(got._replace(**{**got._asdict(), **kept}), message)


@pytest.mark.parametrize("data", [b"", b"\x07", bytes(100), "text", None, b"\xff" * 3000])
def test_attack_of_bytes_that_are_no_message(data):
    with pytest.raises(Malformed):
        from_bytes(data, M, K)
