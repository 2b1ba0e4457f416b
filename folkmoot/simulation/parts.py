"""One replicate played in parts, so that its agents can be looked at in between.

The loop is that of `simulate`, compiled or not, and so are all its numbers: a replicate played in parts is what it is
in one go. Between two parts the state of the agents lies in arrays of this process.
"""

from typing import Any

import numpy as np

from folkmoot.coins import seed_words
from folkmoot.simulation import engine
from folkmoot.simulation.cells import new_control
from folkmoot.simulation.compiled import compiled
from folkmoot.simulation.replicates import Job, message_size, prepared_job


class Parts:
    """A replicate under way.

    Attributes:
        job: what is played; with an algorithm that prepares itself, what it has become.
        params: the algorithm's record.
        table: arrays of the loop, `table.state` among them; read them between parts, and copy what you keep.
        tally: what the loop has written down so far; row 0 of each array.
        round: the last one played.
    """

    def __init__(self, job: Job, replicate: int = 0, *, per_agent: bool = False, realised: bool = False) -> None:
        """`per_agent`, `realised`: fill these arrays of the tally."""
        self.job, self.round, self._replicate = prepared_job(job, replicate), 0, replicate
        self.params, self._world = self.job.params(), self.job.world()
        n, k = job.rewards.n_agents, job.rewards.n_arms
        lay: Any = engine.lay
        self.table: engine.Table = lay(self.params, self._world)
        self.tally = engine.blank_tally(1, n, k, len(job.checkpoints), per_agent, realised)
        self.control = new_control(1)

    def play(self, last: int) -> None:
        """Go on up to and including this round.

        Raises:
            ValueError: it is not after the last one played, or after the horizon.
        """
        if not self.round < last <= self.job.horizon:
            raise ValueError(f"last = {last}: expected a round from {self.round + 1} to {self.job.horizon}")
        function: Any = engine.part
        if self.job.engine == "compiled":
            function = compiled(engine.part, engine.rounds, (self.params, self._world))
        words, checkpoints = seed_words(self.job.seed), self.job.checkpoints
        with np.errstate(all="ignore"):  # as compiled loops, which know no warnings
            function(
                self.params, self._world, message_size(self.params), *words, self._replicate, checkpoints,
                self.round + 1, last, self.table, self.tally, self.control,
            )  # fmt: skip
        self.round = last
