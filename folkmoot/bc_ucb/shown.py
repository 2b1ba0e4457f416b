"""What validators show in their values, and which of it enters with the block."""

from collections.abc import Mapping

from folkmoot.agreement.shared import Call, directly
from folkmoot.bc_ucb.costs import new_disclosure
from folkmoot.bc_ucb.evidence import culprit, ground_of
from folkmoot.bc_ucb.records import Named
from folkmoot.bc_ucb.state import State

THE_GAME = -1  # what a disclosure is about


def entering(state: State, sets: Mapping[int, Named], call: Call = directly) -> tuple[bytes, ...]:
    """Of the statements in the sets that count, those that are valid and new, in ascending order.

    Of several against one culprit the least enters. So it follows from the agreed values alone.
    """
    return tuple(sorted(_new(state, {one for named in sets.values() for one in named.shown}, call).values()))


def about(state: State, statement: bytes, call: Call = directly) -> int | None:
    """The participant whom a statement convicts, or THE_GAME of a disclosure; None: it says nothing new."""
    who = culprit(statement, ground_of(state), call)
    if who is not None:
        return None if who in dict(state.faults) else who
    return None if new_disclosure(state, statement) is None else THE_GAME


def proven(state: State, shown: tuple[bytes, ...], call: Call = directly) -> tuple[tuple[int, bytes], ...]:
    """All whose faults are proven, once these statements have entered, ascending, and the evidence."""
    if not shown:
        return state.faults
    new = {who: content for who, content in _new(state, shown, call).items() if who != THE_GAME}
    return tuple(sorted({**new, **dict(state.faults)}.items()))


def _new(state: State, shown: set[bytes] | tuple[bytes, ...], call: Call) -> dict[int, bytes]:
    """The least statement about each of whom, or which, the chain does not know it yet."""
    found: dict[int, bytes] = {}
    for content in sorted(shown):
        who = about(state, content, call)
        if who is not None:
            found.setdefault(who, content)
    return found
