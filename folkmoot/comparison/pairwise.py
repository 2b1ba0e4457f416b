"""The private comparison of two parties, as two state machines and two messages.

    validator                                        participant
    offer: encrypted bits of its thresholds,   ->    verifies every proof; its own counts make
           each proven to be a bit             <-    answer: blinded, re-masked, shuffled terms
    decrypts; a zero in an arm is the bit 1

kappa * n > n_h for integers n, n_h and kappa = num / den is n > floor(den * n_h / num), so the validator scales its
own count to a threshold, and participants compare their counts as they are. What is hidden from whom, and what is
not prevented, is written in docs/private-comparison.md. Signing the messages is the caller's.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from folkmoot.comparison import bit_proof, elgamal, ristretto
from folkmoot.comparison.bit_comparison import blinded_terms
from folkmoot.comparison.bit_proof import BitProof
from folkmoot.comparison.elgamal import Ciphertext
from folkmoot.comparison.messages import (
    OfferContent,
    Reason,
    RefusedComparison,
    bit_context,
    decode_answer,
    decode_offer,
    encode_answer,
    encode_offer,
)
from folkmoot.comparison.ristretto import RandomBytes
from folkmoot.comparison.session import Session, checked_counts, checked_name, session, threshold


class PairwiseValidator:
    """The validator's side of one session: one offer for everybody, one answer from each participant.

    Attributes:
        offer: the message to publish.
        bits: for each participant heard, whether kappa * its count > the own count, per arm.
        refusals: for each participant whose answer was refused, the first reason.
    """

    def __init__(self, about: Session, counts: Sequence[int], kappa: Fraction, random_bytes: RandomBytes) -> None:
        """Encrypts thresholds under a key made for this session alone.

        counts: [n_arms] pulls, integers in [0, 2**count_bits).

        Raises:
            ValueError: wrong counts, kappa not a positive fraction, rbcl not installed.
        """
        own = checked_counts(about, counts)
        self.bits: dict[bytes, tuple[bool, ...]] = {}
        self.refusals: dict[bytes, Reason] = {}
        self._about = about
        self._answers: dict[bytes, bytes] = {}
        self._secret, public = elgamal.key_pair(random_bytes)
        thresholds = [threshold(count, kappa, about.count_bits) for count in own]
        arms = [_proven_bits(about, public, arm, value, random_bytes) for arm, value in enumerate(thresholds)]
        self.offer = encode_offer(about, OfferContent(public, tuple(arms)))

    def receive(self, participant: bytes, answer: bytes) -> tuple[bool, ...]:
        """The bits of a participant, [n_arms], from its answer; the same answer again gives the same bits.

        Raises:
            RefusedComparison: the answer is malformed, for another offer, or a second, different one. The reason
                is kept in `refusals`; a good answer may still follow.
        """
        try:
            if participant in self.bits:
                if answer != self._answers[participant]:
                    raise RefusedComparison(Reason.SECOND)
            else:
                self.bits[participant] = self._read(participant, answer)
                self._answers[participant] = answer
        except RefusedComparison as refused:
            self.refusals.setdefault(participant, refused.reason)
            raise
        return self.bits[participant]

    def _read(self, participant: bytes, answer: bytes) -> tuple[bool, ...]:
        arms = decode_answer(self._about, participant, self.offer, answer)
        zeros = [[elgamal.is_zero(term, self._secret) for term in arm].count(True) for arm in arms]
        if max(zeros) > 1:
            raise RefusedComparison(Reason.ZEROS)
        return tuple(count == 1 for count in zeros)


class PairwiseParticipant:
    """A participant's side of one session with one validator: it answers one offer, once.

    Attributes:
        refusal: the first reason why an offer was refused, or None.
    """

    def __init__(self, about: Session, me: bytes, counts: Sequence[int], random_bytes: RandomBytes) -> None:
        """`me` is the own public identity; counts: [n_arms] pulls, integers in [0, 2**count_bits).

        Raises:
            ValueError: wrong counts, or an identity that is not 1 to 64 bytes.
        """
        self.refusal: Reason | None = None
        self._about = about
        self._me = checked_name("participant", me)
        self._counts = checked_counts(about, counts)
        self._random_bytes = random_bytes
        self._offer: bytes | None = None
        self._answer = b""

    def answer(self, offer: bytes) -> bytes:
        """The answer to an offer; to the same offer the same answer. Whether it answers tells nothing of its counts.

        Raises:
            RefusedComparison: malformed, not made for this session by this validator, a proof that does not hold,
                or a second, different offer (each would be another question about the same counts).
        """
        try:
            if self._offer is not None and offer != self._offer:
                raise RefusedComparison(Reason.SECOND)
            if self._offer is None:
                self._answer = self._reply(offer)
                self._offer = offer
        except RefusedComparison as refused:
            self.refusal = self.refusal or refused.reason
            raise
        return self._answer

    def _reply(self, offer: bytes) -> bytes:
        public, arms = decode_offer(self._about, offer)
        for arm, bits in enumerate(arms):
            for position, (ciphertext, proof) in enumerate(bits):
                if not bit_proof.verify(public, ciphertext, proof, bit_context(self._about, arm, position)):
                    raise RefusedComparison(Reason.PROOF)
        terms = [
            blinded_terms([ciphertext for ciphertext, _ in bits], count, public, self._random_bytes)
            for bits, count in zip(arms, self._counts)
        ]
        return encode_answer(self._about, self._me, offer, terms)


def _proven_bits(
    about: Session, public: bytes, arm: int, value: int, random_bytes: RandomBytes
) -> tuple[tuple[Ciphertext, BitProof], ...]:
    """The encrypted bits of `value`, least significant first, each with its proof."""
    proven = []
    for position in range(about.count_bits):
        bit, nonce = value >> position & 1, ristretto.random_scalar(random_bytes)
        ciphertext = elgamal.encrypt_bit(public, bit, nonce)
        context = bit_context(about, arm, position)
        proven.append((ciphertext, bit_proof.prove(public, ciphertext, bit, nonce, context, random_bytes)))
    return tuple(proven)


class Cost(NamedTuple):
    """What one comparison of all arms takes: milliseconds (of the given clock) and bytes."""

    offer_ms: float  # validator, once a session
    answer_ms: float  # participant, for each validator
    reading_ms: float  # validator, for each participant
    offer_bytes: int
    answer_bytes: int


def pairwise_cost(count_bits: int, n_arms: int, random_bytes: RandomBytes, clock: Callable[[], float]) -> Cost:
    """One session measured, with counts of alternating bits; `clock` returns seconds."""
    about = session(b"cost", b"validator", n_arms, count_bits)
    counts = [int("10" * count_bits, 2) >> count_bits] * n_arms
    times = [clock()]
    validator = PairwiseValidator(about, counts, Fraction(3, 2), random_bytes)
    times.append(clock())
    answer = PairwiseParticipant(about, b"participant", counts, random_bytes).answer(validator.offer)
    times.append(clock())
    validator.receive(b"participant", answer)
    times.append(clock())
    spent = [1000.0 * (after - before) for before, after in pairwise(times)]
    return Cost(spent[0], spent[1], spent[2], len(validator.offer), len(answer))
