"""What a replicate is asked for beyond its counts: sums by agent, what was really paid, states of the agents.

How it works. A replicate whose states are wanted is played in parts (`parts.py`), from checkpoint to checkpoint, and
the arrays are copied in between. All else comes from the same loop as always.
"""

from collections.abc import Sequence
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from folkmoot.algorithms.base import Problem
from folkmoot.doors import flag
from folkmoot.errors import brief
from folkmoot.interface import init
from folkmoot.meant import choices
from folkmoot.simulation.cells import new_control
from folkmoot.simulation.engine import Control
from folkmoot.simulation.parts import Parts, Played
from folkmoot.simulation.tally import Tally

OBSERVED = "observed."  # before the names of states among the arrays of a replicate


class Wanted(NamedTuple):
    """What a replicate is asked for.

    Attributes:
        observe: names of fields of the algorithm's State, to be copied at every checkpoint.
        per_agent: pulls of each agent at every checkpoint.
        realised: what was paid at every checkpoint, and what each arm would have paid.
    """

    observe: tuple[str, ...] = ()
    per_agent: bool = False
    realised: bool = False

    def told(self) -> dict[str, Any]:
        """For the configuration of a result: what is asked for."""
        return {name: list(value) if name == "observe" else value for name, value in self._asdict().items() if value}


NOTHING = Wanted()


def fields_of(params: Any) -> dict[str, NDArray[Any]]:
    """The fields of an algorithm's fresh State that have a row for each agent."""
    state: dict[str, Any] = init(params)._asdict()
    n = (params.n_agents,)
    return {name: array for name, array in state.items() if isinstance(array, np.ndarray) and array.shape[:1] == n}


def checked(
    problem: Problem, params: Any, label: str, checkpoints: int, observe: Sequence[str], per_agent: bool, realised: bool
) -> Wanted:
    """What was asked for, once it is clear that it can be had.

    Raises:
        ValueError: a name that is no state of the algorithm or stands there twice, a flag that is neither true nor
            false, what was paid where rewards are vectors, or more memory a replicate than is allowed.
    """
    names = isinstance(observe, Sequence) and not isinstance(observe, str | bytes)
    if not names or not all(isinstance(name, str) for name in observe):
        raise ValueError(f"observe = {brief(observe)}: expected a list of names, such as ['mean', 'pulls']")
    per_agent, realised = flag("per_agent", per_agent), flag("realised", realised)
    if realised and problem.n_objectives > 1:
        raise ValueError(f"realised = true: expected single rewards, these are vectors of {problem.n_objectives}")
    if per_agent:
        size = 8.0 * checkpoints * problem.n_agents * problem.n_arms
        problem.require_memory(size, f"per_agent with {checkpoints} checkpoints")
    if observe:
        allowed = fields_of(params)
        for name in observe:
            if name not in allowed:
                raise ValueError(f"observe = {brief(name)}: {choices(name, allowed)} (states of {label})")
            if observe.count(name) > 1:
                raise ValueError(f"observe = {brief(name)}: named twice; expected each name once")
        size = checkpoints * sum(float(allowed[name].nbytes) for name in observe)
        problem.require_memory(size, f"observe with {checkpoints} checkpoints")
    return Wanted(tuple(observe), per_agent, realised)


def play_observed(
    job: Played, wanted: Wanted, replicate: int, control: Control
) -> tuple[Tally, dict[str, NDArray[Any]], float]:
    """Play one replicate in parts: its tally (row 0), its states [checkpoints, n_agents, ...], and seconds.

    `control` is that of this replicate alone; it is done unless it was stopped.
    """
    parts = Parts(job, replicate, per_agent=wanted.per_agent, realised=wanted.realised)
    parts.control = control
    parts.compile()
    begun = perf_counter()
    kept: dict[str, list[NDArray[Any]]] = {name: [] for name in wanted.observe}
    for last in job.checkpoints.tolist():
        parts.play(last)
        for name, copies in kept.items():
            copies.append(getattr(parts.table.state, name).copy())
    seconds = perf_counter() - begun
    return parts.tally, {f"{OBSERVED}{name}": np.stack(copies) for name, copies in kept.items()}, seconds


def alone(control: Control) -> Control:
    """A line to one replicate that counts its rounds into this one and stops with it."""
    return new_control(1)._replace(rounds=control.rounds, stop=control.stop)
