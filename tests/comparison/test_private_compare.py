import itertools
from collections import Counter
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

pytest.importorskip("rbcl", reason="the extra 'private' is not installed")
pytest.importorskip("mpyc", reason="the extra 'private' is not installed")

from folkmoot.comparison import bit_proof, elgamal, ristretto
from folkmoot.comparison import messages as messages
from folkmoot.comparison.bit_comparison import blinded_terms, comparison_terms, permutation
from folkmoot.comparison.compare import BACKENDS, compare
from folkmoot.comparison.elgamal import Ciphertext
from folkmoot.comparison.messages import OfferContent, Reason, RefusedComparison
from folkmoot.comparison.pairwise import PairwiseParticipant, PairwiseValidator
from folkmoot.comparison.ristretto import GENERATOR, IDENTITY, ORDER
from folkmoot.comparison.session import session, threshold

KAPPA = Fraction(3, 2)
HALF = (ORDER + 1) // 2
ABOUT = session(b"round 7", b"validator h", 2, 4)
COUNTS, OWN = [9, 3], [10, 5]  # 13.5 > 10 but 4.5 < 5


def stream(seed):
    """Random bytes that are the same in every run."""
    return np.random.default_rng(seed).bytes


def encrypt(public, number, nonce):
    """Any number, where the library encrypts bits only."""
    body = ristretto.add(ristretto.multiply(nonce, public), ristretto.base(number))
    return Ciphertext(ristretto.base(nonce), body)


def encrypt_all(public, numbers, random_bytes):
    nonces = [ristretto.random_scalar(random_bytes) for _ in numbers]
    return [encrypt(public, number, nonce) for number, nonce in zip(numbers, nonces)], nonces


def bits_of(number, width):
    return [number >> i & 1 for i in range(width)]


def zeros(terms, secret):
    return sum(elgamal.is_zero(term, secret) for term in terms)


# What the algorithm does, on numbers that are not encrypted: plain ones, and pairs of (nonce, number).
PLAIN = SimpleNamespace(ZERO=0, add=lambda a, b: a + b, add_bit=lambda a, bit: a + bit, one_minus=lambda a: 1 - a)
WITH_NONCES = SimpleNamespace(
    ZERO=(0, 0),
    add=lambda a, b: (a[0] + b[0], a[1] + b[1]),
    add_bit=lambda a, bit: (a[0], a[1] + bit),
    one_minus=lambda a: (-a[0], 1 - a[1]),
)


# ---------------------------------------------------------------- the maths


def test_the_plain_twin_is_right_for_all_pairs_of_8_bits():
    x = np.arange(256)
    for y in range(256):
        terms = np.array(comparison_terms(bits_of(x, 8), y, PLAIN))
        assert terms.min() >= 0
        assert np.array_equal((terms == 0).sum(axis=0), (y > x).astype(int))


def test_ciphertexts_are_right_where_it_is_hardest():
    """8 bits: all pairs at most 2 apart, 2 random counts more for each threshold: about 1,800 real answers."""
    random_bytes, rng = stream(1), np.random.default_rng(2)
    secret, public = elgamal.key_pair(random_bytes)
    for x in range(256):
        encrypted, _ = encrypt_all(public, bits_of(x, 8), random_bytes)
        for y in {*range(max(0, x - 2), min(256, x + 3)), *rng.integers(0, 256, 2).tolist()}:
            assert zeros(blinded_terms(encrypted, y, public, random_bytes), secret) == (y > x)


def test_encrypted_terms_are_those_of_the_plain_twin():
    random_bytes = stream(3)
    secret, public = elgamal.key_pair(random_bytes)
    small = [ristretto.base(number) for number in range(8)]
    for x, y in itertools.product(range(0, 32, 3), range(0, 32, 5)):
        encrypted, _ = encrypt_all(public, bits_of(x, 5), random_bytes)
        terms = comparison_terms(encrypted, y, elgamal)
        assert [small.index(decrypted(term, secret)) for term in terms] == comparison_terms(bits_of(x, 5), y, PLAIN)


