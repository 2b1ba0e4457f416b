"""Samples that wait for a block: signed, of the right form, an equal share for each sender."""

import math
from collections.abc import Iterable
from itertools import islice

from folkmoot.encoding import Malformed
from folkmoot.ledger.block import Block
from folkmoot.ledger.chain import Chain
from folkmoot.multiparty.chain.messages import MOST_MESSAGE, SampleSent, read_sample
from folkmoot.multiparty.chain.records import CALIBRATE, read_calibration, read_head, read_x
from folkmoot.multiparty.chain.signing import SAMPLE, is_signed
from folkmoot.multiparty.chain.standing import State

MOST_POOL = 1 << 13  # samples waiting
MOST_POOL_BYTES = 1 << 28  # of all of them together

# Why a message is not taken, besides what is wrong with its form.
UNKNOWN_SENDER, UNKNOWN_CLASS = "unknown sender", "class that nobody knows"
BAD_SIGNATURE, BAD_SAMPLE = "bad signature", "bad sample"
KNOWN, FULL = "known already", "full"
MALFORMED = "malformed"


class Pool:
    """It holds the chain as it was last shown and the samples that wait, in the order of their arrival.

    Args:
        chain: as it stands.
        capacity: samples that may wait (of large samples fewer, 256 MiB in all), an equal share for each sender.

    Raises:
        ValueError: a capacity that is not 1 to 8,192.
    """

    def __init__(self, chain: Chain, capacity: int = MOST_POOL) -> None:
        if not 1 <= capacity <= MOST_POOL:
            raise ValueError(f"capacity = {capacity}: expected 1 to {MOST_POOL}")
        self.chain = chain
        self._waiting: dict[tuple[int, bytes, int, int], SampleSent] = {}
        self._held: dict[int, int] = {}  # sender -> samples of its that wait
        self._named: dict[bytes, dict[tuple[int, bytes, int, int], SampleSent]] = {}  # by the name of the content
        state: State = chain.state
        self._room = max(1, min(capacity, MOST_POOL_BYTES // (4 * math.prod(state.terms.shape) + 64)))

    def __len__(self) -> int:
        return len(self._waiting)

    def first(self, most: int) -> list[SampleSent]:
        """Those that have waited longest; they go on waiting."""
        return list(islice(self._waiting.values(), most))

    def follow(self, chain: Chain, blocks: Iterable[Block] = ()) -> None:
        """The chain as it stands now; samples that are in these blocks wait no longer."""
        self.chain = chain
        for block in blocks:
            if read_head(block.records[0]).what == CALIBRATE:
                for note in read_calibration(block.records[1:])[0]:
                    self.drop(note[:4])
            else:
                self._drop_unsigned()

    def _drop_unsigned(self) -> None:
        """Whoever is gone, or has another key, has sent for nothing; so has who sent of classes nobody knows now."""
        state: State = self.chain.state
        for said, sent in list(self._waiting.items()):
            known = state.is_in(sent.sender) and state.claimed(sent.label) and state.claimed(sent.wrong)
            key = state.parties[sent.sender].key if known else b""
            if not known or not is_signed(key, SAMPLE, self.chain.genesis.hash, said, sent.signature):
                self.drop(said)

    def content(self, name: bytes) -> bytes | None:
        """That of a sample that waits."""
        sent = next(iter(self._named.get(name, {}).values()), None)
        return None if sent is None else sent.content

    def drop(self, said: tuple[int, bytes, int, int]) -> None:
        """Let a sample wait no longer, see `SampleSent.said`."""
        if self._waiting.pop(said, None) is not None:
            self._held[said[0]] -= 1
            alike = self._named[said[1]]
            del alike[said]
            if not alike:
                del self._named[said[1]]

    def receive(self, data: bytes) -> str | None:
        """Take a sample from anybody; None, or why it is not taken."""
        if type(data) is not bytes or len(data) > MOST_MESSAGE:
            return f"{MALFORMED}: expected at most {MOST_MESSAGE} bytes"
        try:
            sent = read_sample(data)
        except Malformed as error:
            return f"{MALFORMED}: {error}"
        state: State = self.chain.state
        if not state.is_in(sent.sender):
            return UNKNOWN_SENDER
        if not (state.claimed(sent.label) and state.claimed(sent.wrong)):
            return UNKNOWN_CLASS
        said = sent.said()
        if said in self._waiting:
            return KNOWN
        share = max(1, self._room // len(state.parties))
        if len(self._waiting) >= self._room or self._held.get(sent.sender, 0) >= share:
            return FULL
        if not is_signed(state.parties[sent.sender].key, SAMPLE, self.chain.genesis.hash, said, sent.signature):
            return BAD_SIGNATURE
        try:
            read_x(sent.content, state.terms.shape)
        except Malformed as error:
            return f"{BAD_SAMPLE}: {error}"
        self._waiting[said] = sent
        self._named.setdefault(sent.name, {})[said] = sent
        self._held[sent.sender] = self._held.get(sent.sender, 0) + 1
        return None
