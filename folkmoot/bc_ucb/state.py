"""What the rules of a game's chain remember from block to block."""

from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from folkmoot.bc_ucb.contract import Accounts
from folkmoot.bc_ucb.genesis import EXCLUDE, GameSettings
from folkmoot.bc_ucb.records import RoundRecord
from folkmoot.encoding import digest


class _State(NamedTuple):
    configuration: GameSettings
    origin: bytes
    tip: bytes
    accounts: Accounts
    last: RoundRecord | None
    members: NDArray[np.bool_]
    faults: tuple[tuple[int, bytes], ...] = ()
    entered: bytes = b""
    disclosed: int = 0


class State(_State):
    """What the rules remember.

    Attributes:
        configuration: of the genesis.
        origin: its digest, which every signature of the game covers.
        tip: hash of the last block; empty before the first.
        accounts: the contract's.
        last: record of the last block.
        members: bool [participants, arms], the validated sets of the last block.
        faults: participants whose faults are proven, ascending, and the evidence.
        entered: of each block since the last disclosure a bit for each participant that was in a validated set, where
            this costs; of the last `most_kept` blocks at most (see costs.py).
        disclosed: round of the last disclosure.
    """

    @property
    def round(self) -> int:
        """The round of the last block; the burn-in has none."""
        return self.configuration.burn_in if self.last is None else self.last.round

    @cached_property
    def excluded(self) -> frozenset[int]:
        """Participants that are no members any more, here or already on the chain before."""
        if self.configuration.evidence != EXCLUDE:
            return frozenset()
        before = () if self.configuration.opening is None else self.configuration.opening.excluded
        return frozenset((*before, *(m for m, _ in self.faults)))

    @cached_property
    def keys(self) -> tuple[bytes, ...]:
        """Of all participants; empty for those excluded, so that no signature is theirs."""
        keys = self.configuration.keys
        return tuple(b"" if m in self.excluded else key for m, key in enumerate(keys)) if self.excluded else keys

    @cached_property
    def weights(self) -> NDArray[np.int64]:
        """[participants], the units of trust by which validators are drawn: none of those excluded."""
        units = self.accounts.units
        if self.excluded:
            units = units.copy()
            units[list(self.excluded)] = 0
            units.setflags(write=False)
        return units

    @cached_property
    def quorum(self) -> int:
        """How many members must sign a block: two sets of so many share more than a third of them."""
        return 2 * (len(self.configuration.keys) - len(self.excluded)) // 3 + 1

    @cached_property
    def voters(self) -> frozenset[bytes]:
        """The keys of all members."""
        return frozenset(key for key in self.keys if key)

    @property
    def faulty(self) -> int:
        """How many of the members may lie: so many reports are trimmed on either side."""
        return max(0, self.configuration.terms.faulty - len(self.excluded))

    @cached_property
    def digest(self) -> bytes:
        """32 bytes that stand for all that the next block depends on, beside genesis and tip."""
        secret = b"" if self.last is None else self.last.blinding  # else whoever reads the chain could try states
        return digest("state of a game", (self.round, tuple(self.accounts), *self[5:], secret))
