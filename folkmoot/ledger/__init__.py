"""The chain as a pure state transition: blocks that follow or are refused by name, kept in a file anyone can verify."""

from folkmoot.encoding import Limits, Malformed, decode, digest, encode
from folkmoot.ledger.block import Block, Header, is_signed, mined, sign
from folkmoot.ledger.chain import Chain, Genesis, accounts, apply_block, propose, start
from folkmoot.ledger.contents import (
    Contents,
    FolderContents,
    MemoryContents,
    MissingContent,
    TamperedContent,
    beside,
    name_of,
)
from folkmoot.ledger.errors import InvalidBlock, RefusedRecord
from folkmoot.ledger.place import NotStored, UnreadableLedger
from folkmoot.ledger.replay import DamagedLedger, Verification
from folkmoot.ledger.rules import KINDS, Rules, Signers, UnknownRules
from folkmoot.ledger.store import Ledger, create
from folkmoot.ledger.store import open_ledger as open
from folkmoot.registry import moved

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
    "Verification",
    "accounts",
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
    "sign",
    "start",
]


def __getattr__(name: str) -> object:
    return moved(__name__, name)