def test_masks_that_cancel_do_no_harm():
    """A validator may choose its nonces: here the mask of a sum becomes the identity."""
    random_bytes = stream(4)
    secret, public = elgamal.key_pair(random_bytes)
    nonce = ristretto.random_scalar(random_bytes)
    encrypted = [encrypt(public, bit, nonce * sign) for bit, sign in zip((1, 0), (-1, 1))]
    assert comparison_terms(encrypted, 0, elgamal)[1].mask == IDENTITY
    assert [zeros(blinded_terms(encrypted, y, public, random_bytes), secret) for y in range(4)] == [0, 0, 1, 1]


@pytest.mark.parametrize("kappa", [KAPPA, Fraction(1), Fraction(2, 3), Fraction(7, 4), Fraction(1, 9), Fraction(9)])
def test_threshold_is_the_scaled_comparison_for_all_pairs_of_6_bits(kappa):
    for n, own in itertools.product(range(64), repeat=2):
        x = threshold(own, kappa, 6)
        assert 0 <= x < 64
        assert (n > x) == (kappa * n > own)


def test_shuffles_are_uniform():
    drawn = Counter(tuple(permutation(4, random_bytes)) for random_bytes in [stream(5)] for _ in range(24_000))
    expected = 24_000 / 24
    statistic = sum((drawn[order] - expected) ** 2 / expected for order in itertools.permutations(range(4)))
    assert statistic < stats.chi2.isf(1e-6, df=23)  # exceeded by one seed in a million if all orders are as likely


# ---------------------------------------------------------------- the three backends


COUNT = st.integers(0, 2**32 - 1)
NEAR = st.tuples(st.integers(0, 2**31), st.integers(-1, 1)).map(lambda at: (at[0], max(0, at[0] * 3 // 2 + at[1])))


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.one_of(st.tuples(COUNT, COUNT), NEAR))
def test_backends_agree_on_32_bits(pair):
    n, own = pair
    for backend in BACKENDS:
        bits = compare([[n]], [own], KAPPA, backend=backend, random_bytes=stream(n))
        assert bits.tolist() == [[3 * n > 2 * own]], backend


def test_backends_agree_on_participants_and_arms():
    rng = np.random.default_rng(6)
    counts, own = rng.integers(0, 64, (4, 3)), rng.integers(0, 64, 3)
    expected = (7 * counts > 5 * own).tolist()
    assert {bit for row in expected for bit in row} == {False, True}
    for backend in BACKENDS:
        bits = compare(counts, own, Fraction(7, 5), count_bits=6, backend=backend, random_bytes=stream(6))
        assert bits.dtype == np.bool_
        assert bits.tolist() == expected, backend


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_largest_counts_and_ratios_fit(backend):
    top, ratio = 2**64 - 1, Fraction(2**32 - 1, 2**32 - 2)
    bits = compare([[0, top], [top, 0]], [top, 0], ratio, count_bits=64, backend=backend, random_bytes=stream(7))
    assert bits.tolist() == [[False, True], [True, False]]


@pytest.mark.parametrize("backend", BACKENDS)
def test_no_participants_is_no_rows(backend):
    assert compare([], [1, 2], KAPPA, backend=backend, random_bytes=stream(8)).shape == (0, 2)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"validator": [1]}, "2 counts: expected one for each of 1 arms"),
        ({"validator": []}, "n_arms = 0"),
        ({"validator": 3}, "validator has 3"),
        ({"participants": [3]}, "participants has 3"),
        ({"participants": [[1, 256]]}, "count = 256: expected an integer from 0 to 2\\*\\*8 - 1"),
        ({"participants": [[1, -1]]}, "count = -1"),
        ({"participants": np.array([[1.0, 2.0]])}, "count = np.float64"),
        ({"participants": [[True, 1]]}, "count = True"),
        ({"kappa": 1.5}, "kappa = 1.5: expected a positive fraction"),
        ({"kappa": Fraction(0)}, "kappa = Fraction"),
        ({"kappa": Fraction(1, 2**32)}, "below 2\\*\\*32"),
        ({"count_bits": 65}, "count_bits = 65: expected an integer from 1 to 64"),
        ({"backend": "secret"}, "backend = 'secret': expected one of ideal, pairwise, mpyc"),
        ({"random_bytes": None}, "random_bytes = None"),
        ({"random_bytes": lambda n: b""}, "random_bytes\\(64\\) returned bytes: expected 64 bytes"),
    ],
)
def test_bad_input_is_named(changes, message):
    good = {"participants": [[1, 2]], "validator": [1, 2], "kappa": KAPPA, "count_bits": 8, "random_bytes": stream(9)}
    with pytest.raises(ValueError, match=message) as error:
        compare(**{**good, **changes})
    assert "\n" not in str(error.value)


