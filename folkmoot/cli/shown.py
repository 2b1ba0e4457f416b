"""What `folkmoot ledger show` says of a ledger: its last blocks, or those of one party, in words or as JSON."""

import json
from collections import deque
from collections.abc import Iterator
from typing import Any, NamedTuple

from folkmoot.encoding import Malformed
from folkmoot.ledger import Chain, DamagedLedger, Ledger, MissingContent, TamperedContent, UnknownRules
from folkmoot.ledger.block import Block
from folkmoot.ledger.chain import apply_block, start
from folkmoot.ledger.errors import InvalidBlock
from folkmoot.ledger.place import plain
from folkmoot.ledger.rules import Reader, ShownBlock, reader_of


class Looked(NamedTuple):
    """A block, and what it says if its kind can be read."""

    block: Block
    said: ShownBlock | None


class Found(NamedTuple):
    """What is shown of a ledger."""

    terms: ShownBlock | None  # None: its kind cannot be read in words
    blocks: list[Looked]


def looked_at(opened: Ledger, most: int, height: int | None, party: str | None, moved: bool) -> Found:
    """The last `most` blocks; or the one of a height; or the last ones that a party has a part in.

    Args:
        opened: the ledger.
        most: blocks.
        height: None: any.
        party: name; None: anybody.
        moved: compute the chain again, so that what each sample moved is known.

    Raises:
        ValueError: no such block or party, or a kind of ledger whose records cannot be read in words.
        DamagedLedger: bytes that are no block, or records that are none of its kind.
    """
    reader, last = _reader(opened), opened.height
    if reader is None and (party is not None or moved):
        what = "--party" if party is not None else "--moved"
        raise ValueError(f"{what}: records of kind {opened.genesis.kind!r} cannot be read in words")
    if height is not None and not 1 <= height <= last:
        raise ValueError(f"--block = {height}: expected an integer from 1 to {last}")
    first = max(last - most + 1, 1) if height is None else height
    end = last if height is None else height
    kept = deque[Looked](maxlen=most if height is None else 1)
    for block, said, at in _read(opened, reader, first if party is None else 1, end, moved):
        if at >= (first if party is None or height is not None else 1) and (party is None or has_part(said, party)):
            kept.append(Looked(block, said))
    if party is not None and reader is not None:
        _require_known(reader, party, kept)
    return Found(None if reader is None else reader.terms(), list(kept))


def _reader(opened: Ledger) -> Reader | None:
    genesis = opened.genesis
    try:
        return reader_of(genesis.kind, genesis.configuration, opened.contents)
    except (UnknownRules, MissingContent, TamperedContent):  # a chain that goes on, without what it goes on from
        return None
    except Malformed as error:
        raise DamagedLedger(0, f"Malformed: {error}", opened.name) from None


def _read(
    opened: Ledger, reader: Reader | None, first: int, end: int, moved: bool
) -> Iterator[tuple[Block, ShownBlock | None, int]]:
    """The blocks from `first` to `end`; who takes part is learnt from those before."""
    chain: Chain | None = start(opened.genesis, opened.contents) if moved else None
    for block in opened.blocks(1 if reader is not None else first, end):
        height = block.header.height
        said: ShownBlock | None = None
        try:
            if reader is not None and height < first:
                reader.follow(block)
            elif reader is not None:
                said = reader.read(block, None if chain is None else chain.state)
            chain = None if chain is None else apply_block(chain, block)
        except Malformed as error:
            raise DamagedLedger(height, f"Malformed: {error}", opened.name) from None
        except InvalidBlock as error:
            raise DamagedLedger(height, error.reason, opened.name) from None
        if height >= first:
            yield block, said, height


def has_part(said: ShownBlock | None, party: str) -> bool:
    """Did the party make the block, or has it a part in a record of it?"""
    return said is not None and (
        said.values.get("maker") == party or any(party in record.about for record in said.records)
    )


def _require_known(reader: Reader, party: str, kept: "deque[Looked]") -> None:
    names = sorted({name for record in reader.terms().records for name in record.about})
    if party not in names and not kept:
        raise ValueError(f"--party = {party!r:.80}: unknown; there are {', '.join(names)}")


def as_text(found: Found, party: str | None, all_records: bool) -> Iterator[str]:
    """Lines: the terms, the parties, and a line for each block, or for each record of it."""
    if found.terms is None:
        return
    yield plain(f"terms: {found.terms.line}")
    for record in found.terms.records:
        if party is None or party in record.about:
            yield plain(f"party: {record.line}")
    for block, said in found.blocks:
        if said is None:
            continue
        yield plain(f"block {block.header.height}: {said.line}")
        for record in said.records if all_records else ():
            if party is None or party in record.about or said.values.get("maker") == party:
                yield f"  {plain(record.line)}"


def as_json(opened: Ledger, found: Found) -> str:
    """One object: the ledger, its terms and participants if its kind can be read, and its blocks with all records."""
    genesis = opened.genesis
    told: dict[str, Any] = {"ledger": str(opened.path), "kind": genesis.kind, "genesis": genesis.hash.hex()}
    told["height"] = opened.height
    if found.terms is not None:
        told |= found.terms.values | {"parties": [record.values for record in found.terms.records]}
    told["blocks"] = [_block(block, said) for block, said in found.blocks]
    return json.dumps(told, indent=1)


def _block(block: Block, said: ShownBlock | None) -> dict[str, Any]:
    header = block.header
    values: dict[str, Any] = {"height": header.height, "hash": block.hash.hex(), "previous": header.previous.hex()}
    values["signatures"] = [key.hex() for key, _ in block.signatures]
    values["bytes"] = len(b"".join(block.records))
    if said is not None:
        values |= said.values | {"records": [record.values for record in said.records]}
    return values
