"""A miner: it makes blocks of the samples that wait in its pool, and of answers to newcomers."""

from collections.abc import Callable, Iterable, Sequence

from folkmoot.encoding import Malformed
from folkmoot.ledger.block import Block, mined
from folkmoot.ledger.chain import Chain, propose
from folkmoot.multiparty.chain.acts import Act, Checkpoint, what_of
from folkmoot.multiparty.chain.acts import to_bytes as act_bytes
from folkmoot.multiparty.chain.checkpoints import entered, snapshot_of
from folkmoot.multiparty.chain.kind import refusals
from folkmoot.multiparty.chain.messages import SampleSent
from folkmoot.multiparty.chain.pool import MOST_POOL, Pool
from folkmoot.multiparty.chain.records import (
    CALIBRATE,
    CHECKPOINT,
    MOST_SAMPLES,
    REFUSE,
    REGISTER,
    Head,
    Leaf,
    Registered,
    SampleNote,
    answer_in,
    read_head,
    read_x,
)
from folkmoot.multiparty.chain.standing import Calibrated, State, calibrated
from folkmoot.multiparty.rules.sample import Sample
from folkmoot.signatures import SigningKey, public_key

NONCES = range(1 << 64)


def _never() -> bool:
    return False


class Miner:
    """A party or a registered miner; it holds the last block it was shown and the samples that wait.

    Args:
        key: its Ed25519 key.
        chain: as it stands; its contents are where samples and parameters are put.
        capacity: samples that may wait (of large samples fewer, 256 MiB in all), an equal share for each sender.
        pool: where they wait; a new one if None.

    Raises:
        ValueError: the key may not make blocks on this chain, or a capacity that is not 1 to 8,192.
    """

    def __init__(self, key: SigningKey, chain: Chain, capacity: int = MOST_POOL, pool: Pool | None = None) -> None:
        self.left_out: list[tuple[int, str]] = []  # sender and verdict of refused samples that no block may record
        self.key, self.chain, self.pool = key, chain, Pool(chain, capacity) if pool is None else pool
        state: State = chain.state
        kind = state.kind_of(public_key(key))
        if kind is None:
            raise ValueError(f"key {public_key(key).hex()}: neither a miner nor a party of this chain")
        self._kind = kind

    @property
    def waiting(self) -> int:
        """Samples that wait for a block."""
        return len(self.pool)

    def follow(self, chain: Chain, blocks: Iterable[Block] = ()) -> None:
        """The chain as it stands now; samples that are in these blocks wait no longer."""
        self.chain = chain
        self.pool.follow(chain, blocks)

    def receive(self, data: bytes) -> str | None:
        """Take a sample from anybody; None, or why it is not taken."""
        return self.pool.receive(data)

    def block(
        self, time: int, samples: int = 200, stop: Callable[[], bool] = _never, round: int | None = None
    ) -> Block | None:
        """The next block, of the samples that have waited longest; they wait until `follow` shows them in a block.

        What is not on the chain, the samples and the parameters of the models they moved, is in the contents then.

        Args:
            time: milliseconds since 1970, for the head.
            samples: most samples in it.
            stop: asked now and then; True gives up.
            round: of the vote, on a chain whose blocks are voted on.

        Returns:
            The block, signed if that is all it needs; None if no sample waits, or it was stopped.

        Raises:
            ValueError: a number of samples that is not 1 to 4,096, or a time no head can have.
            NotStored: see `Contents.put`.
        """
        if not 1 <= samples <= MOST_SAMPLES:
            raise ValueError(f"samples = {samples}: expected 1 to {MOST_SAMPLES}")
        state: State = self.chain.state
        self.left_out = []
        chosen, outcome = self._chosen(self.pool.first(samples))
        if outcome is None or stop():
            return None
        chosen, outcome = self._recordable(chosen, outcome)
        if not chosen:
            return None
        for sent in chosen:
            state.contents.put(sent.content)
        for model in outcome.moved:
            state.contents.put(model.parameters)
        notes = _notes(chosen, outcome.verdicts)
        leaves = [Leaf(m.party, state.parties[m.party].model_kind, m.name) for m in outcome.moved]
        records = [note.to_bytes() for note in notes] + [leaf.to_bytes() for leaf in leaves]
        return self._made(Head(CALIBRATE, time, self._own, self._kind, round), records, stop)

    def admission(
        self, answer: bytes, time: int, stop: Callable[[], bool] = _never, round: int | None = None
    ) -> Block | None:
        """The next block, of what `OriginalParty.assess` returned; None if it was stopped.

        Raises:
            Malformed: bytes that are no such answer; whether it holds is for `apply_block` to say.
            ValueError: a time no head can have.
        """
        what = REGISTER if isinstance(answer_in(answer), Registered) else REFUSE
        return self._made(Head(what, time, self._own, self._kind, round), [answer], stop)

    def act(self, act: Act, time: int, stop: Callable[[], bool] = _never, round: int | None = None) -> Block | None:
        """The next block, of an act (acts.py); None if it was stopped. Whether it holds is for `apply_block` to say.

        Raises:
            ValueError: a time no head can have, or an act that is more than a record can hold.
        """
        return self._made(Head(what_of(act), time, self._own, self._kind, round), [act_bytes(act)], stop)

    def checkpoint(self, time: int, stop: Callable[[], bool] = _never, round: int | None = None) -> Block | None:
        """The next block, which names the state before it; the snapshot is in the contents then. None: it was stopped.

        Raises:
            ValueError: a time no head can have, or a state that is more than a content can hold.
            NotStored: see `Contents.put`.
        """
        head = Head(CHECKPOINT, time, self._own, self._kind, round)
        state: State = self.chain.state
        name = state.contents.put(snapshot_of(entered(state, head)))
        for number in range(len(state.parties)):
            if state.is_in(number):
                state.contents.put(state.committee.fleet.parameters(number))
        return self._made(head, [act_bytes(Checkpoint(name))], stop)

    def recording(
        self, what: str, records: list[bytes], time: int, stop: Callable[[], bool] = _never, round: int | None = None
    ) -> Block | None:
        """The next block, of records that were made already (`exchanged`); None if it was stopped.

        Raises:
            ValueError: a time no head can have, or records that no block can hold.
        """
        return self._made(Head(what, time, self._own, self._kind, round), records, stop)

    @property
    def _own(self) -> bytes:
        return public_key(self.key)

    def _made(self, head: Head, records: list[bytes], stop: Callable[[], bool]) -> Block | None:
        """With its work done and, where one signature makes a block, with that."""
        first = head.to_bytes()
        try:
            read_head(first)
        except Malformed as error:  # of one's own making: the time is the caller's
            raise ValueError(str(error)) from None
        block = mined(propose(self.chain, [first, *records]), NONCES, stop)
        return block if block is None or head.round is not None else block.signed(self.key)

    def _recordable(self, chosen: list[SampleSent], outcome: Calibrated) -> tuple[list[SampleSent], Calibrated]:
        """Without the refused samples that the terms allow no block to record; these wait no longer."""
        state: State = self.chain.state
        excess = set(refusals(state, _notes(chosen, outcome.verdicts)).excess)
        if not excess:
            return chosen, outcome
        for number in sorted(excess):
            self.left_out.append((chosen[number].sender, outcome.verdicts[number]))
            self.pool.drop(chosen[number].said())
        kept = [sent for number, sent in enumerate(chosen) if number not in excess]
        stay = [number for number in range(len(chosen)) if number not in excess]
        verdicts, each = outcome.verdicts, outcome.each
        found = outcome._replace(verdicts=tuple(verdicts[n] for n in stay), each=tuple(each[n] for n in stay))
        return kept, state.known([_sample(sent, state) for sent in kept], found)

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
                self.pool.drop(sent.said())
        return (kept, state.after([_sample(sent, state) for sent in kept])) if kept else ([], None)


def _notes(chosen: Sequence[SampleSent], verdicts: Sequence[str]) -> list[SampleNote]:
    return [
        SampleNote(s.sender, s.name, s.label, s.wrong, s.signature, v) for s, v in zip(chosen, verdicts, strict=True)
    ]


def _sample(sent: SampleSent, state: State) -> Sample:
    return Sample(read_x(sent.content, state.terms.shape), sent.label, sent.wrong, sent.sender, sent.name)