# ---------------------------------------------------------------- what the messages tell


def encodings(number, bases):
    """The forms a number might have in a message: bytes of some length in either order, digits, group elements."""
    shortest = (number.bit_length() + 7) // 8
    for size, order in itertools.product({shortest, 4, 8, 16, 32}, ("little", "big")):
        yield number.to_bytes(size, order)
    yield str(number).encode()
    yield from (ristretto.multiply(number, base) for base in bases)


def found(transcript, numbers, bases):
    return [number for number in numbers for form in encodings(number, bases) if form in transcript]


def test_no_pull_count_is_in_the_transcript():
    about = session(b"round 7", b"validator h", 2, 30)
    own, counts = [876_543_211, 612_345_679], [612_345_677, 598_765_433]
    validator = PairwiseValidator(about, own, KAPPA, stream(10))
    answer = PairwiseParticipant(about, b"m", counts, stream(11)).answer(validator.offer)
    assert validator.receive(b"m", answer) == (True, True)

    public, arms = messages.decode_offer(about, validator.offer)
    points = [point for arm in arms for ciphertext, _ in arm for point in ciphertext]
    points += [
        point for arm in messages.decode_answer(about, b"m", validator.offer, answer) for c in arm for point in c
    ]
    assert len({public, *points}) == 1 + len(points)  # no nonce served twice
    bases = [GENERATOR, public, *points]
    thresholds = [threshold(count, KAPPA, 30) for count in own]
    secret = [*own, *counts, *thresholds, *(a - b for a, b in zip(counts, thresholds))]
    secret += [3 * counts[0], 2 * own[0]]
    transcript = validator.offer + answer
    assert found(transcript, secret, bases) == []
    for planted in encodings(counts[0], [GENERATOR, public]):  # the search would see them
        assert counts[0] in found(transcript + planted + b"end", secret, [GENERATOR, public])


def decrypted(term, secret):
    """The element m G of an encrypted m."""
    return ristretto.subtract(term.body, ristretto.multiply(secret, term.mask))


def test_all_but_the_zero_is_random():
    """Terms are small numbers; blinded, no two are alike, and none is a small multiple of G."""
    random_bytes = stream(18)
    secret, public = elgamal.key_pair(random_bytes)
    encrypted, _ = encrypt_all(public, bits_of(5, 4), random_bytes)
    answers = [blinded_terms(encrypted, count, public, random_bytes) for count in [4] * 20 + [6] * 20]
    points = [decrypted(term, secret) for answer in answers for term in answer]
    assert points.count(IDENTITY) == 20
    assert len(set(points)) == len(points) - 20 + 1
    assert not {ristretto.base(number) for number in range(1, 100)} & set(points)


def test_where_the_zero_stands_is_random():
    random_bytes = stream(19)
    secret, public = elgamal.key_pair(random_bytes)
    encrypted, _ = encrypt_all(public, bits_of(7, 4), random_bytes)
    places = Counter()
    for _ in range(400):
        answer = blinded_terms(encrypted, 8, public, random_bytes)  # 0111 and 1000 differ first at the top
        places[[elgamal.is_zero(term, secret) for term in answer].index(True)] += 1
    assert sum((places[i] - 100) ** 2 / 100 for i in range(4)) < stats.chi2.isf(1e-6, df=3)  # as for the shuffles


