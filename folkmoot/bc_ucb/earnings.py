"""What the rules let a report be paid: rewards that can be, signed by the environment where there is one, once each.

Where the genesis names keys of an environment, it signs what each pull brought: a reward counts with its signature
only. What is signed binds the arm without showing it: it covers a *seal*, the digest of the arm and 32 blinding bytes
which the environment tells the participant alone. Where there is no environment, a reward is a participant's claim.

An outcome that has not come when its round is reported is claimed in a later round: see `Claim`.
"""

from typing import NamedTuple

from folkmoot.bc_ucb.genesis import GameSettings
from folkmoot.bc_ucb.records import CLAIM, NO_REWARD, SEAL_BYTES, UNSIGNED, Claim, Report
from folkmoot.bc_ucb.round import payable
from folkmoot.bc_ucb.state import State
from folkmoot.encoding import digest
from folkmoot.signatures import SIGNATURE_BYTES, check

EARNED = "environment reward"  # purpose of a signature
PROOF_BYTES = SEAL_BYTES + SIGNATURE_BYTES  # of an outcome's proof: blinding, then the environment's signature


class Due(NamedTuple):
    """What a report is paid.

    Attributes:
        refused: why what it says of rewards does not count; None: it does.
        paid: scaled.
        awaits: does it say that no outcome has come?
        claimed: bits of the earlier rounds that are paid now, as of `Accounts.waiting`.
    """

    refused: str | None
    paid: int = 0
    awaits: bool = False
    claimed: int = 0


def seal_of(arm: int, blinding: bytes) -> bytes:
    """32 bytes that stand for an arm and do not show it."""
    return digest("pulled arm", (arm, blinding))


def earned_words(origin: bytes, round: int, participant: int, reward: int, seal: bytes) -> bytes:
    """What an environment signs of an outcome: the scaled reward of the sealed arm, in a round of this game."""
    return digest("environment reward", (origin, round, participant, seal, reward))


def is_signed(settings: GameSettings, origin: bytes, participant: int, claim: Claim) -> bool:
    """Has the environment signed this outcome? Where there is none, nothing may look as if it were signed."""
    if not settings.environment:
        return not claim.seal and not claim.proof
    if not claim.seal:
        return False
    words = earned_words(origin, claim.round, participant, claim.reward, claim.seal)
    return any(check(key, EARNED, words, claim.proof) for key in settings.environment)


def due_for(state: State, round: int, report: Report) -> Due:
    """What a report of a round is paid, if the block before it is the state's last."""
    settings = state.configuration
    participant, _, reward, seal, proof, claims = report[:6]
    own = Claim(round, reward, seal, proof)
    if settings.edition == 1:
        return Due(None, reward) if payable(reward) else Due(CLAIM)
    awaits, claimed = reward == NO_REWARD, 0
    if awaits and seal:
        return Due(CLAIM)
    for claim in claims:
        if not claimable(state, participant, round, claim.round):
            return Due(CLAIM)
        claimed |= 1 << (state.round - claim.round)
    paid, signed = 0, True
    for claim in claims if awaits else (*claims, own):
        if not payable(claim.reward):
            return Due(CLAIM)
        signed = signed and is_signed(settings, state.origin, participant, claim)
        paid += claim.reward
    return Due(None, paid, awaits, claimed) if signed else Due(UNSIGNED)


def claimable(state: State, participant: int, round: int, earlier: int) -> bool:
    """Is the outcome of an earlier round due to a participant in this one?"""
    back = state.round - earlier
    if back < 0 or round - earlier > state.configuration.terms.window:
        return False
    return bool((int(state.accounts.waiting[participant]) >> back) & 1)
