"""One replicate played in parts, so that its agents can be looked at in between.

The loop is that of `simulate`, compiled or not, and so are all its numbers: a replicate played in parts is what it is
in one go. Between two parts the state of the agents lies in arrays of this process.
"""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from folkmoot.coins import seed_words
from folkmoot.interface import late_outbox, outbox
from folkmoot.simulation import engine
from folkmoot.simulation.astray import check_arms
from folkmoot.simulation.cells import new_control
from folkmoot.simulation.compiled import compiled
from folkmoot.simulation.engine import World
from folkmoot.simulation.tally import blank_tally
from folkmoot.simulation.turns import Alone
from folkmoot.world.own_laws import payments_named


def boxes(params: Any) -> tuple[Any, Any]:
    """Room for the messages of both exchanges of a round."""
    return outbox(params), late_outbox(params)


def row_bytes(box: Any) -> int:
    """Bytes of a message of one exchange."""
    return sum(int(column.nbytes) // len(column) for column in box)


def message_size(params: Any) -> int:
    """Bytes of a message, all exchanges of a round together."""
    return sum(map(row_bytes, boxes(params)))


class Played(Protocol):
    """What Parts needs of a `Job`."""

    @property
    def algorithm(self) -> Any: ...
    @property
    def rewards(self) -> Any:
        """The reward law."""

    @property
    def checkpoints(self) -> NDArray[np.int64]:
        """Rounds at which to record."""

    @property
    def seed(self) -> int:
        """Of all coins."""

    @property
    def engine(self) -> str:
        """Which loop: "compiled" or "interpreted"."""

    @property
    def horizon(self) -> int:
        """Number of rounds."""

    def params(self) -> Any:
        """The algorithm's record."""

    def world(self) -> World:
        """The records of what it meets."""


class Parts:
    """A replicate under way.

    Attributes:
        job: what is played; with an algorithm that prepares itself, what it has become (`prepared_job`).
        params: the algorithm's record.
        table: arrays of the loop, `table.state` among them; read them between parts, and copy what you keep.
        tally: what the loop has written down so far; row 0 of each array.
        round: the last one played.
    """

    def __init__(self, job: Played, replicate: int = 0, *, per_agent: bool = False, realised: bool = False) -> None:
        """`per_agent`, `realised`: fill these arrays of the tally."""
        self.job, self.round, self._replicate = job, 0, replicate
        self.params, self._world = self.job.params(), self.job.world()
        n, k = job.rewards.n_agents, job.rewards.n_arms
        lay: Any = engine.lay
        self.table: engine.Table = lay(self.params, self._world, False)
        self.tally = blank_tally(1, n, k, len(job.checkpoints), per_agent, realised)
        self.control, self._message_size = new_control(1), message_size(self.params)

    def play(self, last: int) -> None:
        """Go on up to and including this round.

        Raises:
            ValueError: it is not after the last one played, or after the horizon.
        """
        if not self.round < last <= self.job.horizon:
            raise ValueError(f"last = {last}: expected a round from {self.round + 1} to {self.job.horizon}")
        self._play(last)

    def compile(self) -> None:
        """Compile the loop, or load what is compiled, so that playing takes no longer than that."""
        self._play(self.round)

    def _play(self, last: int) -> None:
        function: Any = engine.part
        if self.job.engine == "compiled":
            function = compiled(engine.part, engine.rounds, (self.params, self._world))
        words, checkpoints = seed_words(self.job.seed), self.job.checkpoints
        law, quiet = type(self.job.rewards).__name__, np.errstate(all="ignore")  # compiled loops know no warnings
        with payments_named(self._world.rewards, law), quiet:
            function(
                self.params, self._world, self._message_size, *words, self._replicate, checkpoints,
                self.round + 1, last, self.table, self.tally, self.control, Alone(np.zeros(1, np.bool_)),
            )  # fmt: skip
        check_arms(self.tally, type(self.job.algorithm).__name__)
        self.round = last
