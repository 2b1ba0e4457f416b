"""What the configuration of every algorithm shares, and the facts about a problem it may use."""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from folkmoot.configuration import Configuration
from folkmoot.doors import flag, is_whole, number, whole
from folkmoot.errors import brief, kind
from folkmoot.interface import Scalar
from folkmoot.own_code import is_ours

_SCALAR = Scalar(1)


@dataclass(frozen=True)
class Problem:
    """The facts an algorithm may be told before the game; never the means.

    Attributes:
        n_agents, n_arms, horizon: the sizes.
        graph: the base graph of the network (the world's `BaseGraph`).
        link_probability: probability that an edge of it is up in a round; None if not constant or unknown.
        sub_gaussian: sigma such that rewards are sigma-sub-Gaussian.
        labels: int64 [n_agents], the cluster of each agent in the network; None if it has no known clusters.
        bounded: do all rewards lie in [0, 1]?
        n_objectives: length of a reward vector.
        scalarisation: record of what such a vector is worth.
        corruption: what an adversary may spend in all, as far as agents are told.
        verification: how many pulls of the whole team may be verified.
        one_sided: may a link be noticed by one of its ends only?
        absent: may agents be absent in some rounds?
        delayed: may outcomes come late, or never?
        moving: do means move from round to round?
        replayed: is a log played as it was, with nothing drawn?
    """

    n_agents: int
    n_arms: int
    horizon: int
    graph: Any
    link_probability: float | None
    sub_gaussian: float
    labels: NDArray[np.int64] | None = None
    bounded: bool = True
    n_objectives: int = 1
    scalarisation: NamedTuple = _SCALAR
    corruption: float = 0.0
    verification: int = 0
    one_sided: bool = False
    absent: bool = False
    delayed: bool = False
    moving: bool = False
    replayed: bool = False

    @classmethod
    def on(
        cls,
        network: Any,
        *,
        n_arms: int,
        horizon: int,
        sub_gaussian: float = 0.5,
        bounded: bool = True,
        one_sided: bool | None = None,
    ) -> "Problem":
        """The facts for a loop of one's own on this network; rewards in [0, 1] unless said otherwise.

        `one_sided`: may a message come through in one direction only? None asks the network.

        Raises:
            ValueError: no network, not at least one arm and a round for each, or another argument of the wrong kind.
        """
        if not all(hasattr(network, name) for name in ("n_agents", "base", "link_probability", "labels")):
            raise ValueError(f"network = {type(network).__name__}: expected a network such as folkmoot.Static(graph)")
        n_arms, horizon = whole("n_arms", n_arms, 0), whole("horizon", horizon, 0)
        if n_arms < 1 or horizon < n_arms:
            raise ValueError(f"n_arms = {n_arms}, horizon = {horizon}: expected 1 <= n_arms <= horizon")
        if not 0.0 <= number(sub_gaussian) < np.inf:
            raise ValueError(f"sub_gaussian = {brief(sub_gaussian)}: expected a finite number of at least 0")
        bounded, one_sided = flag("bounded", bounded), None if one_sided is None else flag("one_sided", one_sided)
        return cls(
            network.n_agents,
            n_arms,
            horizon,
            network.base,
            network.link_probability,
            sub_gaussian,
            network.labels,
            bounded,
            one_sided=getattr(network, "one_sided", False) if one_sided is None else one_sided,
        )

    memory_limit: ClassVar[int] = 16 * 2**30  # bytes that may be asked for per replicate before it is refused

    def require_memory(self, n_bytes: float, what: str) -> None:
        """Refuse before allocating.

        Raises:
            ValueError: more than the limit per replicate.
        """
        if n_bytes > self.memory_limit:
            raise ValueError(
                f"n_agents = {self.n_agents}: {what} would need {n_bytes / 2**30:.0f} GiB a replicate; "
                f"allowed are {self.memory_limit // 2**30} GiB"
            )


