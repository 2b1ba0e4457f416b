"""The chain as a pure state transition: blocks that follow or are refused by name, kept in a file anyone can verify."""

from typing import TYPE_CHECKING

from folkmoot.ledger.block import Block, Header, is_signed, mined, sign
from folkmoot.ledger.chain import Chain, Genesis, apply_block, propose, start
from folkmoot.ledger.contents import (
    Contents,
    FolderContents,
    MemoryContents,
    MissingContent,
    TamperedContent,
    beside,
    name_of,
)
from folkmoot.ledger.encoding import Limits, Malformed, decode, digest, encode
from folkmoot.ledger.errors import InvalidBlock, RefusedRecord
from folkmoot.ledger.file import NotStored, UnreadableLedger
from folkmoot.ledger.replay import DamagedLedger, Verdict
from folkmoot.ledger.rules import KINDS, Rules, Signers, UnknownRules
from folkmoot.ledger.store import Ledger, create
from folkmoot.ledger.store import open_ledger as open

if TYPE_CHECKING:
    from folkmoot.ledger.settlement import settle as settle

__all__ = [
    "KINDS",
    "Block",
    "Chain",
    "Contents",
    "DamagedLedger",
    "FolderContents",
    "Genesis",
    "Header",
    "InvalidBlock",
    "Ledger",
    "Limits",
    "Malformed",
    "MemoryContents",
    "MissingContent",
    "NotStored",
    "RefusedRecord",
    "Rules",
    "Signers",
    "TamperedContent",
    "UnknownRules",
    "UnreadableLedger",
    "Verdict",
    "apply_block",
    "beside",
    "create",
    "decode",
    "digest",
    "encode",
    "is_signed",
    "mined",
    "name_of",
    "open",
    "propose",
    "settle",
    "sign",
    "start",
]


def __getattr__(name: str) -> object:
    if name == "settle":  # the contract's arithmetic loads a compiler, which no other name here needs
        from folkmoot.ledger.settlement import settle

        return settle
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
