"""What the records of a chain mean: a few pure functions for each kind of chain, found by name.

A kind is entered in `KINDS` by where its rules are ("module:attribute", see `folkmoot.registry`), so that the ledger
imports no module of theirs before a chain of that kind is read; a file can name a kind, never a module.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from folkmoot.encoding import Malformed, Value
from folkmoot.errors import OtherSide
from folkmoot.ledger.block import Block, Header
from folkmoot.ledger.contents import Contents
from folkmoot.registry import LEDGERS, places, thing

KINDS = places(LEDGERS)


class UnknownRules(OtherSide):
    """A kind or version of chain whose rules are not known here."""


class ShownRecord(NamedTuple):
    """What a record says, for whoever reads a ledger."""

    values: dict[str, Any]  # as JSON has it
    line: str  # the same in words
    about: frozenset[str]  # names of those who have a part in it


class ShownBlock(NamedTuple):
    """What a block says."""

    values: dict[str, Any]
    line: str
    records: tuple[ShownRecord, ...]


class Reader(Protocol):
    """Reads the blocks of one chain in words. Nothing is checked: that is for `step`."""

    def terms(self) -> ShownBlock:
        """What the chain began with, and who takes part as far as blocks were read; its records are participants."""

    def follow(self, block: Block) -> None:
        """Take in who joins, leaves or changes by the next block, without reading the rest of it.

        Raises:
            Malformed: records that are none of this kind.
        """

    def read(self, block: Block, state: Any = None) -> ShownBlock:
        """The same, and what the block says. `state`: that before it, if the chain is computed again meanwhile.

        Raises:
            Malformed: records that are none of this kind.
        """


class Signers(NamedTuple):
    """Who may sign a block, and how many of them must."""

    keys: frozenset[bytes]  # public keys, 32 bytes each
    quorum: int


class Rules(Protocol):
    """The rules of a kind. States are immutable; the functions are pure and never look beyond their arguments.

    What they refuse they refuse by the errors below. Any other error is a mistake in the rules and stops the replay.
    A kind whose blocks nobody mines has an attribute `work` that is False: then a genesis cannot demand any. A kind
    that keeps accounts may have a function `accounts(state)` that gives a sentence, a table's header and its rows.
    """

    def genesis(self, configuration: Value, contents: Contents) -> Any:
        """The state before the first block; it keeps `contents` if records of this kind name any.

        Raises:
            Malformed: a configuration that no chain of this kind can have.
            MissingContent, TamperedContent: contents that the configuration names (`step` raises them too).
        """

    def signers(self, state: Any, records: tuple[bytes, ...]) -> Signers:
        """Who has a say in the block with these records, asked before its signatures are checked.

        Raises:
            RefusedRecord: the records do not say it as they should.
        """

    def step(self, state: Any, header: Header, records: tuple[bytes, ...]) -> Any:
        """The state after a block with a valid header and signatures; header.hash is the block's hash.

        Raises:
            RefusedRecord: a record that the rules refuse. (`Malformed`, from decoding one, becomes that.)
        """


def remarks(kind: str, configuration: Value, verified: bool) -> tuple[str, ...]:
    """What whoever looks at a chain of this kind should know, a line each; of one that is `verified`, what is left out.

    Rules may have a function `remarks(configuration, verified)` for it; those of most kinds have none.

    Raises:
        UnknownRules: see `rules_of`.
        Malformed: a configuration that the rules refuse.
    """
    told: Callable[[Value, bool], tuple[str, ...]] | None = getattr(rules_of(kind), "remarks", None)
    return () if told is None else told(configuration, verified)


def goes_on(kind: str, configuration: Value, before: Any) -> tuple[str, ...]:
    """Does a chain with this configuration go on from `before`, another one?

    Rules may have a function `goes_on(configuration, before)` for it. It returns those of its remarks that are settled
    by this.

    Raises:
        UnknownRules: see `rules_of`.
        Malformed: it does not, or no chain of this kind goes on from another.
    """
    check: Callable[[Value, Any], tuple[str, ...]] | None = getattr(rules_of(kind), "goes_on", None)
    if check is None:
        raise Malformed(f"no chain of kind {kind!r} goes on from another")
    return check(configuration, before)


def reader_of(kind: str, configuration: Value, contents: Contents) -> Reader | None:
    """Who tells what the blocks of a chain of this kind say; None: its kind has none.

    Raises:
        UnknownRules: see `rules_of`.
        Malformed: a configuration that the rules refuse.
    """
    made: Callable[[Value, Contents], Reader] | None = getattr(rules_of(kind), "reader", None)
    return None if made is None else made(configuration, contents)


def rules_of(kind: str) -> Rules:
    """The rules registered for a kind.

    Raises:
        UnknownRules: there are none, or their module is not there.
    """
    if kind not in KINDS:
        raise UnknownRules(f"kind = {kind!r}: rules are known for {', '.join(sorted(KINDS))}")
    module = KINDS[kind].partition(":")[0]
    try:
        rules: Rules = thing(KINDS[kind])
    except ModuleNotFoundError as error:
        if error.name != module:  # not the module itself, but something that it needs
            raise
        raise UnknownRules(f"kind = {kind!r}: no module {module!r} with its rules is found") from None
    return rules
