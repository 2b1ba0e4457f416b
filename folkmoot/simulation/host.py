"""Driver of one machine in memory: the duties at the head of `folkmoot/machine.py`, in the fewest lines."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from folkmoot.machine import (
    NO_FLOOR,
    Chance,
    Effects,
    Floor,
    Gate,
    Kept,
    Machine,
    Moment,
    Outcome,
    Received,
    Resumes,
    Stage,
)


def _no_chance(size: int) -> bytes:
    raise AssertionError("this machine was not to need secret chance")


class Host:
    """One machine, its store, and what it may be handed.

    Attributes:
        machine: as it runs now.
        kept: its store, which outlives it.
        counts: messages refused because a bound does not hold.
    """

    def __init__(
        self, role: Resumes, kept: Kept | None = None, chance: Chance = _no_chance, sorts: bool = True
    ) -> None:
        """`chance` goes on where it was when the machine is born again. `sorts`: inboxes, by sender (duty 4)?"""
        self._role, self.kept, self.counts = role, kept or Kept(), Counter[str]()
        self._chance, self._sorts = chance, sorts
        self.restart()

    def restart(self, floor: Floor = NO_FLOOR) -> None:
        """The machine is gone; another one goes on from the store."""
        self.machine: Machine = self._role.resume(self.kept.values, self.kept, self._chance, floor)

    def step(
        self,
        moment: Moment,
        inbox: Iterable[Received] = (),
        outcomes: Sequence[Outcome] = (),
        blocks: Sequence[Any] = (),
    ) -> Effects:
        """Hand in what has come, within bounds and in order; store what is to be kept; only then hand out the rest."""
        admitted, refused = admit(self.machine.stages[moment.stage], inbox, self.machine.kind_of, self._sorts)
        if refused:
            self.counts.update(refused)
        effects = self.machine.step(moment, admitted, outcomes, blocks)
        self.kept.store(moment, effects.keep)
        return effects


def _sender(received: Received) -> int:
    return received.sender


def _no_kinds(data: bytes) -> str:
    return ""


def admit(
    stage: Stage, inbox: Iterable[Received], kind_of: Callable[[bytes], str] = _no_kinds, sorts: bool = True
) -> tuple[list[Received], Counter[str]]:
    """What of this inbox is within the stage's bounds, sorted by sender if it `sorts`, and how much is not, and why."""
    if type(inbox) in (list, tuple) and not inbox:
        return [], Counter.__new__(Counter)  # an empty one, in less time
    admitted, refused = Gate(stage, kind_of).sift(inbox)
    return sorted(admitted, key=_sender) if sorts else admitted, refused  # stable: a sender's own order stays
