"""A world that is played from outside, one round after the other: whoever calls chooses the arms.

How it works. The rounds are those of the simulator's loop (`folkmoot.simulation.engine`), in its order, by the same
functions and the same coins. An agent that pulls as in a simulation is therefore paid as there, bit for bit.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from folkmoot.coins import replicate_coins, seed_words
from folkmoot.doors import whole
from folkmoot.errors import kind
from folkmoot.interface import (
    Immediate,
    calendar,
    draw_links,
    fetch,
    fresh_seen,
    gap,
    links,
    pay,
    post,
    scalarise,
    scene,
    set_scene,
    varies,
)
from folkmoot.world.feedback import Feedback
from folkmoot.world.graphs import from_edges
from folkmoot.world.networks import Network, Static
from folkmoot.world.own_laws import check_law, payments_named, watched
from folkmoot.world.rewards import Rewards


class Rounds:
    """One replicate after the other of a world.

    Attributes:
        n_agents, n_arms, n_objectives, horizon: the sizes.
        seed, replicate: coordinates of the coins of the replicate under way.
        round: the last one played; 0 before the first.
        arm: int64 [n_agents], whose outcome came to each agent in that round; -1: none.
        reward: float64 [n_agents, n_objectives], that outcome; 0 where none came.
        came: int64 [n_agents], the round of the pull whose outcome it is; 0: none.
        heard: bool [n_agents, n_agents]; row i: whom agent i could hear in that round.
        pulls: int64 [n_agents, n_arms], so far.
        regret: so far, summed over agents, as `folkmoot.Result.regret`; in the unit of the rewards.
    """

    def __init__(
        self, rewards: Rewards, network: Network | None, horizon: int, feedback: Feedback | None, seed: int
    ) -> None:
        """See `PettingZooEnv` for the arguments and errors."""
        if not isinstance(rewards, Rewards):
            raise ValueError(f"rewards = {kind(rewards)}: expected a reward law such as folkmoot.Bernoulli(means)")
        if feedback is not None and not isinstance(feedback, Feedback):
            raise ValueError(f"feedback = {kind(feedback)}: expected one such as folkmoot.Feedback(delay=10)")
        check_law(rewards)
        self.n_agents, self.n_arms, self.n_objectives = rewards.n_agents, rewards.n_arms, rewards.n_objectives
        if network is None:
            network = Static(from_edges(self.n_agents, np.zeros((0, 2), np.int64)))
        if not isinstance(network, Network):
            raise ValueError(f"network = {kind(network)}: expected a network such as folkmoot.Static(graph)")
        if network.n_agents != self.n_agents:
            raise ValueError(
                f"rewards are for {self.n_agents} agents, the network has {network.n_agents}: expected the same number"
            )
        self.horizon = whole("horizon", horizon)
        seed_words(seed)
        self._rewards, self._name, self._network = rewards, type(rewards).__name__, network.record()
        n, d = self.n_agents, self.n_objectives
        self._feedback: Any = Immediate(n) if feedback is None else feedback.record(n, d, self.horizon)
        self._late = feedback is not None
        self.seed: int = int(seed)
        self.replicate: int = 0
        self.begin(self.seed, 0)

    def begin(self, seed: int | None = None, replicate: int | None = None) -> None:
        """Begin a replicate: of a new seed the first, else the next one, or the one that is asked for.

        Raises:
            ValueError: a seed or a replicate out of range.
        """
        if replicate is not None:
            replicate = whole("replicate", replicate, 0)
        else:
            replicate = 0 if seed is not None else self.replicate + 1
        words = seed_words(self.seed if seed is None else seed)
        self.seed = self.seed if seed is None else int(seed)
        self.replicate, self.round, self.regret = replicate, 0, 0.0
        self._coins = replicate_coins(*words, replicate)
        law = self._rewards.instance(self._coins)
        self._law, self._gaps, self._scalar = watched(law), law.gaps, law.scalarisation
        self._varies = varies(self._law)
        n, d = self.n_agents, self.n_objectives
        self._seen, self._under_way = fresh_seen(self._feedback, n, d), calendar(self._feedback, n, d)
        self._nature, self._active = scene(self._law), links(self._network)
        self.arm, self.reward = np.full(n, -1, np.int64), np.zeros((n, d))
        self.came, self.heard = np.zeros(n, np.int64), np.zeros((n, n), np.bool_)
        self.pulls = np.zeros((n, self.n_arms), np.int64)

    @property
    def over(self) -> bool:
        """Has the last round been played?"""
        return self.round == self.horizon

    def play(self, arms: NDArray[np.int64]) -> None:
        """Play a round in which the agents pull these arms, int64 [n_agents], each from 0 to n_arms - 1.

        Raises:
            ValueError: the replicate is over, a log has run out, or a law of one's own pays what it must not.
        """
        if self.over:
            raise ValueError(f"round {self.horizon} was the last: call reset first")
        t = self.round = self.round + 1
        seen = self._seen
        with payments_named(self._law, self._name), np.errstate(all="ignore"):
            draw_links(self._network, t, self._coins, self._active)
            set_scene(self._law, t, self._coins, self._nature)
            for i, arm in enumerate(arms.tolist()):
                seen.arm[i] = seen.pulled[i] = arm
                self.pulls[i, arm] += 1
                pay(self._law, self._nature, i, arm, t, self._coins, seen.reward)
            for i, arm in enumerate(arms.tolist()):
                post(self._feedback, self._under_way, i, t, self._coins, seen)
                fetch(self._feedback, self._under_way, i, t, seen)
                self.regret += gap(self._law, self._nature, t, arm, self._coins) if self._varies else self._gaps[arm]
        self.arm, self.reward = seen.arm.copy(), seen.reward.copy()
        self.came = self._under_way.came.copy() if self._late else np.full(self.n_agents, t, np.int64)
        self.heard[:] = False
        start, count, neighbours = self._active
        for i in range(self.n_agents):
            self.heard[i, neighbours[start[i] : start[i] + count[i]]] = True

    def worth(self, i: int) -> float:
        """What the outcome that came to agent i in this round is worth, as one number; 0 where none came."""
        return float(scalarise(self._scalar, self.reward, i)) if self.arm[i] >= 0 else 0.0
