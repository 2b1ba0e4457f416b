"""Replicates one after the other, the agents of each in several threads: the same numbers to the last bit.

Each thread has its own sums of what agents have in common, and they are added when the replicate ends: whole numbers,
so that their order is no matter. All else stands in rows of agents.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from folkmoot.simulation import engine
from folkmoot.simulation.compiled import compiled
from folkmoot.simulation.crew import Crew, together
from folkmoot.simulation.engine import Control
from folkmoot.simulation.tally import Tally
from folkmoot.world.own_laws import noted_apart, payments_named

_SUMS = ("team_pulls", "sent", "bytes")


def shared_loop(records: tuple[Any, Any], threads: int, law: str) -> Callable[..., None]:
    """A function as `engine.play`, compiled, that plays each replicate in so many threads.

    Args:
        records: those of the algorithm and the world.
        threads: how many.
        law: what errors call the reward law.

    Raises:
        Uncompiled: when it is called: a function of a user's cannot be compiled.
    """
    lay, part = compiled(engine.lay, None, records), compiled(engine.part, engine.rounds, records)

    def play(
        params: Any, world: Any, row_bytes: int, seed_low: int, seed_high: int, replicates: NDArray[np.int64],
        checkpoints: NDArray[np.int64], tally: Tally, control: Control,
    ) -> None:  # fmt: skip
        """Without replicates: compiles."""

        def play_one(r: int, replicate: int, last: int, size: int) -> None:
            table, row = lay(params, world, True), Tally(*(array[r : r + 1] for array in tally))
            own = [row._replace(**{name: np.zeros_like(getattr(row, name)) for name in _SUMS}) for _ in range(size)]

            def play_share(crew: Crew) -> None:
                mine = own[crew.number]._replace(astray=crew.astray[crew.number : crew.number + 1])
                here = world._replace(rewards=noted_apart(world.rewards))
                with payments_named(here.rewards, law):
                    part(
                        params, here, row_bytes, seed_low, seed_high, replicate, checkpoints, 1, last,
                        table._replace(team=np.zeros_like(table.team)), mine,
                        control._replace(done=control.done[r : r + 1]), crew,
                    )  # fmt: skip

            tally.astray[r] = max(together(play_share, size, params.n_agents).tolist())  # the last agent, as ever
            for mine in own:
                for name in _SUMS:
                    getattr(row, name)[0] += getattr(mine, name)[0]

        if len(replicates) == 0:
            play_one(0, 0, 0, 1)
        for r, replicate in enumerate(replicates.tolist()):
            play_one(r, replicate, int(checkpoints[-1]), threads)

    return play
