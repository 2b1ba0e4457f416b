"""What the rules of a game's chain remember from block to block."""

from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from folkmoot.bc_ucb.contract import Accounts
from folkmoot.bc_ucb.genesis import Configuration
from folkmoot.bc_ucb.records import RoundRecord
from folkmoot.encoding import digest


class _State(NamedTuple):
    configuration: Configuration
    origin: bytes
    tip: bytes
    accounts: Accounts
    last: RoundRecord | None
    members: NDArray[np.bool_]
    faults: tuple[tuple[int, bytes], ...] = ()


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
    """

    @property
    def round(self) -> int:
        """The round of the last block; the burn-in has none."""
        return self.configuration.burn_in if self.last is None else self.last.round

    @cached_property
    def digest(self) -> bytes:
        """32 bytes that stand for all that the next block depends on, beside genesis and tip."""
        return digest("state of a game", (self.round, tuple(self.accounts), self.members, self.faults))
