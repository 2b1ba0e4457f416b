"""When an epoch ends for a member, and with what the next one begins.

How it works. Without a chain the epoch is over after the round that the amendment names. On a chain it is over with the
first block of that round or of a later one: the members have agreed on it as on every block, so they agree on where the
epoch ends, and nothing else is needed for that. If that round brings no block, rounds go on until one does.

A member that was away may find that the others are in a later epoch already. They say with what it began; what more of
them say than may lie is true.
"""

import contextlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from folkmoot.encoding import Malformed
from folkmoot.node.charter import Charter
from folkmoot.node.epoch import NOTHING, Opening, opening_of
from folkmoot.node.frames import Frame, Hello
from folkmoot.node.store import Store
from folkmoot.node.system import System
from folkmoot.node.transport import Tail


class Ending:
    """The end of the epoch of one charter.

    Attributes:
        later: amendments of it that are known here and count, in order; a driver may add some at any time.
        next: the charter that follows, with its opening, once the epoch is over.
        joins: does this member not know yet with what its first epoch began? Then it plays nothing until it is told.
    """

    def __init__(
        self, charter: Charter, system: System, later: Sequence[Charter] = (), before: Charter | None = None
    ) -> None:
        """`before`: of one that joins with this charter: that before it, whose members know with what it began."""
        self._charter, self._system, self.later = charter, system, list(later)
        self.joins = before is not None
        knows = before or charter
        keys = {card.key for card in knows.members}
        self._faults = knows.terms.faults
        self._know = {number for number, card in enumerate(charter.members) if card.key in keys}
        self._said: dict[int, tuple[bytes, Opening]] = {}
        self.next: Charter | None = None

    def hear(self, sender: int, frame: Frame) -> None:
        """A member says in which epoch it is."""
        if sender in self._know:
            with contextlib.suppress(Malformed):
                self._said[sender] = opening_of(frame)

    @property
    def told(self) -> Charter | None:
        """A later charter whose epoch has begun, as more members say than may lie."""
        for charter in reversed([self._charter, *self.later] if self.joins else self.later):
            digest = charter.digest
            openings = Counter(opening for said, opening in self._said.values() if said == digest)
            for opening, members in openings.items():
                if members > self._faults:
                    return replace(charter, opening=opening)
        return None

    def is_over(self, store: Store, round: int) -> bool:
        """Is it, before this round is played?"""
        if self.joins:
            self.next = self.told
            return self.next is not None
        if not self.later:
            return False
        amends = self.later[0].amends
        assert amends is not None
        if self._system.has_ledger:
            opening = self._system.last_block(store, amends.after)
            if opening is not None:
                opening = self._system.opened(store.values, store, opening, self.later[0])
        else:
            opening = NOTHING if round > amends.after else None
        self.next = self.told if opening is None else replace(self.later[0], opening=opening)
        return self.next is not None

    @property
    def height(self) -> int:
        """Of the last block of the epoch, once it is over; 0: there is none."""
        return 0 if self.next is None or self.next.opening is None else self.next.opening.height

    def plays_on(self, round: int) -> bool:
        """Are there rounds beyond those of the charter, until there is a last block?"""
        return bool(self.later) and self._system.has_ledger and round > self._charter.terms.rounds


def received(system: System, shown: Iterable[bytes]) -> list[Any]:
    """Blocks that somebody has shown, as a machine takes them in and checks them."""
    found = []
    with contextlib.suppress(Malformed):
        for data in shown:
            found.append(system.received(data))
    return found


MOST_SHOWN, MOST_SHOWN_BYTES = 16, 1 << 18  # blocks to one that greets, and their bytes unless there is one alone


def last_blocks(path: Path, before: Charter, opening: Opening) -> Tail:
    """What one is shown that is still in the epoch of `before`, whose blocks are in this store: the next few."""
    identity = before.identity

    def shown(said: Hello) -> tuple[bytes, ...]:
        if said.charter != identity or said.height >= opening.height or not path.exists():
            return ()
        store, found, size = Store(path), list[bytes](), 0
        try:
            for height in range(said.height + 1, min(said.height + MOST_SHOWN, opening.height) + 1):
                block = store.block(height)
                size += len(block)
                if found and size > MOST_SHOWN_BYTES:
                    break
                found.append(block)
        except IndexError:  # not kept here; others have it
            pass
        finally:
            store.close()
        return tuple(found)

    return shown
