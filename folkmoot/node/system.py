"""What a driver asks of a system beyond contract 2, and what systems read of a charter.

A system says how many stages of a round are played, what an operator can be shown of a machine, and what its members
learn of each other.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from folkmoot.coins import Coins, replicate_coins, seed_words
from folkmoot.configuration import Wrong, of_kind, read_table, shown
from folkmoot.machine import Chain as Stored
from folkmoot.machine import Machine, Resumes
from folkmoot.meant import first_of
from folkmoot.node.charter import BadCharter, Charter
from folkmoot.node.epoch import Opening
from folkmoot.node.proofs import Proves


class System(Protocol):
    """What a driver asks of a system."""

    def role(self, me: int, seed: bytes, *, folder: Path | None = None) -> Resumes:
        """Who member number `me` is, whose secret is `seed`.

        `folder`: its data folder, where the system needs more of it than the store.
        """

    def stages_in(self, round: int) -> int | None:
        """Stages of this round that are played; None: all."""

    def silent(self, machine: Machine, stage: int) -> bool:
        """Does nobody say anything in this stage, so that nobody need be waited for?"""

    def seen(self, machine: Machine) -> Mapping[str, Any]:
        """What an application and an operator may know: `estimates` by arm, `decision` (an arm that is settled on for
        good, -1: none; left out: none ever is), and what else there is.
        """

    @property
    def has_ledger(self) -> bool:
        """Is there a chain?"""

    @property
    def learns(self) -> bool:
        """Do members predict, with models of their own? Then they choose no arms."""

    @property
    def asks_in_rounds(self) -> bool:
        """Does a machine that lacks blocks ask for them in its rounds, since blocks alone do not tell it enough?"""

    @property
    def sealed(self) -> bool:
        """Is all that members say in rounds sealed, each message for its receiver?"""

    def reveals(self) -> list[str]:
        """What a member lets others know, in plain sentences."""

    def endures(self) -> list[str]:
        """What is played, with the settings that are not the defaults, and how many members may be gone for good."""

    def costs(self) -> list[str]:
        """What a round costs a member beyond the usual, in plain sentences; none: nothing."""

    def last_block(self, stored: Stored, after: int) -> Opening | None:
        """The first block of round `after` or a later one; None: there is none, or no chain."""

    def opened(self, kept: Mapping[str, bytes], stored: Stored, opening: Opening, follows: Charter) -> Opening | None:
        """With what the accounts of the next epoch begin with; None: what a machine has kept here does not tell.

        `opening`: of the epoch that begins with the charter `follows`, as `last_block` gave it.
        """

    def signing(self, me: int) -> Mapping[str, Any] | None:
        """What an environment must know to sign rewards of member `me`; None: nobody signs any."""

    def proves(self, me: int) -> Proves | None:
        """Is an outcome of member `me` proven? None: it need not be."""

    def received(self, data: bytes) -> Any:
        """A block that somebody has shown, for a machine to check; where there is no chain, nothing."""

    def carries(self) -> tuple[str, ...]:
        """Keys of what a machine keeps that one of the next epoch can begin with."""


class WithoutAccounts:
    """What a `System` says whose members have no accounts: nothing is carried on, no reward is signed."""

    def last_block(self, stored: Stored, after: int) -> Opening | None:
        """See `System`: there is none that another epoch begins with."""
        return None

    def opened(self, kept: Mapping[str, bytes], stored: Stored, opening: Opening, follows: Charter) -> Opening | None:
        """See `System`: there are no accounts."""
        return opening

    def signing(self, me: int) -> Mapping[str, Any] | None:
        """See `System`."""
        return None

    def proves(self, me: int) -> Proves | None:
        """See `System`."""
        return None

    def carries(self) -> tuple[str, ...]:
        """See `System`: what a member keeps is of its own game."""
        return ()


def settings_of(kind: type[Any], table: Mapping[str, Any]) -> Any:
    """The settings of a system.

    Raises:
        BadCharter: what is wrong first, and where there is more.
    """
    try:
        return read_table(kind, table, "a charter")
    except Wrong as wrong:
        raise BadCharter(first_of(wrong.lines(("terms", "settings")))) from None


def kind_of(kinds: Any, table: Mapping[str, Any], context: Any, name: str) -> Any:
    """A part of the settings that has a `type`.

    Raises:
        BadCharter: what is wrong first, and where there is more.
    """
    _check_foreign(table, f"terms.settings.{name}")
    try:
        return of_kind(kinds, table, context)
    except Wrong as wrong:
        raise BadCharter(first_of(wrong.lines(("terms", "settings", name)))) from None


def _check_foreign(value: Any, place: str) -> None:
    """Somebody else may have written a charter: nothing in it is a module to import, or a file of this machine to read.

    Raises:
        BadCharter: something is.
    """
    items = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        where = f"{place}.{key}"
        if key == "type" and isinstance(inner, str) and ":" in inner:
            raise BadCharter(f"{where} = {shown(inner)}: a class of somebody's own, which a charter cannot name")
        if key == "base" and isinstance(inner, str) and inner.startswith("file:"):
            raise BadCharter(f"{where} = {shown(inner)}: a file, which not all members have; expected a graph by name")
        _check_foreign(inner, where)


def coins_of(charter: Charter) -> Coins:
    """The public coins of a charter: of its identity, which nobody could choose, or of the seed it names."""
    seed = charter.terms.seed
    number = int.from_bytes(charter.identity[:8], "big") if seed is None else seed
    return replicate_coins(*seed_words(number), 0)
