"""What an application is told to play, and what it brought: each request has a ticket, each ticket one outcome.

The arm of a round is the same for all requests of that round. The outcome of a round is the mean of what came before
members speak of it; what comes later enters in the next round, if nothing of that round has entered yet. An outcome is
on disk before its application is told that it counts.

A ticket ends with a digest of the rest of it, with a key that the node has made and keeps in its store. So it knows the
tickets it gave, also after a restart, without keeping them, and nobody can make one up.
"""

import asyncio
import hmac
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from secrets import token_bytes, token_hex

from folkmoot.errors import brief
from folkmoot.node.store import Store, ToldOutcome

_NOTE = "key of tickets"
_SEAL = 24  # characters


class NoRound(ValueError):
    """There is no arm to play now: the first round has not begun, or the last one is over."""


class BadOutcome(ValueError):
    """What an application says of a ticket is not what it may say."""


@dataclass(frozen=True)
class Decision:
    """What to play.

    Attributes:
        arm: its number, from 0.
        name: its name in the charter.
        round: in which it is played.
        ticket: to be handed in with what it brought.
        epoch: of the consortium; with each one, rounds begin at 1 again.
    """

    arm: int
    name: str
    round: int
    ticket: str
    epoch: int = 1


class Tickets:
    """The tickets of one node.

    Attributes:
        round, arm: to be played now; arm -1: none.
        came: set when an outcome of this round has come.
    """

    def __init__(
        self, arms: tuple[str, ...], low: float, high: float, window: int, epoch: int = 1, key: bytes = b"",
    ) -> None:  # fmt: skip
        """`key`: see `key_in`; left out: a new one."""
        self._arms, self._low, self._high, self._window = arms, low, high, window
        self.round, self.arm, self._epoch = 0, -1, epoch
        self._prefix, self._given = f"{_mark(epoch)}{token_hex(6)}", 0
        self._key = key or token_bytes(32)
        self.came = asyncio.Event()
        self.decided = 0
        self._opens = asyncio.Event()
        self._ended = False

    def open(self, round: int, arm: int) -> None:
        """From now on this arm is played."""
        self.round, self.arm = round, arm
        self.came.clear()
        self._opens.set()
        self._opens = asyncio.Event()

    def close(self) -> None:
        """No arm is played any more."""
        self.arm = -1

    def end(self) -> None:
        """No arm will be played any more: who waits for a later round is let go."""
        self.close()
        self._ended = True
        self._opens.set()

    async def opened(self, after: int, seconds: float) -> None:
        """Wait until a round later than this one is played, or so long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not self._ended and (self.arm < 0 or self.round <= after):
                    await self._opens.wait()

    def decide(self) -> Decision:
        """What to play now, with a ticket of its own.

        Raises:
            NoRound: nothing.
        """
        if self.arm < 0:
            raise NoRound("no round is under way")
        self._given += 1
        self.decided += 1
        said = f"{self.round}.{self._prefix}.{self._given}"
        return Decision(self.arm, self._arms[self.arm], self.round, f"{said}.{self._seal(said)}", self._epoch)

    def _seal(self, said: str) -> str:
        """What shows that this node gave a ticket."""
        return hmac.digest(self._key, said.encode(), sha256).hex()[:_SEAL]

    def outcome(self, ticket: object, reward: object, proof: bytes = b"") -> ToldOutcome:
        """A checked outcome: ticket, round, and reward from 0 to 1; a reward of None says that none will come.

        `proof`: goes with it, if there is one; it is not looked at here.

        Raises:
            BadOutcome: no such ticket, a round that takes none any more, or a reward off the scale.
        """
        if not isinstance(ticket, str) or len(ticket) > 80:
            raise BadOutcome(f"ticket = {brief(ticket)}: expected the text that decide gave")
        number, _, rest = ticket.partition(".")
        round = int(number) if number.isascii() and number.isdigit() and len(number) < 12 else 0
        if round < 1 or rest.count(".") != 2:
            raise BadOutcome(f"ticket = {brief(ticket)}: no such ticket was given")
        if rest.rpartition("-")[0] != _mark(self._epoch)[:-1]:  # before its round: that is of its own epoch
            raise BadOutcome(f"ticket = {brief(ticket)}: of another epoch, whose outcomes count no more")
        said, _, seal = ticket.rpartition(".")
        if round > self.round or not ticket.isascii() or not hmac.compare_digest(seal, self._seal(said)):
            raise BadOutcome(f"ticket = {brief(ticket)}: no such ticket was given")
        if round < self.round - self._window:
            raise BadOutcome(
                f"ticket of round {round}: its outcome counts for {self._window} rounds, and this is round {self.round}"
            )
        if reward is None:
            return ticket, round, None
        expected = f"expected a number from {self._low:g} to {self._high:g}"
        if isinstance(reward, bool) or not isinstance(reward, int | float):
            raise BadOutcome(f"reward = {brief(reward)}: {expected}")
        if not self._low <= reward <= self._high:  # also NaN, and whole numbers beyond all floats
            raise BadOutcome(f"reward = {brief(reward)}: {expected}")
        found = scaled(reward, self._low, self._high)
        return (ticket, round, found, proof) if proof else (ticket, round, found)


def _mark(epoch: int) -> str:
    """What tickets of an epoch have before their number: a round of another epoch is another round."""
    return "" if epoch == 1 else f"{epoch}-"


def key_in(store: Store) -> bytes:
    """The key of the tickets of a node, which its store keeps.

    Raises:
        Full: a new one cannot be kept.
    """
    key = store.noted(_NOTE)
    if key is None:
        key = token_bytes(32)
        store.note(_NOTE, key)
    return key


def scaled(reward: float, low: float, high: float) -> float:
    """A reward as a number from 0 to 1."""
    return (reward - low) / (high - low)
