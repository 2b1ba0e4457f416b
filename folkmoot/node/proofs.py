"""Outcomes that an environment signs: where a charter names its keys, what a member is paid is not the member's word.

How it works. Whoever measures rewards (a device, a laboratory, an auditor) has a key of its own, and the charter names
its public key. For each pull it signs the reward, of this chain, this round, this member and this arm. The signature
hides the arm: it covers a digest of it and 32 random bytes, which it gives to the member alone. A report without a
right signature is worth nothing to the others, so a node takes no outcome without one.

    environment = Environment(key)                                # where rewards are measured
    proof = environment.sign(node.state()["signing"], decision, reward)
    node.outcome(decision.ticket, reward, proof)
"""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from folkmoot.doors import guarded
from folkmoot.errors import brief
from folkmoot.node.store import Store, ToldOutcome
from folkmoot.node.tickets import Decision, scaled

PROOF_BYTES = 96
Proves: TypeAlias = Callable[[int, int, float, bytes], bool]  # (round, arm, reward from 0 to 1, proof)


class Environment:
    """Signs the rewards of pulls, with a key of its own: whatever measures them."""

    @guarded
    def __init__(self, key: bytes, random: Callable[[int], bytes] = os.urandom) -> None:
        """`key`: 32 secret bytes. `random`: for what hides the arm.

        Raises:
            ValueError: another number of bytes.
        """
        from folkmoot.agreement.identity import Identity

        if len(key) != 32:
            raise ValueError(f"key of {len(key)} bytes: expected 32")
        self._identity, self._random = Identity(key), random

    @property
    def public_key(self) -> str:
        """As a charter names it, in hex."""
        return self._identity.public_key.hex()

    def sign(self, signing: Mapping[str, Any], decision: Decision, reward: float) -> str:
        """The proof of an outcome, in hex.

        Args:
            signing: as `/v1/state` says it: which chain, which member, and the scale of rewards.
            decision: what was played.
            reward: what that brought, on the charter's scale.

        Raises:
            ValueError: a reward off the scale.
        """
        from folkmoot.bc_ucb.contract import rounded
        from folkmoot.bc_ucb.earnings import EARNED, earned_words, seal_of

        low, high = signing["scale"]
        if not low <= reward <= high:
            raise ValueError(f"reward = {reward:g}: expected a number from {low:g} to {high:g}")
        blinding, origin = self._random(32), bytes.fromhex(signing["origin"])
        about = origin, decision.round, signing["participant"], rounded(scaled(reward, low, high))
        words = earned_words(*about, seal_of(decision.arm, blinding))
        return (blinding + self._identity.sign(EARNED, words)).hex()


def take(store: Store, proves: Proves | None, outcomes: Sequence[ToldOutcome], later: bool = False) -> list[str]:
    """As `Store.take`, but "unsigned" is an outcome without the proof that it needs, and none of it is kept.

    `proves`: None: nothing is asked for, and an outcome with a proof is "signed".

    Raises:
        Full: see there.
    """
    words = [_word(store, proves, outcome) for outcome in outcomes]
    kept = iter(store.take([outcome for outcome, word in zip(outcomes, words) if not word], later=later))
    return [word or next(kept) for word in words]


def proof_of(text: str) -> bytes:
    """The proof that a request spells; empty: none.

    Raises:
        ValueError: it spells something else.
    """
    if len(text) not in (0, 2 * PROOF_BYTES) or not set(text) <= set("0123456789abcdef"):
        raise ValueError(f"proof = {brief(text)}: expected {2 * PROOF_BYTES} hexadecimal digits")
    return bytes.fromhex(text)


def _word(store: Store, proves: Proves | None, outcome: ToldOutcome) -> str:
    """Why an outcome is not taken; empty: nothing is wrong with its proof."""
    _, round, reward, *rest = outcome
    proof = rest[0] if rest else b""
    if proves is None or reward is None:
        return "signed" if proof else ""
    arm = store.pulled(round)
    return "" if arm is not None and proves(round, arm, reward, proof) else "unsigned"
