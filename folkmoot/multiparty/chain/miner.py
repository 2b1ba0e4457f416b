"""A miner: it gathers samples that are signed and of the right form, and makes blocks of them."""

import math
from collections.abc import Callable, Iterable

from folkmoot.encoding import Malformed, decode
from folkmoot.ledger.block import Block, mined
from folkmoot.ledger.chain import Chain, propose
from folkmoot.multiparty.chain.messages import MOST_MESSAGE, SampleSent, read_sample
from folkmoot.multiparty.chain.records import (
    CALIBRATE,
    LIMITS,
    MOST_SAMPLES,
    REFUSE,
    REGISTER,
    Head,
    Leaf,
    SampleNote,
    read_calibration,
    read_head,
    read_x,
)
from folkmoot.multiparty.chain.signing import SAMPLE, is_signed
from folkmoot.multiparty.chain.standing import Calibrated, State, calibrated
from folkmoot.multiparty.rules.sample import Sample
from folkmoot.signatures import SigningKey, public_key

MOST_POOL = 1 << 13  # samples waiting
MOST_POOL_BYTES = 1 << 28  # of all of them together
NONCES = range(1 << 64)

# Why a message is not taken, besides what is wrong with its form.
UNKNOWN_SENDER, UNKNOWN_CLASS = "unknown sender", "class that nobody knows"
BAD_SIGNATURE, BAD_SAMPLE = "bad signature", "bad sample"
KNOWN, FULL = "known already", "full"
MALFORMED = "malformed"


def _never() -> bool:
    return False


class Miner:
    """A party or a registered miner; it holds the last block it was shown and the samples that wait.

    Args:
        key: its Ed25519 key.
        chain: as it stands; its contents are where samples and parameters are put.
        capacity: samples that may wait (of large samples fewer, 256 MiB in all), an equal share for each sender.

    Raises:
        ValueError: the key may not make blocks on this chain, or a capacity that is not 1 to 8,192.
    """

    def __init__(self, key: SigningKey, chain: Chain, capacity: int = MOST_POOL) -> None:
        if not 1 <= capacity <= MOST_POOL:
            raise ValueError(f"capacity = {capacity}: expected 1 to {MOST_POOL}")
        self.key, self.chain = key, chain
        self._waiting: dict[tuple[int, bytes, int, int], SampleSent] = {}  # in the order of arrival
        self._held: dict[int, int] = {}  # sender -> samples of its that wait
        state: State = chain.state
        kind = state.kind_of(public_key(key))
        if kind is None:
            raise ValueError(f"key {public_key(key).hex()}: neither a miner nor a party of this chain")
        self._kind = kind
        self._room = max(1, min(capacity, MOST_POOL_BYTES // (4 * math.prod(state.terms.shape) + 64)))

    @property
    def waiting(self) -> int:
        """Samples that wait for a block."""
        return len(self._waiting)

    def follow(self, chain: Chain, blocks: Iterable[Block] = ()) -> None:
        """The chain as it stands now; samples that are in these blocks wait no longer."""
        self.chain = chain
        for block in blocks:
            if read_head(block.records[0]).what == CALIBRATE:
                for note in read_calibration(block.records[1:])[0]:
                    self._drop(note[:4])

    def _drop(self, said: tuple[int, bytes, int, int]) -> None:
        if self._waiting.pop(said, None) is not None:
            self._held[said[0]] -= 1

    def receive(self, data: bytes) -> str | None:
        """Take a sample from anybody; None, or why it is not taken."""
        if type(data) is not bytes or len(data) > MOST_MESSAGE:
            return f"{MALFORMED}: expected at most {MOST_MESSAGE} bytes"
        try:
            sent = read_sample(data)
        except Malformed as error:
            return f"{MALFORMED}: {error}"
        state: State = self.chain.state
        if sent.sender >= len(state.parties):
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
        self._held[sent.sender] = self._held.get(sent.sender, 0) + 1
        return None

    def block(self, time: int, samples: int = 200, stop: Callable[[], bool] = _never) -> Block | None:
        """The next block, of the samples that have waited longest; they wait until `follow` shows them in a block.

        What is not on the chain, the samples and the parameters of the models they moved, is in the contents then.

        Args:
            time: milliseconds since 1970, for the head.
            samples: most samples in it.
            stop: asked now and then; True gives up.

        Returns:
            None if no sample waits, or it was stopped.

        Raises:
            ValueError: a number of samples that is not 1 to 4,096, or a time no head can have.
            NotStored: see `Contents.put`.
        """
        if not 1 <= samples <= MOST_SAMPLES:
            raise ValueError(f"samples = {samples}: expected 1 to {MOST_SAMPLES}")
        state: State = self.chain.state
        chosen, outcome = self._chosen(list(self._waiting.values())[:samples])
        if outcome is None or stop():
            return None
        for sent in chosen:
            state.contents.put(sent.content)
        for model in outcome.moved:
            state.contents.put(model.parameters)
        notes = [
            SampleNote(s.sender, s.name, s.label, s.wrong, s.signature, v)
            for s, v in zip(chosen, outcome.verdicts, strict=True)
        ]
        leaves = [Leaf(m.party, state.parties[m.party].model_kind, m.name) for m in outcome.moved]
        records = [note.to_bytes() for note in notes] + [leaf.to_bytes() for leaf in leaves]
        return self._made(CALIBRATE, time, records, stop)

    def admission(self, answer: bytes, time: int, stop: Callable[[], bool] = _never) -> Block | None:
        """The next block, of what `OriginalParty.assess` returned; None if it was stopped.

        Raises:
            Malformed: bytes that are no such answer; whether it holds is for `apply_block` to say.
            ValueError: a time no head can have.
        """
        value = decode(answer, LIMITS)
        what = value[0] if type(value) is tuple and value else None
        if type(what) is not str or what not in (REGISTER, REFUSE):
            raise Malformed("answer to an application: expected a registration or a refusal")
        return self._made(what, time, [answer], stop)

    def _made(self, what: str, time: int, records: list[bytes], stop: Callable[[], bool]) -> Block | None:
        head = Head(what, time, public_key(self.key), self._kind).to_bytes()
        try:
            read_head(head)
        except Malformed as error:  # of one's own making: the time is the caller's
            raise ValueError(str(error)) from None
        block = mined(propose(self.chain, [head, *records]), NONCES, stop)
        return None if block is None else block.signed(self.key)

    def _chosen(self, candidates: list[SampleSent]) -> tuple[list[SampleSent], Calibrated | None]:
        """The samples and what they do; one that would make a model's numbers overflow is thrown away."""
        state: State = self.chain.state
        samples = [_sample(sent, state) for sent in candidates]
        if not samples:
            return [], None
        try:
            return candidates, state.after(samples)
        except Malformed:
            pass
        committee, kept = state.committee, []
        for sent, sample in zip(candidates, samples, strict=True):
            try:
                committee = calibrated(committee, [sample]).committee
                kept.append(sent)
            except Malformed:
                self._drop(sent.said())
        return (kept, state.after([_sample(sent, state) for sent in kept])) if kept else ([], None)


def _sample(sent: SampleSent, state: State) -> Sample:
    return Sample(read_x(sent.content, state.terms.shape), sent.label, sent.wrong, sent.sender, sent.name)
