"""The chain as a pure state transition: a chain and a block in, the next chain or a named error out."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from folkmoot.encoding import Malformed, Value, decode, digest, encode
from folkmoot.errors import brief, require
from folkmoot.ledger import work
from folkmoot.ledger.block import (
    VERSION,
    Block,
    Header,
    Signature,
    checked_integer,
    checked_kind,
    draft,
    next_fields,
)
from folkmoot.ledger.contents import NOTHING, Contents
from folkmoot.ledger.errors import (
    BadSignature,
    LowWork,
    MissingSignature,
    RefusedRecord,
    UnknownSigner,
    WrongHeight,
    WrongKind,
    WrongParent,
    WrongRoot,
    WrongVersion,
)
from folkmoot.ledger.rules import Rules, Signers, UnknownRules, rules_of
from folkmoot.signatures import first_bad

GENESIS = "genesis"  # the domain of its hash, and the first word of its encoding


@dataclass(frozen=True)
class Genesis:
    """What a chain begins with: the hash of this is what its first block names as the one before.

    Raises:
        ValueError: a field of the wrong type or range, or a configuration that has no encoding.
    """

    kind: str
    configuration: Value  # what it may be is for the rules of the kind to say
    work_bits: int = 0  # leading zero bits the hash of every block must have
    version: int = VERSION

    def __post_init__(self) -> None:
        checked_kind(self.kind)
        checked_integer("work_bits", self.work_bits, work.MOST_BITS)
        checked_integer("version", self.version, 0xFFFF)
        self.to_bytes()

    def to_bytes(self) -> bytes:
        """The one encoding."""
        return encode((GENESIS, self.version, self.kind, self.work_bits, self.configuration))

    @classmethod
    def from_bytes(cls, data: bytes) -> "Genesis":
        """The genesis with this encoding.

        Raises:
            Malformed: there is none.
        """
        value = decode(data)
        if type(value) is not tuple or len(value) != 5 or type(value[0]) is not str or value[0] != GENESIS:
            raise Malformed("not a genesis")
        try:
            return cls(version=value[1], kind=value[2], work_bits=value[3], configuration=value[4])
        except ValueError as error:
            raise Malformed(str(error)) from None

    @cached_property
    def hash(self) -> bytes:
        """32 bytes."""
        return digest(GENESIS, self.to_bytes())


@dataclass(frozen=True)
class Chain:
    """All that the next block depends on. Never changed: `apply_block` returns the next one."""

    genesis: Genesis
    height: int  # blocks after the genesis
    tip: bytes  # hash of the last block, or of the genesis
    state: Any  # what the rules of the kind make of the records so far


def start(genesis: Genesis, contents: Contents = NOTHING) -> Chain:
    """The chain before its first block; `contents` is where the bytes are that its records name.

    Raises:
        UnknownRules: no rules are known for its kind or version.
        Malformed: a configuration that the rules refuse.
        MissingContent, TamperedContent: contents that it names.
    """
    require("genesis", genesis, Genesis)
    if genesis.version != VERSION:
        raise UnknownRules(f"chain of version {genesis.version}: only version {VERSION} is understood")
    rules = rules_of(genesis.kind)
    if genesis.work_bits and not getattr(rules, "work", True):
        raise Malformed(
            f"work_bits = {genesis.work_bits}: nobody does work on blocks of kind {genesis.kind!r}; expected 0"
        )
    return Chain(genesis, 0, genesis.hash, rules.genesis(genesis.configuration, contents))


def begin(genesis: Genesis, contents: Contents = NOTHING) -> Chain:
    """The chain of a genesis of one's own, before its first block: as `start`, but what is wrong is the caller's fault.

    Raises:
        ValueError: no rules are known for its kind or version, or they refuse the configuration.
        MissingContent, TamperedContent: contents that it names.
    """
    try:
        return start(genesis, contents)
    except (UnknownRules, Malformed) as error:
        raise ValueError(str(error)) from None


def accounts(chain: Chain) -> tuple[str, list[str], list[list[str]]]:
    """What the chain's kind tells of its accounts: a sentence, the header of a table, and its rows.

    Raises:
        ValueError: it keeps none.
    """
    require("chain", chain, Chain)
    told = getattr(rules_of(chain.genesis.kind), "accounts", None)
    if told is None:
        raise ValueError(f"accounts: a chain of kind {chain.genesis.kind!r} keeps none that can be shown")
    found: tuple[str, list[str], list[list[str]]] = told(chain.state)
    return found


def propose(chain: Chain, records: Iterable[bytes]) -> Block:
    """The next block of a chain over these records, with no work done (`mined`) and no signatures (`Block.signed`).

    Raises:
        ValueError: records that no block can hold.
    """
    require("chain", chain, Chain)
    if isinstance(records, str | bytes) or getattr(records, "shape", None) == () or not isinstance(records, Iterable):
        raise ValueError(f"records = {brief(records)}: expected a list of bytes")
    genesis = chain.genesis
    return draft(genesis.kind, chain.height + 1, chain.tip, tuple(records), genesis.work_bits)


def is_next(chain: Chain, block: Block) -> bool:
    """Is its header the one that `propose` gives the next block of a chain over these records?"""
    genesis = chain.genesis
    expected = next_fields(genesis.kind, chain.height + 1, chain.tip, block.root, genesis.work_bits)
    return block.header.fields() == expected


def apply_block(chain: Chain, block: Block, rules: Rules | None = None) -> Chain:
    """The chain after one more block; `rules`: those of its kind, None: as they are registered.

    Raises:
        InvalidBlock: a subclass that says why the block does not follow; the cheap checks come first.
    """
    require("chain", chain, Chain)
    require("block", block, Block)
    if rules is not None and not (hasattr(rules, "step") and hasattr(rules, "signers")):
        raise ValueError(f"rules = {brief(rules)}: expected rules of a kind of ledger, or None")
    header, records = block.header, block.records
    rules = rules_of(chain.genesis.kind) if rules is None else rules
    _check_header(chain, header)
    if block.root != header.records_root:
        raise WrongRoot(f"the header does not cover these {len(records)} records")
    try:
        _check_signatures(header, block.signatures, rules.signers(chain.state, records))
        state = rules.step(chain.state, header, records)
    except Malformed as error:
        raise RefusedRecord(str(error)) from None
    return replace(chain, height=header.height, tip=header.hash, state=state)


def _check_header(chain: Chain, header: Header) -> None:
    genesis = chain.genesis
    if header.version != genesis.version:
        raise WrongVersion(f"version {header.version}: the chain has version {genesis.version}")
    if header.kind != genesis.kind:
        raise WrongKind(f"kind {header.kind!r}: the chain is of kind {genesis.kind!r}")
    if header.height != chain.height + 1:
        raise WrongHeight(f"height {header.height}: the next block is {chain.height + 1}")
    if header.previous != chain.tip:
        raise WrongParent(f"follows {header.previous.hex()}: the chain ends in {chain.tip.hex()}")
    if header.work_bits < genesis.work_bits:
        raise LowWork(f"{header.work_bits} bits promised: the chain demands {genesis.work_bits}")
    if not work.enough(header.hash, header.work_bits):
        raise LowWork(f"hash {header.hash.hex()}: {header.work_bits} leading zero bits were promised")


def _check_signatures(header: Header, signatures: tuple[Signature, ...], signers: Signers) -> None:
    for key, _ in signatures:
        if key not in signers.keys:
            raise UnknownSigner(f"key {key.hex()} has no say in this block")
    if len(signatures) < signers.quorum:
        raise MissingSignature(f"{len(signatures)} signatures: {signers.quorum} are needed")
    bad = first_bad(header.hash, signatures)
    if bad is not None:
        raise BadSignature(f"the signature of {bad.hex()} is not on this header")
