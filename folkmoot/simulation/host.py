"""Driver of one machine in memory: the duties at the head of `folkmoot/machine.py`, in the fewest lines."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from folkmoot.machine import NO_FLOOR, Chance, Effects, Floor, Kept, Machine, Moment, Outcome, Received, Resumes, Stage


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
        admitted, refused = admit(self.machine.stages[moment.stage], inbox, self._sorts)
        self.counts.update(refused)
        effects = self.machine.step(moment, admitted, outcomes, blocks)
        self.kept.store(moment, effects.keep)
        return effects


def _sender(received: Received) -> int:
    return received.sender


def admit(stage: Stage, inbox: Iterable[Received], sorts: bool = True) -> tuple[list[Received], Counter[str]]:
    """What of this inbox is within the stage's bounds, sorted by sender if it `sorts`, and how much is not."""
    admitted: list[Received] = []
    refused, number, size = Counter[str](), Counter[int](), Counter[int]()
    for received in sorted(inbox, key=_sender) if sorts else inbox:  # stable: a sender's own order stays
        sender, length = received.sender, len(received.data)
        if number[sender] >= stage.messages:
            refused["too many messages"] += 1
        elif size[sender] + length > stage.bytes:
            refused["too many bytes"] += 1
        else:
            admitted.append(received)
            number[sender] += 1
            size[sender] += length
    return admitted, refused
