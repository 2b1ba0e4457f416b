"""The contents of a participant: those of its chain, those that were handed to it, and those that are missing."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from folkmoot.encoding import Malformed
from folkmoot.errors import OtherSide
from folkmoot.ledger.block import Block
from folkmoot.ledger.contents import Contents, MissingContent, TamperedContent, name_of
from folkmoot.multiparty.chain.acts import Admitted, Updated, read_act
from folkmoot.multiparty.chain.exchanged import read_exchange
from folkmoot.multiparty.chain.pool import Pool
from folkmoot.multiparty.chain.records import (
    ADMIT,
    CALIBRATE,
    EXCHANGE,
    REGISTER,
    UPDATE,
    read_calibration,
    read_head,
    read_registered,
)
from folkmoot.multiparty.chain.samples import sample_of
from folkmoot.multiparty.chain.standing import State

MOST_LOOSE = 1 << 25  # bytes that no block names yet, of all those together who are no members
_STRANGERS = -2  # no number of a sender


class Shelf:
    """What a block names is put into the store before the block is looked at; what no block names never is.

    Args:
        contents: of the chain.
        pool: samples that wait have contents too.
        room: bytes that no block names yet, for each sender.

    Attributes:
        also: where contents are that are neither in the store nor waiting, such as those of an exchange.
        missing: names that a block has and this participant has not; is it a block that a quorum has signed?
    """

    def __init__(self, contents: Contents, pool: Pool, room: int) -> None:
        self._contents, self._pool, self._room = contents, pool, room
        self._loose: dict[bytes, bytes] = {}
        self._laid = Counter[int]()  # bytes that each sender has laid
        self._lent = Counter[int]()  # bytes that each has been given in this round
        self._told = set[tuple[int, bytes]]()  # and what
        self.missing: dict[bytes, bool] = {}
        self.also: Callable[[bytes], bytes | None] = lambda name: None

    def loose(self, name: bytes) -> bytes | None:
        """A content that no block names yet."""
        return self._loose.get(name) or self.also(name)

    def clear(self) -> None:
        """Forget what was handed in and is named by no block, and what only proposals named."""
        self._loose = {}
        self._laid.clear()
        self._lent.clear()
        self._told.clear()
        self.missing = {name: final for name, final in self.missing.items() if final}

    def lay(self, content: bytes, sender: int, members: int) -> None:
        """Take what is handed in, as long as its sender has room; what a final block names goes into the store.

        So nobody takes the room of others: `members` have the first numbers, and all who are none share some room.
        """
        name = name_of(content)
        if name in self.missing:
            if self.missing.pop(name):
                self._contents.put(content)
            else:
                self._loose[name] = content  # of a block that was proposed, which bounds them
            return
        size, stranger = len(content), not 0 <= sender < members
        if name in self._loose or self._laid[sender] + size > self._room:
            return
        if stranger and self._laid[_STRANGERS] + size > MOST_LOOSE:
            return
        self._laid[sender] += size
        self._laid[_STRANGERS] += size if stranger else 0
        self._loose[name] = content

    def give(self, names: Iterable[bytes]) -> Iterator[bytes]:
        """Those of these contents that are in the store, one after the other."""
        for name in names:
            content: bytes | None
            try:
                content = self._contents.get(name)
            except (MissingContent, TamperedContent):
                content = self.also(name)
            if content is not None:
                yield content

    def lend(self, names: Iterable[bytes], to: int) -> Iterator[bytes]:
        """As `give`, to somebody who asks: each content once in a round, and so many bytes in all."""
        for name in names:
            if self._lent[to] < 2 * self._room and (to, name) not in self._told:
                self._told.add((to, name))
                for content in self.give([name]):
                    self._lent[to] += len(content)
                    yield content

    def supply(self, state: State, block: Block, final: bool) -> None:
        """Put what a block names into the store, as far as it is at hand; `final`: a quorum has signed it.

        Raises:
            MissingContent: something is not; it is among `missing` then.
        """
        lacking = [name for name in names_in(block) if not self._has(name)]
        if lacking:
            self.missing.update(dict.fromkeys(lacking, final))
            raise MissingContent(f"{len(lacking)} contents are missing, the first is {lacking[0].hex()}")
        for parameters in moved_by(state, block):
            self._contents.put(parameters)

    def _has(self, name: bytes) -> bool:
        content = self.loose(name) or self._pool.content(name)
        if content is not None:
            self._contents.put(content)
            return True
        return next(self.give([name]), None) is not None


def names_in(block: Block) -> list[bytes]:
    """Contents that one must have to check a block; none for a block that is malformed, which the rules say."""
    try:
        what = read_head(block.records[0]).what if block.records else None
        if what == CALIBRATE:
            return [note.name for note in read_calibration(block.records[1:])[0]]
        if what == EXCHANGE:
            return read_exchange(block.records[1:]).names
        if what == REGISTER and len(block.records) == 2:
            return [read_registered(block.records[1]).party.parameters]
        if what in (UPDATE, ADMIT) and len(block.records) == 2:
            act = read_act(block.records[1])
            return [act.party.parameters] if isinstance(act, Updated | Admitted) else []
    except Malformed:
        pass
    return []


def moved_by(state: State, block: Block) -> list[bytes]:
    """The parameters of the models that a block's samples move; none if the rules refuse the block anyway."""
    try:
        if not block.records or read_head(block.records[0]).what != CALIBRATE:
            return []
        state = state._replace(origin=block.header.previous) if block.header.height == 1 else state
        samples = [sample_of(state, note) for note in read_calibration(block.records[1:])[0]]
        return [model.parameters for model in state.after(samples).moved]
    except OtherSide:
        return []
