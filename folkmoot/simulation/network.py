"""A network in memory for lock-step participants, and all that may go wrong in it, by seeded coins.

What is sent in one stage arrives in the next, in the order of the senders, unless a fault says otherwise. A fault is
a coin named by the number of the message, or by round and participant, so a run is repeated exactly by its seed.
"""

from collections.abc import Sequence
from typing import NamedTuple

from pydantic import Field

from folkmoot.coins import FAULTS, Coins, block
from folkmoot.configuration import Configuration
from folkmoot.machine import Received

_MESSAGE, _SIDE, _CRASH, _TWIN = range(4)
_MOST = 1 << 32

Probability = Field(0.0, ge=0, le=1, allow_inf_nan=False)


class Faults(Configuration):
    """What goes wrong before round `heal_at`; every message and participant has its own coins.

    Attributes:
        drop: probability that a message is lost.
        delay: probability that it arrives 2 to 1 + `longest_delay` stages later instead of 1.
        longest_delay: in stages.
        reorder: probability that a participant receives the messages of a stage in another order.
        duplicate: probability that a message arrives once more, up to `longest_delay` stages later.
        partition: probability that a round is played by two random groups that hear nothing of each other.
        crash: probability, for each participant and round, of a crash and of a restart within a round from there.
        heal_at: the first round without faults; None: there is none.
    """

    drop: float = Probability
    delay: float = Probability
    longest_delay: int = Field(3, ge=1, le=1_000)
    reorder: float = Probability
    duplicate: float = Probability
    partition: float = Probability
    crash: float = Probability
    heal_at: int | None = Field(None, ge=1)

    def active(self, round: int) -> bool:
        """May anything go wrong in this round?"""
        return self.heal_at is None or round < self.heal_at


class Address(NamedTuple):
    """A running node: twins are two of the same participant."""

    participant: int
    copy: int


class Network:
    """Messages under way.

    Attributes:
        messages, bytes: sent so far, each receiver counted.
    """

    def __init__(
        self, addresses: Sequence[Address], faults: Faults | None, coins: Coins, stages: int, first: int
    ) -> None:
        """`stages`: of a round; time is counted in stages since the start of round 0. `first`: round with messages."""
        self.addresses, self._faults, self._coins, self._stages = tuple(addresses), faults, coins, stages
        self._first = first
        self._twins = {a.participant for a in addresses if a.copy > 0}
        self._others = {a: tuple(b for b in self.addresses if b.participant != a.participant) for a in self.addresses}
        self._under_way: dict[int, dict[Address, list[Received]]] = {}
        self._number = 0
        self.messages, self.bytes = 0, 0

    def send(self, now: int, sender: Address, receiver: int | None, data: bytes) -> None:
        """Send to a participant (all its copies), or to all others (None)."""
        others, received = self._others[sender], Received(sender.participant, data)
        if receiver is not None:
            others = tuple(to for to in others if to.participant == receiver)
        self.messages += len(others)
        self.bytes += len(others) * len(data)
        if self._faults is None and sender.participant not in self._twins:
            inboxes = self._under_way.setdefault(now + 1, {})
            for to in others:
                inbox = inboxes.get(to)
                if inbox is None:
                    inboxes[to] = [received]
                else:
                    inbox.append(received)
            return
        for to in others:
            for delay in self._fate(now, sender, to):
                self._under_way.setdefault(now + delay, {}).setdefault(to, []).append(received)

    def deliver(self, now: int) -> dict[Address, list[Received]]:
        """What arrives at this time, by receiver."""
        inboxes = self._under_way.pop(now, {})
        faults = self._faults
        if faults is not None and faults.reorder > 0.0 and faults.active(now // self._stages):
            return {to: self._shuffled(now, to, inbox) for to, inbox in inboxes.items()}
        return inboxes

    def is_down(self, now: int, address: Address) -> bool:
        """Is this node crashed?"""
        if self._faults is None:
            return False
        round = now // self._stages
        return any(begin <= now < end for begin, end in (self._crash(round, address), self._crash(round - 1, address)))

    def crashes(self, now: int, address: Address) -> bool:
        """Does it crash at this time?"""
        return self._crash(now // self._stages, address)[0] == now

    def _crash(self, round: int, address: Address) -> tuple[int, int]:
        """When it crashes in this round, and when it comes back; (-1, -1): it does not crash."""
        faults = self._faults
        if faults is None or faults.crash == 0.0 or round < self._first or not faults.active(round):
            return -1, -1
        coin, begin, length, _ = block(self._coins, FAULTS, _CRASH, round, _place(address))
        if coin >= faults.crash * _MOST:
            return -1, -1
        first = round * self._stages + begin % self._stages
        last = first + 1 + length % self._stages
        return first, last if faults.heal_at is None else min(last, faults.heal_at * self._stages)

    def _fate(self, now: int, sender: Address, to: Address) -> list[int]:
        """After how many stages a message arrives, each time it does."""
        round = now // self._stages
        if sender.participant in self._twins and not self._heard(round, sender, to):
            return []
        faults = self._faults
        if faults is None or not faults.active(round):
            return [1]
        if faults.partition > 0.0 and self._side(round, sender) != self._side(round, to):
            return []
        self._number += 1
        number = self._number
        lost, late, twice, amount = block(self._coins, FAULTS, _MESSAGE, number & 0xFFFFFFFF, number >> 32)
        delays = []
        if lost >= faults.drop * _MOST:
            is_late = late < faults.delay * _MOST
            delays.append(2 + (amount & 0xFFFF) % faults.longest_delay if is_late else 1)
        if twice < faults.duplicate * _MOST:
            delays.append(1 + (amount >> 16) % faults.longest_delay)
        return delays

    def _side(self, round: int, address: Address) -> int:
        """The group a node is in, 0 if the round is not split."""
        assert self._faults is not None
        split, _, _, _ = block(self._coins, FAULTS, _SIDE, round, 0xFFFFFFFF)
        if split >= self._faults.partition * _MOST:
            return 0
        return int(block(self._coins, FAULTS, _SIDE, round, _place(address))[0]) & 1

    def _heard(self, round: int, twin: Address, to: Address) -> bool:
        """In a round, each of the others hears one of two twins."""
        coin, _, _, _ = block(self._coins, FAULTS, _TWIN + 4 * twin.participant, round, _place(to))
        return bool((coin & 1) == twin.copy)

    def _shuffled(self, now: int, to: Address, inbox: list[Received]) -> list[Received]:
        assert self._faults is not None
        coin, key, _, _ = block(self._coins, FAULTS, _MESSAGE, now, 0x80000000 + _place(to))
        if coin >= self._faults.reorder * _MOST:
            return inbox
        order = sorted(range(len(inbox)), key=lambda n: (n * 2_654_435_761 ^ key) * 0x9E3779B1 & 0xFFFFFFFF)
        return [inbox[n] for n in order]


def _place(address: Address) -> int:
    return 2 * address.participant + address.copy
