"""A machine all of whose messages are sealed: what comes in is opened, what goes out is sealed, nothing else changes.

So no message can be forgotten that should have been sealed, whatever a system sends. The price: what is for all
becomes one message for each.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

from folkmoot.agreement.sealed import Channels
from folkmoot.agreement.signed_messages import Rejected
from folkmoot.machine import (
    NO_FLOOR,
    Chain,
    Chance,
    Effects,
    Floor,
    Machine,
    Moment,
    Noticed,
    Outcome,
    Received,
    Resumes,
    Share,
    Stage,
)

AnyMachine = TypeVar("AnyMachine", bound=Machine)


class Said(NamedTuple):
    """What somebody has sent in a stage, as others see it."""

    sender: int
    receiver: int | None
    data: bytes


class Sealing(Generic[AnyMachine]):
    """See `folkmoot.machine.Machine`.

    Attributes:
        inner: the machine, which knows nothing of it.
        stages: as the inner one's, with room for what sealing adds.
    """

    def __init__(self, inner: AnyMachine, me: int, channels: Channels) -> None:
        """`channels`: of member number `me`; they show the first bytes by which kinds are told apart."""
        self.inner, self._me, self._channels = inner, me, channels
        self.stages = tuple(_widened(stage, channels.added) for stage in inner.stages)

    @property
    def next(self) -> Moment:
        """See `folkmoot.machine.Machine`."""
        return self.inner.next

    def kind_of(self, data: bytes) -> str:
        """See `folkmoot.machine.Machine`: by the bytes that are shown."""
        return self.inner.kind_of(data)

    def step(
        self, moment: Moment, inbox: Sequence[Received], outcomes: Sequence[Outcome], blocks: Sequence[Any] = ()
    ) -> Effects:
        """See `folkmoot.machine.Machine`; what cannot be opened is noticed."""
        opened, noticed = list[Received](), list[Noticed]()
        for sender, data in inbox:
            try:
                opened.append(Received(sender, self._open(moment, sender, data)))
            except Rejected as error:
                noticed.append(Noticed(sender, error.reason))
        effects = self.inner.step(moment, opened, outcomes, blocks)
        effects.noticed += noticed
        effects.send = self._channels.addressed(effects.send)
        return effects

    def _open(self, moment: Moment, sender: int, data: bytes) -> bytes:
        return self._channels.open(sender, data, self.inner.stages[moment.stage].bytes)


def _widened(stage: Stage, added: int) -> Stage:
    shares = stage.shares
    if shares is not None:
        shares = {kind: Share(share.messages, share.size + added) for kind, share in shares.items()}
    return stage._replace(bytes=stage.bytes + stage.messages * added, shares=shares)


@dataclass(frozen=True)
class SealingRole:
    """Who a machine behind sealed channels is: see `folkmoot.machine.Resumes`.

    Attributes:
        role: of the inner machine.
        me: its number.
        channels: see `Sealing`.
    """

    role: Resumes
    me: int
    channels: Channels

    def resume(
        self, kept: Mapping[str, bytes], chain: Chain, chance: Chance, floor: Floor = NO_FLOOR
    ) -> Sealing[Machine]:
        """See `folkmoot.machine.Resumes`."""
        return Sealing(self.role.resume(kept, chain, chance, floor), self.me, self.channels)
