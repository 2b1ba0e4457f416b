"""Learners from elsewhere as agents of the simulator: any Python object that selects and is told what came of it.

How it works. Each replicate makes an object for each agent. The interpreted loop asks it for an arm, and hands it
outcomes as they come; compiled loops know no Python objects. An object draws from what it likes: the seed that it is
handed names its agent, the replicate and the simulation's seed, so that whoever uses it gets results that repeat.
"""

from collections.abc import Callable
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator

from folkmoot.algorithms.base import Algorithm, Problem
from folkmoot.coins import CHOICE, Coins, block
from folkmoot.doors import is_whole
from folkmoot.errors import brief, kind
from folkmoot.interface import Seen, Silence, implements


class Objects(Algorithm):
    """Agents that are Python objects: with `select() -> arm` and `update(arm, reward)`, whatever their class.

    An object that is to learn from its neighbours has `hear(agent, arm, reward)` too: see `share`. Rewards are numbers;
    of vectors, float64 [n_objectives]. Where outcomes come late, as in `Feedback`, `update` is called when they come.
    They play in the interpreted loop only: `simulate(Objects(make), ..., engine="interpreted")`.

    Args:
        make: called as make(i, problem, seed) at the start of a replicate: agent i as an object. `problem` is a
            `folkmoot.Problem`, what an algorithm is told; `seed` an integer in [0, 2**63), of this agent and replicate.
        share: does each agent tell its neighbours what it pulled and saw?

    Raises:
        ValueError: `make` is not a function, or `share` neither true nor false.
    """

    label: ClassVar[str] = "Python objects"
    many_objectives: ClassVar[bool] = True
    python_only: ClassVar[bool] = True
    make: Any
    share: bool = False

    def __init__(self, make: Callable[[int, Problem, int], Any], share: bool = False) -> None:
        self._write(make=make, share=share)

    @model_validator(mode="after")
    def _make_is_a_function(self) -> "Objects":
        if not callable(self.make):
            raise ValueError(f"make = {kind(self.make)}: expected a function make(i, problem, seed)")
        return self

    @property
    def pursues(self) -> Literal["own"]:
        return "own"

    def params(self, problem: Problem) -> "Params":
        return Params(problem.n_agents, problem.n_arms, self.make, problem, self.share)

    def describe(self) -> dict[str, Any]:
        """As plain values: `make` by its place."""
        made = self.make if hasattr(self.make, "__qualname__") else type(self.make)
        return {"type": "Objects", "make": f"{made.__module__}:{made.__qualname__}", "share": self.share}


class Params(NamedTuple):
    """What the loop hands around."""

    n_agents: int
    n_arms: int
    make: Any
    problem: Problem
    share: bool


class State(NamedTuple):
    """The agents."""

    made: list[Any]  # the object of each agent; None before the first round


class Message(NamedTuple):
    """What an agent pulled and saw."""

    arm: NDArray[np.int64]  # [n_agents]; -1: nothing came in this round
    reward: NDArray[np.float64]  # [n_agents, n_objectives]


@implements(Params)
def init(params: Params) -> State:
    return State([None] * params.n_agents)


@implements(Params)
def outbox(params: Params) -> Message | Silence:
    n, d = params.n_agents, params.problem.n_objectives
    if not params.share:
        return Silence(np.zeros((n, 0), np.int8))
    return Message(np.full(n, -1, np.int64), np.zeros((n, d)))


@implements(Params)
def select(params: Params, state: State, i: int, t: int, coins: Coins) -> int:
    if state.made[i] is None:
        state.made[i] = _made(params, int(i), coins)
    arm = state.made[i].select()
    if not is_whole(arm):
        raise ValueError(f"agent {i}: select gave {brief(arm)}; expected an arm from 0 to {params.n_arms - 1}")
    return int(arm)


@implements(Params)
def publish(params: Params, state: State, i: int, t: int, seen: Seen, outbox: Message) -> None:
    if params.share:
        outbox.arm[i] = seen.arm[i]
        outbox.reward[i, :] = seen.reward[i, :]


@implements(Params)
def update(
    params: Params,
    state: State,
    i: int,
    t: int,
    seen: Seen,
    inbox: Message,
    neighbours: NDArray[np.int32],
    coins: Coins,
) -> None:
    if seen.arm[i] >= 0:
        state.made[i].update(int(seen.arm[i]), _plain(seen.reward[i]))
    if params.share:
        for j in neighbours.tolist():
            if inbox.arm[j] >= 0:
                state.made[i].hear(j, int(inbox.arm[j]), _plain(inbox.reward[j]))


@implements(Params)
def messages(params: Params, state: State, i: int, t: int, seen: Seen, n_neighbours: int) -> int:
    return n_neighbours if params.share else 0


def _plain(reward: NDArray[np.float64]) -> Any:
    return float(reward[0]) if len(reward) == 1 else reward.copy()


def _made(params: Params, i: int, coins: Coins) -> Any:
    """Agent i as an object.

    Raises:
        ValueError: it lacks a method.
    """
    low, high, _, _ = block(coins, CHOICE, 0, i, 0)  # rounds count from 1, so this coin is nobody else's
    made = params.make(i, params.problem, (high >> 1) << 32 | low)
    wanted = ["select", "update", *(["hear"] if params.share else [])]
    lacking = [name for name in wanted if not callable(getattr(made, name, None))]
    if lacking:
        raise ValueError(f"agent {i}: make gave {kind(made)} without {lacking[0]}; expected {' and '.join(wanted)}")
    return made
