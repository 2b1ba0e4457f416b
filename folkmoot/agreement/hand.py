"""What a participant must not lose, and the only way it signs: one value a slot, stored before a signature leaves."""

from dataclasses import dataclass, field

from folkmoot.agreement.identity import Identity, Signer, Signs, WouldEquivocate
from folkmoot.agreement.messages import PRECOMMIT, PREVOTE, PROPOSAL, Certificate
from folkmoot.agreement.signed_messages import VALUE
from folkmoot.bc_ucb.algorithm import State
from folkmoot.bc_ucb.records import REPORT, SETS
from folkmoot.ledger.block import Block
from folkmoot.ledger.chain import Chain
from folkmoot.signatures import SigningKey, sign_header

_ONCE = (REPORT, SETS, VALUE, PROPOSAL, PREVOTE, PRECOMMIT)  # purposes with one value a round
_CONFIRM = "confirmation"


@dataclass
class Memory:
    """Everything that survives a crash: a driver that restarts a node gives it back."""

    chain: Chain
    learnt: State
    blocks: list[Block] = field(default_factory=list)
    pending: dict[int, tuple[int, float]] = field(default_factory=dict)  # round: arm and reward that are not yet paid
    slots: dict[str, tuple[int, bytes]] = field(default_factory=dict)  # purpose: last slot signed, and a digest
    lock: Certificate | None = None  # for the next block


class Hand:
    """A participant's keys behind guards."""

    def __init__(self, seed: bytes, slots: dict[str, tuple[int, bytes]]) -> None:
        self.identity = Identity(seed)
        self._header_key = SigningKey(seed)
        self._slots = slots
        self._signers = {purpose: self._guarded(purpose) for purpose in _ONCE}

    def _guarded(self, purpose: str) -> Signer:
        def persist(slot: int, digest: bytes) -> None:
            self._slots[purpose] = slot, digest

        return Signer(self.identity, purpose, persist, self._slots.get(purpose))

    def sign(self, purpose: str, round: int, words: bytes) -> bytes:
        """The signature of these words, the only ones for this purpose in this round.

        Raises:
            WouldEquivocate: others were signed, or a later round was.
        """
        return self._signers[purpose].sign(round, words)

    def general(self, round: int) -> Signs:
        """Who broadcasts a value in the agreement of this round; one only."""
        return self._signers[VALUE].at(round)

    def confirm(self, height: int, hash: bytes) -> bytes:
        """The signature on the header of a decided block, one for each height.

        Raises:
            WouldEquivocate: another block of this height was confirmed, or a higher one.
        """
        last = self._slots.get(_CONFIRM, (-1, b""))
        if height < last[0] or (height == last[0] and hash != last[1]):
            raise WouldEquivocate(f"height = {height}: a block of height {last[0]} was confirmed")
        self._slots[_CONFIRM] = height, hash
        return sign_header(self._header_key, hash)
