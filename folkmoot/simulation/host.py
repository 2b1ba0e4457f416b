"""Driver of one machine in memory: the duties at the head of `folkmoot/machine.py`, in the fewest lines."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from folkmoot.machine import Effects, Kept, Machine, Moment, Outcome, Received, Resumes, Stage


class Host:
    """One machine, its store, and what it may be handed.

    Attributes:
        machine: as it runs now.
        kept: its store, which outlives it.
        counts: messages refused because a bound does not hold.
    """

    def __init__(self, role: Resumes, kept: Kept | None = None) -> None:
        self._role, self.kept, self.counts = role, kept or Kept(), Counter[str]()
        self.restart()

    def restart(self) -> None:
        """The machine is gone; another one goes on from the store."""
        self.machine: Machine = self._role.resume(self.kept.values, self.kept, _no_chance)

    def step(
        self,
        moment: Moment,
        inbox: Iterable[Received] = (),
        outcomes: Sequence[Outcome] = (),
        blocks: Sequence[Any] = (),
    ) -> Effects:
        """Hand in what has come, within bounds and in order; store what is to be kept; only then hand out the rest."""
        admitted, refused = admit(self.machine.stages[moment.stage], inbox)
        self.counts.update(refused)
        effects = self.machine.step(moment, admitted, outcomes, blocks)
        self.kept.store(moment, effects.keep)
        return effects


def admit(stage: Stage, inbox: Iterable[Received]) -> tuple[list[Received], Counter[str]]:
    """What of this inbox is within the stage's bounds, sorted by sender, and how much is not."""
    admitted: list[Received] = []
    refused, number, size = Counter[str](), Counter[int](), Counter[int]()
    for received in sorted(inbox, key=lambda message: message.sender):  # stable: a sender's own order stays
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


def _no_chance(size: int) -> bytes:
    raise AssertionError("this machine was not to need secret chance")
