"""What validators show in their values, and which of it enters with the block."""

from collections.abc import Mapping

from folkmoot.agreement.shared import Call, directly
from folkmoot.bc_ucb.evidence import culprit, ground_of
from folkmoot.bc_ucb.records import Named
from folkmoot.bc_ucb.state import State


def entering(state: State, sets: Mapping[int, Named], call: Call = directly) -> tuple[bytes, ...]:
    """Of the statements in the sets that count, those that are valid and new, in ascending order.

    Of several against one culprit the least enters. So it follows from the agreed values alone.
    """
    return tuple(sorted(_new(state, {one for named in sets.values() for one in named.shown}, call).values()))


def proven(state: State, shown: tuple[bytes, ...], call: Call = directly) -> tuple[tuple[int, bytes], ...]:
    """All whose faults are proven, once these statements have entered, ascending, and the evidence."""
    return tuple(sorted({**_new(state, shown, call), **dict(state.faults)}.items())) if shown else state.faults


def _new(state: State, shown: set[bytes] | tuple[bytes, ...], call: Call) -> dict[int, bytes]:
    """The least evidence against each culprit of whom the chain holds nothing yet."""
    found: dict[int, bytes] = {}
    known = dict(state.faults)
    for content in sorted(shown):
        who = culprit(content, ground_of(state), call)
        if who is not None and who not in known:
            found.setdefault(who, content)
    return found
