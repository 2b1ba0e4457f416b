"""A world as a parallel environment of PettingZoo: each agent is somebody else's learner."""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from gymnasium import spaces
from pettingzoo import ParallelEnv

from folkmoot.adapters.rounds import Rounds
from folkmoot.adapters.shown import again, arm_of, observation, space_of
from folkmoot.doors import flag
from folkmoot.errors import brief
from folkmoot.world.feedback import Feedback
from folkmoot.world.networks import Network
from folkmoot.world.rewards import Rewards

Observations = dict[str, dict[str, Any]]


class PettingZooEnv(ParallelEnv):
    """A world in which every agent is a learner of PettingZoo, "agent_0", "agent_1", ...

    Episode r after `reset(seed=s)` meets what replicate r of `simulate(..., seed=s)` meets. An action is an arm. The
    reward is the outcome that came in this round, 0 where none came; of a vector, what it is worth. All agents end
    together, truncated, after the last round.

    An observation is about the round just played (all -1, 0 and False after `reset`):

    - "arm": int64 [n_agents], whose outcome came to each agent; -1: none, or not heard. Own row and neighbours only.
    - "reward": float64 [n_agents, n_objectives], these outcomes; 0 where there is none.
    - "heard": int8 [n_agents], who could be heard.

    The information of an agent has "round": that of the pull whose outcome came, 0 if none.

    Args:
        rewards: what arms pay, for n agents.
        network: who can talk to whom, for the same n agents; None: nobody.
        horizon: rounds, at least 1.
        feedback: when outcomes come; None: each in the round of its pull.
        seed: of the first episode, if `reset` names none; an integer in [0, 2**64).
        share: do agents see the outcomes of the neighbours they hear?

    Attributes:
        rounds: the world under way; `rounds.regret` and `rounds.pulls` are what it has come to.

    Raises:
        ValueError: an argument is out of its range, or they do not fit together.
    """

    metadata: ClassVar[dict[str, Any]] = {"name": "folkmoot", "render_modes": [], "is_parallelizable": True}
    render_mode = None

    def __init__(
        self,
        rewards: Rewards,
        network: Network | None = None,
        *,
        horizon: int,
        feedback: Feedback | None = None,
        seed: int = 0,
        share: bool = True,
    ) -> None:
        self.rounds = Rounds(rewards, network, horizon, feedback, seed)
        self._begun, self._share = False, flag("share", share)
        self.possible_agents = [f"agent_{i}" for i in range(rewards.n_agents)]
        self.agents: list[str] = []
        space = space_of(rewards, (rewards.n_agents,))
        self.observation_spaces = dict.fromkeys(self.possible_agents, space)
        self.action_spaces = {name: spaces.Discrete(rewards.n_arms) for name in self.possible_agents}

    def observation_space(self, agent: str) -> Any:
        """Of one agent: see the class."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> Any:
        """Of one agent: the arms."""
        return self.action_spaces[agent]

    def reset(
        self, seed: int | None = None, options: Mapping[str, Any] | None = None
    ) -> tuple[Observations, dict[str, dict[str, Any]]]:
        """Begin an episode: of a new seed the first, else the next one, or options["replicate"].

        Raises:
            ValueError: a seed or a replicate out of range.
        """
        again(self.rounds, seed, options, self._begun)
        self._begun, self.agents = True, list(self.possible_agents)
        return self._observations(), self._information()

    def step(
        self, actions: Mapping[str, int]
    ) -> tuple[Observations, dict[str, float], dict[str, bool], dict[str, bool], dict[str, dict[str, Any]]]:
        """Play a round: observations, rewards, terminations (never), truncations, information, each by agent.

        Raises:
            ValueError: not one arm for each agent, the episode is over, or a log has run out.
        """
        if not isinstance(actions, Mapping) or set(actions) != set(self.agents):
            names = list(actions) if isinstance(actions, Mapping) else actions
            raise ValueError(f"actions of {brief(names)}: expected an arm for each of {brief(self.agents)}")
        n_arms, names = self.rounds.n_arms, self.agents
        self.rounds.play(np.array([arm_of(f"action of {name}", actions[name], n_arms) for name in names], np.int64))
        over = self.rounds.over
        rewards = {name: self.rounds.worth(i) for i, name in enumerate(names)}
        played = self._observations(), rewards, dict.fromkeys(names, False), dict.fromkeys(names, over)
        information = self._information()
        self.agents = [] if over else self.agents
        return (*played, information)

    def render(self) -> None:
        """There is nothing to see."""

    def _observations(self) -> Observations:
        heard = self.rounds.heard
        return {
            name: observation(
                self.rounds, (heard[i] if self._share else False) | (np.arange(len(heard)) == i), heard[i]
            )
            for i, name in enumerate(self.possible_agents)
        }

    def _information(self) -> dict[str, dict[str, Any]]:
        return {name: {"round": int(self.rounds.came[i])} for i, name in enumerate(self.possible_agents)}
