"""The only way a member signs: one value a slot, which is kept before the signature leaves."""

from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256, sha512
from typing import NamedTuple

from folkmoot.agreement.identity import MAX_SLOT, Identity, Signer, Signs, WouldEquivocate
from folkmoot.agreement.messages import PRECOMMIT, PREVOTE, PROPOSAL
from folkmoot.agreement.signed_messages import VALUE
from folkmoot.encoding import Limits, Malformed, decode, digest, encode
from folkmoot.machine import NO_FLOOR, Floor, Keep, Put
from folkmoot.signatures import SigningKey, in_domain, sign_header

VOTES = (PROPOSAL, PREVOTE, PRECOMMIT)  # purposes with one value a round, in any system
_CONFIRM = "confirmation"  # one value a height
_DIGEST = sha256().digest_size
_LIMITS = Limits(size=64, depth=1, items=3, int_size=8)


class Slot(NamedTuple):
    """The last slot that was signed for a purpose, and what."""

    number: int  # a round; of confirmations a height
    digest: bytes  # 32 bytes

    def to_bytes(self) -> bytes:
        """As it is kept."""
        return encode(tuple(self), _LIMITS)

    @staticmethod
    def from_bytes(data: bytes) -> "Slot":
        """What was kept.

        Raises:
            Malformed: bytes that are no slot.
        """
        value = decode(data, _LIMITS)
        if type(value) is not tuple or tuple(map(type, value)) != (int, bytes) or len(value[1]) != _DIGEST:
            raise Malformed(f"slot: expected a number and {_DIGEST} bytes")
        if not 0 <= value[0] <= MAX_SLOT:
            raise Malformed(f"slot {value[0]}: expected 0 to {MAX_SLOT}")
        return Slot(*value)


def _forget(item: Keep) -> None:
    """Of a hand that remembers nothing."""


class Hand:
    """A member's keys behind guards.

    Args:
        seed: 32 secret bytes.
        purposes: those for which it may sign one value a round, besides a proposal, a prevote and a precommit.
        kept: of an earlier hand, see `keep`.
        keep: takes what must be stored before anything that was signed leaves.
        floor: nothing is signed for a round or height below it.
    """

    def __init__(
        self,
        seed: bytes,
        purposes: Iterable[str] = (VALUE,),
        kept: Mapping[str, bytes] | None = None,
        keep: Callable[[Keep], object] = _forget,
        floor: Floor = NO_FLOOR,
    ) -> None:
        self.identity = Identity(seed)
        self._blinding = sha512(in_domain("blinding seed", seed)).digest()
        self._header_key = SigningKey(seed)
        self._keep = keep
        slots = {name: Slot.from_bytes(data) for name, data in (kept or {}).items() if name.startswith("slot/")}
        self._signers = {p: self._guarded(p, slots.get(f"slot/{p}"), floor.round) for p in (*VOTES, *purposes)}
        self._confirmed = _not_below(slots.get(f"slot/{_CONFIRM}"), floor.height)

    def _guarded(self, purpose: str, last: Slot | None, floor: int) -> Signer:
        key = f"slot/{purpose}"

        def persist(number: int, digest: bytes) -> None:
            self._keep(Put(key, Slot(number, digest).to_bytes))

        return Signer(self.identity, purpose, persist, _not_below(last, floor))

    def sign(self, purpose: str, round: int, words: bytes) -> bytes:
        """The signature of these words, the only ones for this purpose in this round.

        Raises:
            WouldEquivocate: others were signed, or a later round was, or the round is below the floor.
        """
        return self._signers[purpose].sign(round, words)

    def blinding(self, purpose: str, origin: bytes, round: int) -> bytes:
        """32 secret bytes that hide what this member commits to in a round of a chain, the same after a restart."""
        return digest("blinding", (self._blinding, purpose, origin, round))

    def general(self, round: int) -> Signs:
        """Who broadcasts a value in the agreement of this round; one only."""
        return self._signers[VALUE].at(round)

    def confirm(self, height: int, hash: bytes) -> bytes:
        """The signature on the header of a decided block, one for each height.

        Raises:
            WouldEquivocate: another block of this height was confirmed, or a higher one, or it is below the floor.
        """
        last, new = self._confirmed, Slot(height, hash)
        if last is not None and new != last and height <= last.number:
            raise WouldEquivocate(f"height = {height}: a block of height {last.number} was confirmed")
        if new != last:
            self._keep(Put(f"slot/{_CONFIRM}", new.to_bytes))
            self._confirmed = new
        return sign_header(self._header_key, hash)


def _not_below(last: Slot | None, floor: int) -> Slot | None:
    """As if something that nobody can repeat had been signed just below the floor."""
    if floor > 0 and (last is None or last.number < floor):
        return Slot(floor - 1, bytes(_DIGEST))
    return last
