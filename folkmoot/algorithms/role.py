"""Who an agent is: an algorithm, a problem and a number, checked; and the agent as a machine that follows from it."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from folkmoot.algorithms.agent import Agent
from folkmoot.algorithms.base import Algorithm, Problem, require_algorithm
from folkmoot.algorithms.learner import Learner, plain
from folkmoot.algorithms.pending import WINDOW
from folkmoot.coins import Coins
from folkmoot.doors import is_whole
from folkmoot.encoding import digest
from folkmoot.errors import brief, kind
from folkmoot.machine import NO_FLOOR, Chain, Chance, Floor


@dataclass(frozen=True)
class Role:
    """Who an agent is, and what it was told before the game.

    Attributes:
        params: record of the algorithm.
        index: number of the agent.
        neighbours: with whom it may ever talk; None: with all.
        coins: of the game; agents that share them toss the same coins.
        horizon: last round.
        n_objectives: numbers in a reward.
        window: rounds after a pull in which its outcome is still taken.
        bounded: do all rewards lie in [0, 1]?
        told: digest of the algorithm's name and of all facts of the problem; what is kept is bound to it.
    """

    params: Any
    index: int
    neighbours: frozenset[int] | None
    coins: Coins
    horizon: int
    n_objectives: int
    window: int = WINDOW
    bounded: bool = False
    told: bytes = b""

    def resume(
        self,
        kept: Mapping[str, bytes],
        chain: Chain | None = None,
        chance: Chance | None = None,
        floor: Floor = NO_FLOOR,
    ) -> Agent:
        """The agent that goes on where the one that kept this ended. It needs neither a chain nor secret chance.

        Raises:
            ValueError: another agent, or one of another algorithm or game, has kept this.
            Malformed: it is damaged.
        """
        learner = Learner(self.params, self.index, self.coins, self.n_objectives, self.bounded, self.told)
        return Agent(learner, self.neighbours, self.horizon, kept, floor, self.window)


def role(algorithm: Algorithm, problem: Problem, i: int, coins: Coins, window: int = WINDOW) -> Role:
    """The role of agent i.

    Raises:
        ValueError: no algorithm, no problem, no such agent, a window below 1, or an algorithm that no agent can run
            alone: an oracle, one that plays on a chain, or one that studies its world in rounds of their own first; or
            it refuses the problem.
    """
    require_algorithm(algorithm)
    if not isinstance(problem, Problem):
        raise ValueError(f"problem = {kind(problem)}: expected facts such as folkmoot.Problem.on(network, ...)")
    name = type(algorithm).__name__
    number, window = (int(one) if is_whole(one) else -1 for one in (i, window))  # converted before they are compared
    if not 0 <= number < problem.n_agents:
        raise ValueError(f"agent = {brief(i)}: expected a number from 0 to {problem.n_agents - 1}")
    if window < 1:
        raise ValueError(f"window = {brief(window)}: expected a number of rounds from 1 on")
    if algorithm.on_chain:
        raise ValueError(f"{name}: plays on a chain; use folkmoot.simulate_chain")
    if algorithm.is_oracle:
        raise ValueError(f"{name}: is an oracle that sees what no agent can; expected an algorithm of agents")
    preparation = getattr(algorithm, "preparation", None)
    if preparation is not None and preparation(problem) is not None:
        raise ValueError(f"{name}: studies its world in rounds of their own first, which an agent alone cannot")
    if problem.n_objectives > 1 and not algorithm.many_objectives:
        raise ValueError(f"{name}: expected rewards with one objective, these have {problem.n_objectives}")
    neighbours = _neighbours(problem, number)
    about = problem.horizon, problem.n_objectives, window, problem.bounded, _told(name, problem)
    return Role(algorithm.checked_params(problem), number, neighbours, coins, *about)


def _told(algorithm: str, problem: Problem) -> bytes:
    """What tells the facts that an agent is told from those of any other game."""
    facts = [(field.name, _fact(getattr(problem, field.name))) for field in fields(problem)]
    return digest("told", (algorithm, *facts))


def _fact(value: Any) -> Any:
    """A fact as a value that has an encoding; numbers that are equal are one value, whatever their type."""
    if isinstance(value, bool | np.bool_ | int | np.integer | float | np.floating):
        return float(value)
    if hasattr(value, "n_agents"):  # the base graph
        return value.digest if hasattr(value, "digest") else np.asarray(value.degree, np.int64).tobytes()
    return value.tobytes() if isinstance(value, np.ndarray) else plain(value)


def _neighbours(problem: Problem, i: int) -> frozenset[int] | None:
    """Those of the base graph; None if they are all others, or if the graph does not list them."""
    start, all_rows = getattr(problem.graph, "start", None), getattr(problem.graph, "neighbours", None)
    if start is None or all_rows is None:
        return None
    row = frozenset(int(j) for j in all_rows[start[i] : start[i + 1]])
    return None if len(row) == problem.n_agents - 1 else row
