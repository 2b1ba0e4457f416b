"""What proves that a participant of a game has lied: the kinds of `agreement.evidence`, and those only a game has.

    two words       of a report, of a validator's sets, of its value in the agreement, in one round
    a false proof   a validator's sets, or its offer to compare, signed with a proof of its verifiable random function
                    that shows nothing

A proof that holds, of one who was not drawn, is no evidence: that depends on the trust before the block, which the
genesis does not say.
"""

from collections.abc import Callable
from typing import NamedTuple

from folkmoot.agreement import vrf
from folkmoot.agreement.evidence import FaultKind, Payload, Statement, TwoWords, are, evidence, is_member, kinds_of
from folkmoot.agreement.evidence import culprit as culprit_by
from folkmoot.agreement.shared import Call, directly
from folkmoot.agreement.signed_messages import VALUE, Agreement, Fault, members_digest, session_digest, value_words
from folkmoot.agreement.vrf import PROOF_BYTES
from folkmoot.bc_ucb.messages import COMPARISON, Offer, ReportSent, content_digest, offer_words
from folkmoot.bc_ucb.records import REPORT, SETS, Named, report_words, sets_words
from folkmoot.bc_ucb.state import State
from folkmoot.bc_ucb.validators import question
from folkmoot.encoding import encode
from folkmoot.signatures import check

TWO_VALUES, TWO_REPORTS, TWO_SETS, FALSE_PROOF, FALSE_OFFER = range(16, 21)  # numbers of kinds


class Ground(NamedTuple):
    """What evidence in a game is checked against: all of it follows from the genesis."""

    origin: bytes
    keys: tuple[bytes, ...]
    vrf_keys: tuple[bytes, ...]  # empty where coins are public
    salt: bytes


def ground_of(state: State) -> Ground:
    """Of the game that this is a state of."""
    settings = state.configuration
    return Ground(state.origin, settings.keys, settings.vrf_keys, settings.salt)


def culprit(data: bytes, ground: Ground, call: Call = directly) -> int | None:
    """The participant whom these bytes convict; None: nobody, whatever they are."""
    return call(_culprit, data, ground)


def _culprit(data: bytes, ground: Ground) -> int | None:
    return culprit_by(FAULT_KINDS, data, ground)


def session_id(origin: bytes, previous: bytes, round: int) -> bytes:
    """The name of the agreement on sets in a round after this block."""
    return encode((origin, previous, round))


# --- Two words -------------------------------------------------------------------------------------------------------


def _value(
    origin: bytes, round: int, member: int, previous: bytes, members: bytes, faulty: int, place: int, content: bytes
) -> bytes:
    return value_words(session_digest(session_id(origin, previous, round), members, faulty), place, content)


def _report(origin: bytes, round: int, member: int, previous: bytes, body: bytes) -> bytes:
    return report_words(origin, previous, round, member, body)


def _sets(origin: bytes, round: int, member: int, previous: bytes, proof: bytes, body: bytes) -> bytes:
    return sets_words(origin, previous, round, member, proof, body)


_OF_VALUES = TwoWords(VALUE, (bytes, bytes, int, int, bytes), _value)
_OF_REPORTS = TwoWords(REPORT, (bytes, bytes), _report, twice=True)
_OF_SETS = TwoWords(SETS, (bytes, bytes, bytes), _sets)


def two_values(member: int, round: int, previous: bytes, agreement: Agreement, fault: Fault) -> bytes:
    """Evidence in a fault that the agreement of a round after this block has brought to light."""
    said = previous, members_digest(agreement.members), agreement.f, fault.general
    one, other = ((*said, fault.one), fault.signature_of_one), ((*said, fault.other), fault.signature_of_other)
    return evidence(TWO_VALUES, _OF_VALUES.payload(member, round, one, other))


def two_reports(one: ReportSent, other: ReportSent) -> bytes:
    """Evidence in two reports of one participant in one round; their signatures hold."""
    said: list[Statement] = [((told.previous, told.report.body), told.signature) for told in (one, other)]
    return evidence(TWO_REPORTS, _OF_REPORTS.payload(one.sender, one.round, *said))


def two_sets(member: int, round: int, previous: bytes, one: Named, other: Named) -> bytes:
    """Evidence in two validators' sets of one participant in one round after this block; their signatures hold."""
    said: list[Statement] = [((previous, told.proof, told.body), told.signature) for told in (one, other)]
    return evidence(TWO_SETS, _OF_SETS.payload(member, round, *said))


# --- False proofs ----------------------------------------------------------------------------------------------------


class FalseProof(NamedTuple):
    """A kind: words signed with a proof of the signer's verifiable random function that shows nothing.

    Attributes:
        purpose: of the signature.
        words: what is signed, of (origin, previous, round, member, proof, digest of the rest).
    """

    purpose: str
    words: Callable[..., bytes]

    def culprit(self, ground: Ground, payload: Payload) -> int | None:
        """See `FaultKind`."""
        if not ground.vrf_keys or not are(payload, (int, int, bytes, bytes, bytes, bytes)):
            return None
        member, round, previous, proof, body, signature = payload
        if not is_member(member, ground) or len(proof) > PROOF_BYTES:
            return None
        words = self.words(ground.origin, previous, round, member, proof, body)
        if not check(ground.keys[member], self.purpose, words, signature):
            return None
        try:
            vrf.verify(ground.vrf_keys[member], question(ground.salt, round), proof)
        except vrf.InvalidProof:
            return int(member)
        return None


def false_proof(member: int, round: int, previous: bytes, named: Named) -> bytes:
    """Evidence in a validator's sets whose signature holds and whose proof does not."""
    return evidence(FALSE_PROOF, (member, round, previous, named.proof, named.body, named.signature))


def false_offer(offer: Offer) -> bytes:
    """Evidence in an offer whose signature holds and whose proof does not."""
    said = offer.drawn, content_digest(offer.content), offer.signature
    return evidence(FALSE_OFFER, (offer.sender, offer.round, offer.previous, *said))


FAULT_KINDS: dict[int, FaultKind] = {
    **kinds_of("bc_ucb"),
    TWO_VALUES: _OF_VALUES,
    TWO_REPORTS: _OF_REPORTS,
    TWO_SETS: _OF_SETS,
    FALSE_PROOF: FalseProof(SETS, sets_words),
    FALSE_OFFER: FalseProof(COMPARISON, offer_words),
}
