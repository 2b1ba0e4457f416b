"""What a participant has offered and answered in the private comparison of a round, so that a crash changes nothing.

Each answer tells the validator one bit for each arm. A second answer, to another offer, would tell another one; a
second offer would make honest participants give it.
"""

from collections.abc import Mapping
from functools import partial
from typing import TypeVar

from folkmoot.agreement.identity import Identity
from folkmoot.bc_ucb.deliberation import Deliberation
from folkmoot.bc_ucb.messages import COMPARISON, Answer, Offer, comparison_words
from folkmoot.bc_ucb.records import checked
from folkmoot.comparison.in_rounds import Comparison
from folkmoot.encoding import Limits, Malformed, decode, encode
from folkmoot.machine import Put

_COMPARED = "compared"  # the key under which it is kept
_LIMITS = Limits(size=1 << 13, depth=2, items=1 << 10, int_size=8)

AnyWords = TypeVar("AnyWords", Offer, Answer)


class Compared:
    """Of the last round in which anything was offered or answered. Nothing is, twice, or of a round before."""

    def __init__(self, me: int, identity: Identity, comparison: Comparison, kept: Mapping[str, bytes]) -> None:
        """`me`: number of the participant. `kept`: by an earlier one.

        Raises:
            Malformed: bytes that are not what is kept here.
        """
        self._me, self._identity, self._comparison = me, identity, comparison
        self._round, self._offered, self._answered = 0, False, set[int]()
        if _COMPARED in kept:
            round, offered, answered = checked(decode(kept[_COMPARED], _LIMITS), (int, bool, tuple), _COMPARED)
            if round < 0 or not all(type(validator) is int for validator in answered):
                raise Malformed(f"{_COMPARED}: expected a round and numbers of validators")
            self._round, self._offered, self._answered = round, offered, set(answered)

    def offer(self, work: Deliberation) -> tuple[Offer, Put] | None:
        """The offer of a validator, once a round, and what is to be kept before it leaves; None: there is none."""
        self._enter(work.round)
        if work.round < self._round or self._offered:
            return None
        content = self._comparison.offer(self._identity.public_key)
        if not content:
            return None
        self._offered = True
        offer = Offer(work.previous, work.round, self._me, work.proof, content, b"")
        return self._signed(work, offer), self._kept()

    def answer(self, work: Deliberation, key: bytes, offer: Offer) -> tuple[Answer, Put] | None:
        """The answer to the offer of a validator with this key, once a round, and what is to be kept first."""
        self._enter(work.round)
        if work.round < self._round or offer.sender in self._answered:
            return None
        content = self._comparison.answer(key, offer.content)
        if not content:
            return None
        self._answered.add(offer.sender)
        return self._signed(work, Answer(work.previous, work.round, self._me, offer.sender, content, b"")), self._kept()

    def _signed(self, work: Deliberation, message: AnyWords) -> AnyWords:
        signature = self._identity.sign(COMPARISON, comparison_words(work.origin, message))
        return message._replace(signature=signature)

    def _enter(self, round: int) -> None:
        if round > self._round:
            self._round, self._offered, self._answered = round, False, set()

    def _kept(self) -> Put:
        said = self._round, self._offered, tuple(sorted(self._answered))
        return Put(_COMPARED, partial(encode, said, _LIMITS))