def test_a_fresh_mask_is_new_every_time():
    random_bytes = stream(20)
    secret, public = elgamal.key_pair(random_bytes)
    first = elgamal.encrypt_bit(public, 1, ristretto.random_scalar(random_bytes))
    seen = [first, *(elgamal.rerandomise(first, public, random_bytes) for _ in range(5))]
    shifts = {ristretto.subtract(term.mask, first.mask) for term in seen}
    assert len(shifts) == 6
    assert {decrypted(term, secret) for term in seen} == {GENERATOR}


def test_answers_share_nothing():
    validator = PairwiseValidator(ABOUT, OWN, KAPPA, stream(12))
    shared = stream(13)
    answers = [PairwiseParticipant(ABOUT, b"m", COUNTS, shared).answer(validator.offer) for _ in range(2)]
    arms = [messages.decode_answer(ABOUT, b"m", validator.offer, answer) for answer in answers]
    points = [point for answer in arms for arm in answer for term in arm for point in term]
    assert len(set(points)) == len(points) == 2 * 2 * 4 * 2


def fitting_counts(terms, numbers, nonces, secret):
    """The counts that explain an answer, for a validator that tests every one.

    It knows nonce and number of each term for a guess. A term blinded by r only is (r nonce G, r number G).
    """
    opened = [(term.mask, decrypted(term, secret)) for term in terms]
    for guess in range(2 ** len(numbers)):
        believed = comparison_terms(list(zip(nonces, numbers)), guess, WITH_NONCES)
        ratios = [
            any(ristretto.multiply(m, mask) == ristretto.multiply(n, body) for n, m in believed)
            for mask, body in opened
        ]
        if all(ratios):
            yield guess


@pytest.mark.parametrize("count", [0, 5, 19, 31])
def test_a_validator_that_tests_guesses_is_stopped_by_fresh_masks(count, monkeypatch):
    random_bytes, numbers = stream(14), bits_of(18, 5)
    secret, public = elgamal.key_pair(random_bytes)
    encrypted, nonces = encrypt_all(public, numbers, random_bytes)
    answer = blinded_terms(encrypted, count, public, random_bytes)
    assert list(fitting_counts(answer, numbers, nonces, secret)) == []

    monkeypatch.setattr(elgamal, "rerandomise", lambda a, public, random_bytes: a)
    weak = blinded_terms(encrypted, count, public, random_bytes)
    assert list(fitting_counts(weak, numbers, nonces, secret)) == [count]


def false_offer(about, numbers, claimed, random_bytes):
    """An offer whose only arm encrypts any numbers, with the proofs the library makes for the claimed bits."""
    secret, public = elgamal.key_pair(random_bytes)
    encrypted, nonces = encrypt_all(public, numbers, random_bytes)
    arm = []
    for i, (ciphertext, nonce) in enumerate(zip(encrypted, nonces)):
        context = messages.bit_context(about, 0, i)
        arm.append((ciphertext, bit_proof.prove(public, ciphertext, claimed[i], nonce, context, random_bytes)))
    return secret, messages.encode_offer(about, OfferContent(public, (tuple(arm),)))


# With 1/2 for a bit, "differs" is 1/2 for either bit of the count; the lowest position then asks for one bit alone.
LOWEST_BIT = [-7 * HALF % ORDER] + [HALF] * 7
# Here the number of zeros is 0, 1 or 2: whether the second bit is set, and if so whether the first is as well.
TWO_BITS = [-2 % ORDER, -HALF % ORDER, HALF]


