"""Statements that wait for a block: evidence that a participant has found, or was told of, or a disclosure."""

from collections.abc import Mapping
from functools import partial

from folkmoot.agreement.shared import Call, directly
from folkmoot.bc_ucb.costs import new_disclosure
from folkmoot.bc_ucb.records import MOST_SHOWN, MOST_STATEMENT
from folkmoot.bc_ucb.shown import THE_GAME, about
from folkmoot.bc_ucb.state import State
from folkmoot.encoding import Limits, Malformed, decode, encode
from folkmoot.machine import Effects, Put

PENDING = "pending"  # the key under which it is kept


class Pending:
    """One statement for each culprit whom the chain does not name yet: never more than there are participants."""

    def __init__(self, state: State, kept: Mapping[str, bytes], call: Call = directly) -> None:
        """Goes on with what was kept.

        Raises:
            Malformed: bytes that were not kept here.
        """
        self._call = call
        self._found: dict[int, bytes] = {}
        if PENDING in kept:
            most = state.configuration.terms.n_participants + 1
            items = decode(kept[PENDING], Limits(most * (MOST_STATEMENT + 8) + 8, 1, most + 1, 1))
            if type(items) is not tuple or not all(type(item) is bytes and self.add(state, item) for item in items):
                raise Malformed(f"{PENDING}: expected evidence against one participant each")

    def culprit(self, state: State, content: bytes) -> int | None:
        """Whom this convicts, or what it is about, if the chain does not know."""
        return about(state, content, self._call)

    def add(self, state: State, content: bytes) -> bool:
        """Remember it, if it convicts somebody of whom nothing is known yet; does it?"""
        found = self.culprit(state, content) if content else None
        if found is None or found in self._found:
            return False
        self._found[found] = content
        return True

    def take(self, state: State, content: bytes, effects: Effects) -> None:
        """Somebody has shown it; two signatures are checked if it seems to be new."""
        if content not in self._found.values() and self.add(state, content):
            effects.keep.append(self.kept())

    def close(self, state: State, effects: Effects) -> set[bytes]:
        """At the end of a step: take in what was noticed, forget what the chain holds by now; what is new."""
        if not self._found and not effects.noticed:
            return set()
        new = {notice.evidence for notice in effects.noticed if self.add(state, notice.evidence)}
        known = [m for m, _ in state.faults if m in self._found]
        if THE_GAME in self._found and new_disclosure(state, self._found[THE_GAME]) is None:
            known.append(THE_GAME)
        for m in known:
            del self._found[m]
        if known or new:
            effects.keep.append(self.kept())
        return new

    def all(self) -> tuple[bytes, ...]:
        """What waits, in the order of the culprits."""
        return tuple(self._found[m] for m in sorted(self._found))

    def shown(self) -> tuple[bytes, ...]:
        """What a validator puts in its value."""
        return self.all()[:MOST_SHOWN]

    def kept(self) -> Put:
        """As it is to be kept now."""
        return Put(PENDING, partial(encode, self.all()))
