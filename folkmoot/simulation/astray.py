"""An algorithm that chooses what is no arm: the loop writes it down and ends the replicate, here it gets its name."""

from folkmoot.simulation.tally import Tally


def check_arms(tally: Tally, name: str) -> None:
    """Name a choice that ended a replicate; `name`: of the algorithm.

    Raises:
        ValueError: there is one.
    """
    for t, i, arm in tally.astray.tolist():
        if t > 0:
            last = tally.pulls.shape[2] - 1
            raise ValueError(f"{name}: select gave arm {arm} for agent {i} in round {t}; expected 0 to {last}")
