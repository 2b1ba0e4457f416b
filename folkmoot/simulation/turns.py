"""Whose turn it is: a replicate is played by one thread, or by several together.

All threads run the same text. What must be done once is done by the leader while the others wait:

    if gather(crew):
        ...
        release(crew)

The work of agents is a function `body(low, high, *arguments)` of those from `low` on below `high`. Of several threads
whoever is free takes the next few agents; alone, a thread takes all at once, and the compiler sees that it does.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from folkmoot.interface import generic


class Alone(NamedTuple):
    """The only thread of a replicate."""

    over: NDArray[np.bool_]  # [1], is this round not to be played?


@generic
def leads(crew: Any) -> bool:
    """Is this the thread that does what must be done once?"""
    return True


@generic
def gather(crew: Any) -> bool:
    """Wait for the others. True for the leader, who must `release` them; then it is False for the others."""
    return True


@generic
def release(crew: Any) -> None:
    """Let the others go on."""


@generic
def each(crew: Any, n_agents: int, body: Any, arguments: Any) -> None:
    """The work of all agents, once between two gatherings: what follows may need what others have done."""
    body(0, n_agents, *arguments)


@generic
def strayed(crew: Any, astray: NDArray[np.int64]) -> bool:
    """Has an agent of any thread chosen what is no arm? `astray`: of this thread."""
    found: bool = astray[0] > 0
    return found
