"""What an experiment file cannot say by itself, and who reads it hands in."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from folkmoot.configuration import Later
from folkmoot.world.clusters import Labels


@dataclass(frozen=True)
class InFile:
    """What a table of a file cannot say by itself: the context in which it is read.

    Attributes:
        folder: where the paths in the file start.
        load: makes the rewards of a data set, a `replay.Replay`, from its name and options.
        n_agents: number of agents of the rewards, for the network; None while it is not known.
        labels: int64 [n_agents], the clusters of the rewards, for the network; None if they have none.
    """

    folder: Path
    load: Callable[..., Any]
    n_agents: int | None = None
    labels: Labels | None = None

    def agents(self) -> int:
        """The number of agents.

        Raises:
            Later: it is not known, because the rewards are wrong.
        """
        if self.n_agents is None:
            raise Later("n_agents: the rewards say it")
        return self.n_agents
