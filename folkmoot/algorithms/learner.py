"""What one agent knows and does with it: the functions of its algorithm, on arrays of which it uses its own row."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from folkmoot import interface
from folkmoot.algorithms import wire
from folkmoot.algorithms.plausible import in_range
from folkmoot.algorithms.wire import LARGEST
from folkmoot.coins import Coins
from folkmoot.doors import array
from folkmoot.encoding import Malformed, digest
from folkmoot.errors import brief

ALONE = np.zeros(0, np.int32)


class Learner:
    """The state of one agent, and its turns.

    Attributes:
        params, index, coins: record of the algorithm, number of the agent, coins of the game.
        bounded: do all rewards lie in [0, 1]? Outcomes and messages that cannot be of such rewards are then refused.
        state, seen: of these only the agent's own row is used.
        boxes: messages of the two exchanges; of these the own row and those of neighbours are used.
    """

    def __init__(
        self, params: Any, index: int, coins: Coins, n_objectives: int, bounded: bool = False, told: bytes = b""
    ) -> None:
        """`told`: digest of what it was told of the problem; see `Role`."""
        self.params, self.index, self.coins, self._n_objectives = params, index, coins, n_objectives
        self.bounded, self._told = bounded, told
        self._i = np.int64(index)
        self.state = interface.init(params)
        seen = interface.nothing_seen(params.n_agents, n_objectives)
        self.seen = seen._replace(pulled=np.full(params.n_agents, -1, np.int64))  # outcomes may be of other rounds
        self.boxes = interface.outbox(params), interface.late_outbox(params)

    @property
    def decision(self) -> int:
        """The arm it has settled on for good; -1: none."""
        return int(interface.decision(self.params, self.state, self._i))

    def select(self, t: int) -> int:
        """The arm to pull in round t.

        Raises:
            ValueError: the algorithm chose what is no arm.
        """
        arm, last = int(interface.select(self.params, self.state, self._i, t, self.coins)), self.params.n_arms - 1
        if not 0 <= arm <= last:
            name = type(self.params).__module__
            raise ValueError(f"{name}: select gave arm {arm} for agent {self.index} in round {t}; expected 0 to {last}")
        return arm

    def verify(self, t: int, arm: int) -> bool:
        """Does it ask for a verified outcome of that arm?"""
        return bool(interface.verify(self.params, self.state, self._i, t, arm, self.coins))

    def see(self, pulled: int, arm: int, reward: NDArray[np.float64] | None, verified: bool) -> None:
        """Take in the arm pulled in this round, and an outcome, float64 [n_objectives], of `arm`; -1: none came."""
        self.seen.pulled[self._i], self.seen.arm[self._i] = pulled, arm
        self.seen.reward[self._i] = 0.0 if reward is None else reward
        self.seen.verified[self._i] = verified

    def publish(self, t: int) -> None:
        """Write the own message of the first exchange; it follows from the state and the outcome."""
        interface.publish(self.params, self.state, self._i, t, self.seen, self.boxes[0])

    def learn(self, t: int, neighbours: NDArray[np.int32]) -> None:
        """Learn from the outcome and from these rows of the first exchange, in increasing order."""
        interface.update(self.params, self.state, self._i, t, self.seen, self.boxes[0], neighbours, self.coins)

    def publish_late(self, t: int) -> None:
        """Write the own message of the second exchange; it follows from the state."""
        interface.publish_late(self.params, self.state, self._i, t, self.boxes[1])

    def learn_late(self, t: int, neighbours: NDArray[np.int32]) -> None:
        """Learn from these rows of the second exchange."""
        interface.update_late(self.params, self.state, self._i, t, self.boxes[1], neighbours)

    def is_possible(self, exchange: int, j: int, t: int) -> bool:
        """Can what stands in row j of this exchange's box come from an honest agent?"""
        box = self.boxes[exchange]
        fits = bool(interface.possible(box, self.params, j, t))
        return fits and (not self.bounded or in_range(box, self.params, j, t))

    def retold(self, data: bytes, change: Callable[[Any], None]) -> bytes:
        """An own message after `change` has been at its row of a box of messages: for drivers of agents that lie."""
        boxes = interface.outbox(self.params), interface.late_outbox(self.params)
        message = wire.unpack(data, boxes, wire.limits(boxes))
        wire.write(boxes[message.exchange], self.index, message)
        change(boxes[message.exchange])
        return wire.pack(message.round, message.exchange, boxes[message.exchange], self.index)

    # --- What is kept ----------------------------------------------------------------------------------------------

    def rows(self) -> Iterator[tuple[str, bytes]]:
        """The own row of each field of the state, by name, as it lies in memory."""
        for name, column in zip(self.state._fields, self.state):
            yield name, np.array(column[self._i]).tobytes()

    def load(self, rows: Mapping[str, bytes]) -> None:
        """Put such rows back.

        Raises:
            Malformed: one is missing, too many, or of another length.
        """
        other = "kept values: another version of folkmoot has kept them"
        if unknown := sorted(set(rows) - set(self.state._fields)):
            raise Malformed(f"{other}: this one has no {brief(unknown[0])}")
        for name, column in zip(self.state._fields, self.state):
            found, expected = len(rows.get(name, b"")), column[self._i].nbytes
            if found != expected:
                raise Malformed(f"{other}: {name} has {found} bytes, expected {expected}")
            column[self._i] = np.frombuffer(rows[name], column.dtype).reshape(column.shape[1:])

    def digest(self) -> bytes:
        """What tells this agent, its algorithm and its game from others."""
        return digest("agent", plain((self.params, self.index, self.coins, self._n_objectives, self._told)))


def plain(value: Any) -> Any:
    """Records and numbers of NumPy as values that have an encoding."""
    if isinstance(value, tuple):
        return (type(value).__qualname__, *map(plain, value))
    return value.item() if isinstance(value, np.generic) else value


def as_reward(reward: Any, n_objectives: int, bounded: bool = False) -> NDArray[np.float64] | None:
    """A reward as float64 [n_objectives]; None if it is none: not so many numbers of at most 2**100, or in [0, 1]."""
    low, high = (0.0, 1.0) if bounded else (-LARGEST, LARGEST)
    try:
        numbers: NDArray[np.float64] = np.atleast_1d(array("reward", reward, "numbers"))
    except ValueError:
        return None
    return numbers if numbers.shape == (n_objectives,) and ((numbers >= low) & (numbers <= high)).all() else None
