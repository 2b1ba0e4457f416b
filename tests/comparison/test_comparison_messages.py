"""Messages of the private comparison in hostile hands: refused with the right reason, recorded, and nothing learned."""

import contextlib
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("rbcl", reason="the extra 'private' is not installed")

from folkmoot.comparison import bit_comparison, ristretto
from folkmoot.comparison import messages as messages
from folkmoot.comparison.messages import Reason, RefusedComparison
from folkmoot.comparison.pairwise import PairwiseParticipant, PairwiseValidator, pairwise_cost
from folkmoot.comparison.ristretto import IDENTITY, ORDER
from folkmoot.comparison.session import session
from folkmoot.encoding import decode, encode

KAPPA = Fraction(3, 2)
ABOUT = session(b"round 7", b"validator h", 2, 3)
COUNTS, OWN = [6, 3], [7, 5]  # 9 > 7 but 4.5 < 5
NO_ELEMENT = b"\x01" + bytes(31)  # odd encodings are "negative", hence not canonical (RFC 9496, section 4.3.1)


def stream(seed):
    return np.random.default_rng(seed).bytes


def offering(about=ABOUT, seed=1):
    return PairwiseValidator(about, OWN[: about.n_arms], KAPPA, stream(seed))


def answering(about=ABOUT, seed=2):
    return PairwiseParticipant(about, b"participant m", COUNTS[: about.n_arms], stream(seed))


OFFER = offering().offer
ANSWER = answering().answer(OFFER)


def rewritten(data, place, value):
    """The message with another value at a place of its tuple, such as (6, 0) for arm 0 of an offer."""

    def put(item, where):
        if not where:
            return value(item) if callable(value) else value
        return tuple(put(part, where[1:]) if i == where[0] else part for i, part in enumerate(item))

    return encode(put(decode(data), place))


def resealed(data, place, value):
    """A rewritten answer with a checksum that fits again."""
    said = decode(rewritten(data, place, value))[:5]
    return encode((*said, messages._checksum(said)))


def piece(at, new):
    """Replaces bytes within one arm."""
    return lambda arm: arm[:at] + new + arm[at + len(new) :]


def exchanged(one, other, size):
    """Exchanges two ciphertexts, with what belongs to them, within one arm."""

    def change(arm):
        parts = [arm[i : i + size] for i in range(0, len(arm), size)]
        parts[one], parts[other] = parts[other], parts[one]
        return b"".join(parts)

    return change


SWAPPED_ARMS = rewritten(OFFER, (6,), lambda arms: arms[::-1])
BAD_OFFERS = {
    "empty": (b"", Reason.LENGTH),
    "no bytes": (None, Reason.LENGTH),
    "cut": (OFFER[:-1], Reason.LENGTH),
    "longer": (OFFER + b"\0", Reason.LENGTH),
    "fewer arms": (offering(session(b"round 7", b"validator h", 1, 3)).offer, Reason.LENGTH),
    "fewer bits": (offering(ABOUT._replace(count_bits=4)).offer, Reason.LENGTH),
    "zeros": (bytes(len(OFFER)), Reason.ENCODING),
    "an answer's kind": (rewritten(OFFER, (0,), "folkmoot comparison OFFER 1"), Reason.FORM),
    "another shape": (encode((bytes(len(OFFER) - 10),)), Reason.FORM),
    "uneven arms": (rewritten(OFFER, (6,), lambda a: (a[0] + a[1][:32], a[1][32:])), Reason.FORM),
    "another session": (offering(ABOUT._replace(name=b"round 8")).offer, Reason.SESSION),
    "another validator": (offering(ABOUT._replace(validator=b"validator g")).offer, Reason.SESSION),
    "another session's proofs": (rewritten(offering(ABOUT._replace(name=b"round 8")).offer, (1,), b"round 7"), "PROOF"),
    "another validator's proofs": (
        rewritten(offering(ABOUT._replace(validator=b"validator g")).offer, (2,), b"validator h"),
        "PROOF",
    ),
    "another key": (rewritten(OFFER, (5,), decode(offering(seed=9).offer)[5]), Reason.PROOF),
    "arms exchanged": (SWAPPED_ARMS, Reason.PROOF),
    "bits exchanged": (rewritten(OFFER, (6, 1), exchanged(0, 2, messages._BIT_SIZE)), Reason.PROOF),
    "key no element": (rewritten(OFFER, (5,), NO_ELEMENT), Reason.ELEMENT),
    "key identity": (rewritten(OFFER, (5,), IDENTITY), Reason.ELEMENT),
    "mask no element": (rewritten(OFFER, (6, 1), piece(0, NO_ELEMENT)), Reason.ELEMENT),
    "mask identity": (rewritten(OFFER, (6, 1), piece(0, IDENTITY)), Reason.ELEMENT),
    "body identity": (rewritten(OFFER, (6, 0), piece(32, IDENTITY)), Reason.ELEMENT),
    "body not canonical": (rewritten(OFFER, (6, 0), piece(32, b"\xff" * 32)), Reason.ELEMENT),
    "scalar too large": (rewritten(OFFER, (6, 0), piece(64, ORDER.to_bytes(32, "little"))), Reason.SCALAR),
    "scalar another": (rewritten(OFFER, (6, 0), piece(64, bytes(32))), Reason.PROOF),
}


