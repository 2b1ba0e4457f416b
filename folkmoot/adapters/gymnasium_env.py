"""A world as an environment of Gymnasium: one learner from elsewhere chooses for all agents."""

from collections.abc import Mapping
from typing import Any, ClassVar

import gymnasium
import numpy as np
from gymnasium import spaces

from folkmoot.adapters.rounds import Rounds
from folkmoot.adapters.shown import again, arm_of, observation, space_of
from folkmoot.errors import brief
from folkmoot.world.feedback import Feedback
from folkmoot.world.networks import Network
from folkmoot.world.rewards import Rewards


class GymnasiumEnv(gymnasium.Env):
    """A world in which one learner of Gymnasium sees all agents and chooses for all of them.

    An action is one arm for each agent, `MultiDiscrete`; in a world of one agent an arm, `Discrete`. The reward is the
    sum over agents of the outcomes that came in this round; of vectors, of what each is worth. An episode is truncated
    after the last round. Observations are those of `PettingZooEnv`, with all outcomes, and "heard" int8 [n_agents,
    n_agents]: who could hear whom. The information has "round", int64 [n_agents]. A learner that plays one agent among
    others is for `PettingZooEnv`.

    Args:
        rewards, network, horizon, feedback, seed: see `PettingZooEnv`.

    Attributes:
        rounds: the world under way; `rounds.regret` and `rounds.pulls` are what it has come to.

    Raises:
        ValueError: an argument is out of its range, or they do not fit together.
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": []}

    def __init__(
        self,
        rewards: Rewards,
        network: Network | None = None,
        *,
        horizon: int,
        feedback: Feedback | None = None,
        seed: int = 0,
    ) -> None:
        self.rounds = Rounds(rewards, network, horizon, feedback, seed)
        n, k = rewards.n_agents, rewards.n_arms
        self.observation_space = space_of(rewards, (n, n))
        self.action_space = spaces.Discrete(k) if n == 1 else spaces.MultiDiscrete(np.full(n, k))
        self._begun = False

    def reset(
        self, *, seed: int | None = None, options: Mapping[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Begin an episode: see `PettingZooEnv.reset`.

        Raises:
            ValueError: a seed or a replicate out of range.
        """
        again(self.rounds, seed, options, self._begun)
        super().reset(seed=seed)  # its own generator, which nothing here draws from
        self._begun = True
        return self._observation(), {"round": self.rounds.came}

    def step(self, action: Any) -> tuple[dict[str, Any], float, bool, bool, dict[str, Any]]:
        """Play a round: observation, reward, terminated (never), truncated, information.

        Raises:
            ValueError: not one arm for each agent, the episode is over, or a log has run out.
        """
        n, k = self.rounds.n_agents, self.rounds.n_arms
        given = [action] if n == 1 and np.ndim(action) == 0 else action
        if not isinstance(given, list | tuple | np.ndarray) or np.shape(given) != (n,):
            raise ValueError(f"action = {brief(action)}: expected an arm for each of {n} agents")
        self.rounds.play(np.array([arm_of(f"action[{i}]", arm, k) for i, arm in enumerate(given)], np.int64))
        reward = 0.0
        for i in range(n):
            reward += self.rounds.worth(i)
        return self._observation(), reward, False, self.rounds.over, {"round": self.rounds.came}

    def _observation(self) -> dict[str, Any]:
        return observation(self.rounds, np.ones(self.rounds.n_agents, np.bool_), self.rounds.heard)
