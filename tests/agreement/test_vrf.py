"""The verifiable random function: the RFC's examples, a textbook twin, and forgeries."""

import numpy as np
import pytest
import textbook_curve as textbook
from hypothesis import given, settings
from hypothesis import strategies as st
from rfc9381 import EXAMPLES

from folkmoot.agreement import vrf

RNG = np.random.default_rng(17)
SEEDS = st.binary(min_size=32, max_size=32)
ALPHA = b"round 7"
SECRET = bytes(range(32))
KEY, PROOF = vrf.public_key(SECRET), vrf.prove(SECRET, ALPHA)

# The eight points of order 1, 2, 4 and 8, in every encoding a lenient decoder would take.
SMALL = [textbook.times(k, textbook.TORSION) for k in range(8)]
LENIENT = [(y | sign << 255).to_bytes(32, "little") for sign in (0, 1) for y in (0, 1, textbook.P - 1)]
LENIENT += [(textbook.P + y | sign << 255).to_bytes(32, "little") for sign in (0, 1) for y in range(2)]
SMALL_ENCODINGS = sorted({*map(textbook.to_bytes, SMALL), *LENIENT})


@pytest.fixture(params=EXAMPLES, ids=lambda number: f"example {number}")
def example(request):
    return EXAMPLES[request.param]


def flipped(data: bytes, bit: int) -> bytes:
    number = int.from_bytes(data, "little") ^ 1 << bit
    return number.to_bytes(len(data), "little")


# --- The RFC's examples, by the library and by the twin ---------------------------------------------------


def test_examples_of_the_rfc(example):
    assert vrf.public_key(example.secret_key) == example.public_key
    assert vrf.prove(example.secret_key, example.alpha) == example.proof
    assert vrf.verify(example.public_key, example.alpha, example.proof) == example.output
    assert vrf.output(example.proof) == example.output


def test_the_twin_agrees_with_every_step_of_the_rfc(example):
    point, gamma, u, v, c, s = textbook.steps(example.secret_key, example.alpha)
    assert [textbook.to_bytes(p) for p in (point, u, v)] == [example.point, example.u, example.v]
    assert textbook.proof_of(gamma, c, s) == example.proof
    assert textbook.public_key(example.secret_key) == example.public_key
    assert textbook.verify(example.public_key, example.alpha, example.proof) == example.output


@settings(max_examples=15, deadline=None)
@given(secret=SEEDS, alpha=st.binary(max_size=200))
def test_same_as_the_twin(secret, alpha):
    proof = vrf.prove(secret, alpha)
    key = vrf.public_key(secret)
    assert key == textbook.public_key(secret)
    assert proof == textbook.prove(secret, alpha)
    assert vrf.verify(key, alpha, proof) == vrf.output(proof) == textbook.verify(key, alpha, proof)


def test_a_point_is_tried_again_when_the_hash_is_none():
    """About half of all hashes name no point. That none or all of 60 do has a chance of 2**-59."""
    later = 0
    for number in range(60):
        alpha = number.to_bytes(2, "big")
        first = textbook.sha512(b"\x03\x01" + KEY + alpha + b"\x00\x00").digest()[:32]
        later += textbook.from_bytes(first) is None
        assert vrf._encode_to_curve(KEY, alpha) == textbook.to_bytes(textbook.on_the_curve(KEY, alpha))
    assert 0 < later < 60


# --- What does not prove anything --------------------------------------------------------------------------


@settings(max_examples=200, deadline=None)
@given(secret=SEEDS, alpha=st.binary(max_size=40), bit=st.integers(0, 8 * vrf.PROOF_BYTES - 1))
def test_any_flipped_bit_of_a_proof_is_rejected(secret, alpha, bit):
    proof = flipped(vrf.prove(secret, alpha), bit)
    with pytest.raises(vrf.InvalidProof):
        vrf.verify(vrf.public_key(secret), alpha, proof)


def test_every_bit_of_one_proof():
    for bit in range(8 * vrf.PROOF_BYTES):
        with pytest.raises(vrf.InvalidProof):
            vrf.verify(KEY, ALPHA, flipped(PROOF, bit))


@pytest.mark.parametrize("bit", range(0, 256, 5))
def test_a_flipped_bit_of_the_key_is_rejected(bit):
    with pytest.raises(vrf.InvalidProof):
        vrf.verify(flipped(KEY, bit), ALPHA, PROOF)


def test_another_input_or_key_is_rejected():
    with pytest.raises(vrf.InvalidProof, match="not a proof for this input and key"):
        vrf.verify(KEY, ALPHA + b"\x00", PROOF)
    with pytest.raises(vrf.InvalidProof, match="not a proof for this input and key"):
        vrf.verify(vrf.public_key(bytes(32)), ALPHA, PROOF)


NONSENSE = [b"", PROOF[:-1], PROOF + b"\x00", bytes(80), b"\xff" * 80, PROOF.hex(), bytearray(PROOF), None, 7, [PROOF]]