@pytest.mark.parametrize("name", BAD_OFFERS)
def test_a_bad_offer_gets_no_answer(name):
    data, reason = BAD_OFFERS[name]
    reason = Reason[reason] if reason == "PROOF" else reason
    participant = answering()
    with pytest.raises(RefusedComparison) as refused:
        participant.answer(data)
    assert refused.value.reason is reason
    assert participant.refusal is reason
    assert participant.answer(OFFER) == ANSWER  # its randomness was not touched, and a good offer may still come


def all_zero(arm):
    """Every term an encryption of zero under the validator's key: nonce G, nonce H."""
    public = decode(OFFER)[5]
    parts = [(ristretto.base(k), ristretto.multiply(k, public)) for k in range(2, 2 + len(arm) // 64)]
    return b"".join(b"".join(part) for part in parts)


BAD_ANSWERS = {
    "empty": (b"", Reason.LENGTH),
    "cut": (ANSWER[:-1], Reason.LENGTH),
    "longer": (ANSWER + b"\0", Reason.LENGTH),
    "an offer": (OFFER, Reason.LENGTH),
    "zeros": (bytes(len(ANSWER)), Reason.ENCODING),
    "another kind": (resealed(ANSWER, (0,), "folkmoot comparison ANSWER 1"), Reason.FORM),
    "uneven arms": (resealed(ANSWER, (4,), lambda a: (a[0] + a[1][:64], a[1][64:])), Reason.FORM),
    "changed": (rewritten(ANSWER, (4, 0), piece(0, ristretto.base(3))), Reason.CHECKSUM),
    "another session": (resealed(ANSWER, (1,), b"round 8"), Reason.SESSION),
    "another participant": (resealed(ANSWER, (2,), b"participant n"), Reason.PARTICIPANT),
    "another offer": (answering().answer(offering(seed=5).offer), Reason.OFFER),
    "no element": (resealed(ANSWER, (4, 0), piece(64, NO_ELEMENT)), Reason.ELEMENT),
    "identity": (resealed(ANSWER, (4, 1), piece(0, IDENTITY)), Reason.ELEMENT),
    "zero in every place": (resealed(ANSWER, (4, 1), all_zero), Reason.ZEROS),
}


@pytest.mark.parametrize("name", BAD_ANSWERS)
def test_a_bad_answer_gives_no_bits(name):
    data, reason = BAD_ANSWERS[name]
    validator = offering()
    with pytest.raises(RefusedComparison) as refused:
        validator.receive(b"participant m", data)
    assert refused.value.reason is reason
    assert validator.refusals == {b"participant m": reason}
    assert validator.bits == {}
    assert validator.receive(b"participant m", ANSWER) == (True, False)


def test_one_offer_and_one_answer_a_session():
    validator, participant = offering(), answering()
    first = participant.answer(validator.offer)
    assert participant.answer(validator.offer) == first
    with pytest.raises(RefusedComparison, match="second, different"):
        participant.answer(offering(seed=5).offer)
    assert participant.refusal is Reason.SECOND

    assert validator.receive(b"participant m", first) == (True, False)
    assert validator.receive(b"participant m", first) == (True, False)
    other = PairwiseParticipant(ABOUT, b"participant m", [0, 7], stream(6)).answer(validator.offer)
    with pytest.raises(RefusedComparison, match="second, different"):
        validator.receive(b"participant m", other)
    assert validator.bits == {b"participant m": (True, False)}
    assert validator.refusals == {b"participant m": Reason.SECOND}


def flips(data):
    """Every byte with one bit flipped, another bit from byte to byte."""
    for at in range(len(data)):
        yield data[:at] + bytes([data[at] ^ (1 << at % 8)]) + data[at + 1 :]


def test_a_flipped_bit_in_an_offer_is_refused():
    participant = answering()
    for flipped in flips(OFFER):
        with pytest.raises(RefusedComparison):
            participant.answer(flipped)
    assert participant.answer(OFFER) == ANSWER


def test_a_flipped_bit_in_an_answer_is_refused():
    validator = offering()
    for flipped in flips(ANSWER):
        with pytest.raises(RefusedComparison):
            validator.receive(b"participant m", flipped)
    assert validator.bits == {}


def test_whoever_changes_an_answer_on_purpose_changes_the_bit():
    """Why callers sign: without a signature the checksum is no obstacle."""
    forged = resealed(ANSWER, (4, 0), lambda arm: ristretto.base(3) * (len(arm) // 32))
    assert offering().receive(b"participant m", ANSWER) == (True, False)
    assert offering().receive(b"participant m", forged) == (False, False)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.binary(max_size=64), st.integers(0, len(ANSWER)), st.sampled_from([OFFER, ANSWER]))
def test_no_bytes_raise_anything_else(inserted, at, message):
    data = message[:at] + inserted + message[at + len(inserted) :]
    for decoder in (messages.decode_offer, lambda about, d: messages.decode_answer(about, b"m", OFFER, d)):
        with contextlib.suppress(RefusedComparison):
            decoder(ABOUT, data)
            assert message == OFFER  # only its elements and scalars may differ and still be well-formed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((b"", b"h", 1, 8), "session name = b''"),
        (("round", b"h", 1, 8), "session name = 'round': expected 1 to 64 bytes"),
        ((b"round", b"h" * 65, 1, 8), "validator = "),
        ((b"round", b"h", 0, 8), "n_arms = 0: expected an integer from 1 to 1024"),
        ((b"round", b"h", 1025, 8), "n_arms = 1025"),
        ((b"round", b"h", True, 8), "n_arms = True"),
        ((b"round", b"h", 1, 0), "count_bits = 0"),
    ],
)
def test_a_session_is_checked(arguments, message):
    with pytest.raises(ValueError, match=message):
        session(*arguments)


def test_the_key_is_new_in_every_session():
    shared = stream(7)
    first, second = (PairwiseValidator(ABOUT, OWN, KAPPA, shared).offer for _ in range(2))
    assert decode(first)[5] != decode(second)[5]


def test_all_randomness_is_handed_in():
    """The same bytes in, the same messages out; and what they are used for is all of it."""
    assert offering().offer == OFFER
    assert answering().answer(OFFER) == ANSWER
    assert answering(seed=3).answer(OFFER) != ANSWER


def test_the_largest_offer_is_within_the_limits_of_the_encoding():
    about = session(b"n" * 64, b"v" * 64, 1024, 64)
    arms = (bytes(64 * messages._BIT_SIZE),) * 1024
    assert len(encode((messages.OFFER, *about, bytes(32), arms))) < 16 * 2**20


def test_cost_is_the_clock_and_the_length_of_the_messages():
    ticks = iter([0.0, 1.0, 3.0, 7.0])
    cost = pairwise_cost(3, 2, stream(8), lambda: next(ticks))
    assert (cost.offer_ms, cost.answer_ms, cost.reading_ms) == (1000.0, 2000.0, 4000.0)
    assert cost.offer_bytes == len(OFFER) - len(b"round 7validator h") + len(b"costvalidator")
    assert cost.answer_bytes == len(ANSWER) - len(b"round 7participant m") + len(b"costparticipant")


def test_the_same_work_whatever_the_count(monkeypatch):
    """The sequence of group operations tells nothing of the count (the time of Python's own steps might)."""
    public, calls = decode(OFFER)[5], []
    encrypted = [ciphertext for ciphertext, _ in messages.decode_offer(ABOUT, OFFER).arms[0]]

    def noted(name, original):
        return lambda *arguments: calls.append(name) or original(*arguments)

    for name in ("add", "subtract", "multiply", "base"):
        monkeypatch.setattr(ristretto, name, noted(name, getattr(ristretto, name)))
    seen = set()
    for count in range(8):
        calls.clear()
        bit_comparison.blinded_terms(encrypted, count, public, stream(count))
        seen.add(tuple(calls))
    assert len(seen) == 1
    assert len(calls) > 0
