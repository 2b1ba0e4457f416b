"""The chain in a file, from its genesis and the contents beside it, or the first block where it breaks and why."""

import sqlite3
from collections.abc import Callable
from typing import NamedTuple

from folkmoot.encoding import Malformed
from folkmoot.errors import DamagedFile
from folkmoot.ledger.block import Block
from folkmoot.ledger.chain import Chain, Genesis, apply_block, start
from folkmoot.ledger.contents import Contents
from folkmoot.ledger.errors import InvalidBlock
from folkmoot.ledger.file import FAULTS, LastBlock, head_of, next_height, next_seal, row_of
from folkmoot.ledger.place import plain
from folkmoot.ledger.rules import UnknownRules

LOWEST = -(1 << 63)  # what a height in a file can be
_REPORT_EVERY = 64  # blocks


class DamagedLedger(DamagedFile):
    """A ledger file whose content is not a chain.

    Attributes:
        height: of the first bad block; 0 is the genesis.
        reason: one line.
        file: what it is called, and where a link to it leads.
    """

    def __init__(self, height: int, reason: str, file: str = "") -> None:
        self.height = height
        self.reason = plain(reason)
        self.file = file
        where = f"{file}: block {height}" if file else f"block {height}"
        super().__init__(f"{where}{' (the genesis)' if height == 0 else ''}: {self.reason}")


class Verification(NamedTuple):
    """What a ledger file was found to hold."""

    blocks: int  # good ones, from the first after the genesis
    tip: bytes  # hash of the last block if all are good, else empty
    bad: int | None = None  # height of the first bad one
    reason: str = ""
    remarks: tuple[str, ...] = ()  # what a reader of such a chain cannot check though all blocks are good, a line each

    @property
    def ok(self) -> bool:
        """Is everything in order that a reader can check?"""
        return self.bad is None


def replay(
    database: sqlite3.Connection, contents: Contents, progress: Callable[[int], None] | None = None
) -> tuple[Chain, LastBlock]:
    """The chain after the last block and the head row that agrees with it.

    Every row is looked at: each block follows, each seal is that of the bytes, and the head names the last block.
    However it ends, the last call of `progress` is with the number of good blocks.

    Raises:
        DamagedLedger: the first block where something is not so.
        UnknownRules: the rules of this kind of chain are not known.
    """
    chain: Chain | None = None
    seal, height = b"", 0
    try:
        lowest = next_height(database, LOWEST)
        if lowest is not None and lowest < 0:
            raise DamagedLedger(0, f"a block with height {lowest} stands before it")
        while (row := row_of(database, height)) is not None:
            data, row_seal = row
            if data is None or row_seal is None:
                raise DamagedLedger(height, "stored as something else than bytes")
            seal = next_seal(seal, data)
            if chain is not None or seal == row_seal:  # a damaged genesis is damage, whatever it seems to say
                chain = _next(chain, height, data, contents)
            if chain is None or seal != row_seal:
                raise DamagedLedger(height, "the bytes stored are not those that were sealed")
            if progress is not None and height % _REPORT_EVERY == 0:
                progress(height)
            height += 1
        after = next_height(database, height)
        if after is not None or chain is None:
            raise DamagedLedger(height, "missing" if after is None else f"missing, the next one is block {after}")
        return chain, _checked_head(database, LastBlock(chain.height, chain.tip, seal))
    except (*FAULTS, MemoryError, OverflowError) as error:
        raise DamagedLedger(height, f"the file is damaged: {error}") from None
    finally:
        if progress is not None:
            progress(max(height - 1, 0))


def _next(chain: Chain | None, height: int, data: bytes, contents: Contents) -> Chain:
    try:
        if chain is None:
            return start(Genesis.from_bytes(data), contents)
        return apply_block(chain, Block.from_bytes(data))
    except UnknownRules:
        raise
    except InvalidBlock as error:
        raise DamagedLedger(height, error.reason) from None
    except Malformed as error:
        raise DamagedLedger(height, f"Malformed: {error}") from None


def _checked_head(database: sqlite3.Connection, last: LastBlock) -> LastBlock:
    """The head row agrees with the last row of blocks."""
    head = head_of(database)
    if head is None:
        raise DamagedLedger(last.height, "the head row, which should name it, is missing or not readable")
    if head.height > last.height:
        raise DamagedLedger(last.height + 1, f"missing, the head row says there are {head.height} blocks")
    if head.height < last.height:
        after = max(head.height + 1, 0)
        raise DamagedLedger(after, f"stored beyond the head row, which says there are {head.height} blocks")
    if head.tip != last.tip:
        raise DamagedLedger(last.height, f"its hash is {last.tip.hex()}, the head row says {head.tip.hex()}")
    if head.seal != last.seal:
        raise DamagedLedger(last.height, "the head row does not have its seal")
    return head