@pytest.mark.parametrize("proof", NONSENSE, ids=lambda proof: f"{type(proof).__name__} {str(proof)[:12]}")
def test_wrong_length_or_type_of_a_proof(proof):
    for read in (vrf.output, lambda proof: vrf.verify(KEY, ALPHA, proof)):
        with pytest.raises(vrf.InvalidProof) as caught:
            read(proof)
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < 200


@pytest.mark.parametrize("key", [b"", KEY[:-1], KEY + b"\x00", KEY.hex(), bytearray(KEY), None, 7, b"\xff" * 32])
def test_wrong_length_or_type_of_a_key(key):
    assert not vrf.valid_key(key)
    with pytest.raises(vrf.InvalidProof):
        vrf.verify(key, ALPHA, PROOF)


@pytest.mark.parametrize("secret", [b"", bytes(31), bytes(64), "x" * 32, None])
def test_wrong_secret_key(secret):
    with pytest.raises(ValueError, match=r"secret_key of type .*: expected 32 bytes"):
        vrf.prove(secret, ALPHA)


def test_alpha_is_ours():
    for call in (lambda: vrf.prove(SECRET, "text"), lambda: vrf.verify(KEY, None, PROOF)):
        with pytest.raises(ValueError, match=r"alpha of type .*: expected bytes") as caught:
            call()
        assert not isinstance(caught.value, vrf.InvalidProof)


def test_random_proofs_are_rejected():
    for _ in range(300):
        with pytest.raises(vrf.InvalidProof):
            vrf.verify(KEY, ALPHA, RNG.bytes(80))


# --- Subgroups: where we are stricter than the RFC ---------------------------------------------------------


def test_the_small_points_are_what_they_should_be():
    assert len(set(SMALL)) == 8
    assert textbook.times(8, textbook.TORSION) == textbook.NOBODY


@pytest.mark.parametrize("small", SMALL_ENCODINGS, ids=bytes.hex)
def test_points_of_small_order_are_rejected(small):
    """With such a key, one proof would verify for every input."""
    assert not vrf.valid_key(small)
    for key, proof in ((small, PROOF), (KEY, small + PROOF[32:])):
        with pytest.raises(vrf.InvalidProof):
            vrf.verify(key, ALPHA, proof)
    with pytest.raises(vrf.InvalidProof):
        vrf.output(small + PROOF[32:])


def forged_with_torsion(torsion):
    """A proof whose Gamma is off by a small point; the RFC's rule accepts it when 8 divides the challenge."""
    scalar, _ = textbook.expanded(SECRET)
    key = textbook.from_bytes(KEY)
    point = textbook.on_the_curve(KEY, ALPHA)
    gamma = textbook.add(textbook.times(scalar, point), torsion)
    for nonce in range(1, 400):
        u, v = textbook.times(nonce, textbook.BASE), textbook.times(nonce, point)
        c = textbook.challenge(key, point, gamma, u, v)
        if c % 8 == 0:
            return textbook.proof_of(gamma, c, (nonce + c * scalar) % textbook.Q)
    raise AssertionError("no challenge divisible by 8 among 399: one chance in 2**76")


def test_a_proof_off_by_a_small_point_is_rejected_though_the_rfc_accepts_it():
    proof = forged_with_torsion(textbook.TORSION)
    assert proof != PROOF
    assert textbook.verify(KEY, ALPHA, proof) == vrf.output(PROOF)  # the same output: nothing is won by it
    with pytest.raises(vrf.InvalidProof):
        vrf.verify(KEY, ALPHA, proof)
    with pytest.raises(vrf.InvalidProof):
        vrf.output(proof)


def test_the_same_forgery_without_the_small_point_is_a_proof():
    """Guards the test above: the forger proves correctly, only his Gamma is off."""
    assert vrf.verify(KEY, ALPHA, forged_with_torsion(textbook.NOBODY)) == vrf.output(PROOF)


def test_a_key_off_by_a_small_point_is_rejected():
    mixed = textbook.to_bytes(textbook.add(textbook.from_bytes(KEY), textbook.TORSION))
    assert not vrf.valid_key(mixed)
    with pytest.raises(vrf.InvalidProof, match="prime-order subgroup"):
        vrf.verify(mixed, ALPHA, PROOF)


def test_a_scalar_not_below_the_order_is_rejected():
    s = int.from_bytes(PROOF[48:], "little") + textbook.Q
    with pytest.raises(vrf.InvalidProof, match="not below the group's order"):
        vrf.verify(KEY, ALPHA, PROOF[:48] + s.to_bytes(32, "little"))


@pytest.mark.parametrize("zeros", [slice(32, 48), slice(48, 80), slice(32, 80)], ids=["c", "s", "both"])
def test_zero_scalars_are_rejected(zeros):
    proof = bytearray(PROOF)
    proof[zeros] = bytes(zeros.stop - zeros.start)
    with pytest.raises(vrf.InvalidProof):
        vrf.verify(KEY, ALPHA, bytes(proof))
