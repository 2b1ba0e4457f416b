"""What validators show in their values, and which of it enters with the block."""

from collections.abc import Mapping

from folkmoot.bc_ucb.records import Named
from folkmoot.bc_ucb.state import State


def entering(state: State, sets: Mapping[int, Named]) -> tuple[bytes, ...]:
    """Of the statements in the sets that count, those that are valid and new, in ascending order.

    Nothing is a statement yet, so whatever is shown is worth nothing.
    """
    return ()