@pytest.mark.parametrize(
    ("numbers", "learned"),
    [(LOWEST_BIT, lambda count: count & 1), (TWO_BITS, lambda count: (count >> 1 & 1) * (1 + (count & 1)))],
    ids=["reads the lowest bit", "reads two bits"],
)
def test_a_validator_that_encrypts_no_bits_learns_more_but_is_refused(numbers, learned, monkeypatch):
    about, width = session(b"round 7", b"validator h", 1, len(numbers)), len(numbers)
    for claimed in ([0] * width, [1] * width):
        participant = PairwiseParticipant(about, b"m", [1], stream(15))
        with pytest.raises(RefusedComparison, match="bit proof does not hold"):
            participant.answer(false_offer(about, numbers, claimed, stream(16))[1])
        assert participant.refusal is Reason.PROOF

    monkeypatch.setattr(bit_proof, "verify", lambda *whatever: True)
    secret, offer = false_offer(about, numbers, [0] * width, stream(16))
    for count in range(2**width):
        answer = PairwiseParticipant(about, b"m", [count], stream(count)).answer(offer)
        (terms,) = messages.decode_answer(about, b"m", offer, answer)
        assert zeros(terms, secret) == learned(count)


@pytest.mark.parametrize("bit", [0, 1])
def test_a_bit_proof_holds_for_its_ciphertext_key_and_context_only(bit):
    random_bytes = stream(17)
    public, other = elgamal.key_pair(random_bytes).public, elgamal.key_pair(random_bytes).public
    nonce = ristretto.random_scalar(random_bytes)
    ciphertext = elgamal.encrypt_bit(public, bit, nonce)
    proof = bit_proof.prove(public, ciphertext, bit, nonce, b"here", random_bytes)
    assert bit_proof.verify(public, ciphertext, proof, b"here")
    assert not bit_proof.verify(public, ciphertext, proof, b"there")
    assert not bit_proof.verify(other, ciphertext, proof, b"here")
    assert not bit_proof.verify(public, elgamal.one_minus(ciphertext), proof, b"here")
    for field in proof._fields:
        assert not bit_proof.verify(public, ciphertext, proof._replace(**{field: getattr(proof, field) + 1}), b"here")
    wrong = bit_proof.prove(public, ciphertext, 1 - bit, nonce, b"here", random_bytes)
    assert not bit_proof.verify(public, ciphertext, wrong, b"here")


@pytest.mark.parametrize("bit", [0, 1])
def test_bit_proofs_use_new_randomness(bit):
    """Response - challenge * nonce is what hides the nonce, in the branch that is true and in the other one."""
    random_bytes = stream(21)
    public = elgamal.key_pair(random_bytes).public
    nonce = ristretto.random_scalar(random_bytes)
    ciphertext = elgamal.encrypt_bit(public, bit, nonce)
    proofs = [bit_proof.prove(public, ciphertext, bit, nonce, b"here", random_bytes) for _ in range(10)]
    hidden = [(p.response_zero - p.challenge_zero * nonce) % ORDER for p in proofs]
    hidden += [(p.response_one - p.challenge_one * nonce) % ORDER for p in proofs]
    assert len(set(hidden)) == 20
    assert len({number for proof in proofs for number in proof}) == 40


def test_a_ciphertext_found_after_the_challenge_is_refused():
    """Were the ciphertext not hashed, a number other than 0 and 1 could be fitted to a challenge (weak Fiat-Shamir,
    Bernhard, Pereira and Warinschi 2012): here number = -gap / challenge.
    """
    random_bytes = stream(22)
    secret, public = elgamal.key_pair(random_bytes)
    zero, gap, one, nonce = (ristretto.random_scalar(random_bytes) for _ in range(4))
    exponents = [zero, zero * secret + gap, one, one * secret]
    commitments = [ristretto.base(exponent) for exponent in exponents]
    placeholder = encrypt(public, 0, nonce)
    challenge = bit_proof._challenge(public, placeholder, commitments, b"here")
    number = -gap * pow(challenge, -1, ORDER) % ORDER
    proof = bit_proof.BitProof(challenge, (zero + challenge * nonce) % ORDER, 0, one)
    fitted = encrypt(public, number, nonce)
    assert commitments == [
        bit_proof._commitment(GENERATOR, proof.response_zero, fitted.mask, challenge),
        bit_proof._commitment(public, proof.response_zero, fitted.body, challenge),
        bit_proof._commitment(GENERATOR, one, fitted.mask, 0),
        bit_proof._commitment(public, one, ristretto.subtract(fitted.body, GENERATOR), 0),
    ]
    assert not bit_proof.verify(public, fitted, proof, b"here")
