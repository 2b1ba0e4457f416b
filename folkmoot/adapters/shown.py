"""What learners from elsewhere are shown of a round, and what they may do; the same for both kinds of environments."""

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from folkmoot.adapters.rounds import Rounds
from folkmoot.doors import is_whole
from folkmoot.errors import brief
from folkmoot.meant import unknown_field
from folkmoot.world.rewards import Rewards


def space_of(rewards: Rewards, heard: tuple[int, ...]) -> Any:
    """The space of observations of a world; `heard`: the shape of what they say of links."""
    n, d = rewards.n_agents, rewards.n_objectives
    low, high = (0.0, 1.0) if rewards.bounded else (-np.inf, np.inf)
    return spaces.Dict(
        {
            "arm": spaces.Box(-1, rewards.n_arms - 1, (n,), np.int64),
            "reward": spaces.Box(low, high, (n, d), np.float64),
            "heard": spaces.MultiBinary(heard),
        }
    )


def observation(rounds: Rounds, known: NDArray[np.bool_], heard: NDArray[np.bool_]) -> dict[str, Any]:
    """The round just played, as far as the outcomes of these agents (bool [n_agents]) are known."""
    return {
        "arm": np.where(known, rounds.arm, -1),
        "reward": np.where(known[:, np.newaxis], rounds.reward, 0.0),
        "heard": heard.astype(np.int8),
    }


def arm_of(name: str, given: Any, n_arms: int) -> int:
    """An action as an arm.

    Raises:
        ValueError: it is none.
    """
    if isinstance(given, np.ndarray) and given.ndim == 0:
        given = given[()]
    if not is_whole(given) or not 0 <= given < n_arms:
        raise ValueError(f"{name} = {brief(given)}: expected an arm from 0 to {n_arms - 1}")
    return int(given)


def again(rounds: Rounds, seed: int | None, options: Mapping[str, Any] | None, begun: bool) -> None:
    """What `reset` means: of a new seed replicate 0, else the next one, or options["replicate"].

    Args:
        rounds: begun anew.
        seed, options: as `reset` was given them.
        begun: is this not the first episode? The first without a seed is replicate 0 too.

    Raises:
        ValueError: a seed or a replicate out of range. Of an unknown option there is only a warning.
    """
    options = {} if options is None else options
    if wrong := unknown_field(options, ["replicate"]):
        warnings.warn(f"reset: options: {wrong}", stacklevel=3)  # the test of PettingZoo forbids to refuse it
    replicate = options.get("replicate")
    rounds.begin(seed, replicate if replicate is not None or begun else 0)