def scale(problem: Problem) -> float:
    """What the square of a radius for rewards in [0, 1] is multiplied by for sigma-sub-Gaussian ones: (2 sigma)^2."""
    return 4.0 * problem.sub_gaussian**2


class Algorithm(Configuration):
    """Base of the configuration classes: validated, immutable, the same from Python and from TOML.

    Attributes:
        label: what reports and legends call it.
        many_objectives: does it learn from reward vectors?
        on_chain: does it play on a chain only?
        for_good: does it drop arms, or settle on one, for good?
        python_only: can it be played by the interpreted loop alone?
    """

    label: ClassVar[str] = "?"
    many_objectives: ClassVar[bool] = False
    on_chain: ClassVar[bool] = False
    for_good: ClassVar[bool] = False
    python_only: ClassVar[bool] = False

    @property
    def is_oracle(self) -> bool:
        """Does it see what no agent can, such as all agents at once?"""
        return False

    @property
    def pursues(self) -> Literal["common", "own", "cluster"]:
        """What its agents are after: the arm that is best on average over all agents, each agent's own best arm, or
        the one that is best for its cluster.
        """
        return "common"

    def remarks(self, problem: Problem) -> list[str]:
        """What whoever runs it on this problem should know: sentences for a warning and for the report."""
        told: list[str] = []
        if self.for_good and problem.moving:
            told.append(
                f"{self.label}: means move from round to round here, and what it drops it drops for good: it may pull "
                "for ever an arm that was best once. What is promised of it holds for means that stay."
            )
        if self.for_good and problem.replayed:
            told.append(
                f"{self.label}: a log is replayed as it was here, and what it drops it drops for good: it may pull for "
                "ever an arm that was best at the start of the log. What is promised of it holds for rewards that are "
                'drawn, as with order = "drawn".'
            )
        return told

    def params(self, problem: Problem) -> NamedTuple:
        """The record of numbers that the kernels need.

        Raises:
            ValueError: the problem does not meet what the algorithm assumes.
        """
        raise TypeError(f"{type(self).__name__} does not define params()")

    def checked_params(self, problem: Problem) -> NamedTuple:
        """What `params` gives, once it is known to be such a record.

        Raises:
            ValueError: the class has no `params`, it raises, or gives no record with the sizes of the problem; or the
                problem does not meet what the algorithm assumes. One line, with the name of a user's class.
        """
        name = type(self).__name__
        sizes = {"n_agents": problem.n_agents, "n_arms": problem.n_arms}
        expected = "expected a NamedTuple with the fields n_agents and n_arms, as the problem has them"
        if type(self).params is Algorithm.params:
            raise ValueError(f"{name}: has no method params(problem); {expected}")
        if is_ours(self):
            return self.params(problem)
        try:
            params = self.params(problem)
        except ValueError as error:  # it refuses its problem
            raise ValueError(f"{name}: {' '.join(str(error).split())}") from error
        except Exception as error:
            said = f"{type(error).__name__}: {' '.join(str(error).split())}".removesuffix(": ")
            raise ValueError(f"{name}: params raised {said}; {expected}") from error
        if not isinstance(params, tuple) or not hasattr(params, "_fields"):
            raise ValueError(f"{name}: params gave {brief(params)}; {expected}")
        for field, size in sizes.items():
            if field not in params._fields:
                raise ValueError(f"{name}: {type(params).__name__} has no field {field}; {expected}")
            if not is_whole(found := getattr(params, field)) or found != size:
                raise ValueError(f"{name}: params gave {field} = {brief(found)}; expected the problem's {size}")
        return params


def require_algorithm(algorithm: object) -> None:
    """Refuse what is no algorithm with a ValueError."""
    if not isinstance(algorithm, Algorithm):
        raise ValueError(f"algorithm = {kind(algorithm)}: expected an algorithm such as folkmoot.GSE()")
