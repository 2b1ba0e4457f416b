"""Two goals, never mixed up: the arm that is best for all agents together, and each agent's own best arm."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from folkmoot.report.page import table
from folkmoot.report.tables import Difference, difference_of, is_oracle
from folkmoot.report.words import PERCENT, ceilings, joined, number, places_by_error, two_goals
from folkmoot.simulation.result import Result, student_interval

PAGE = "docs/when-not-to-cooperate.md"
_GOALS = {
    "common": "common arm",
    "own": "own best arm",
    "cluster": "cluster's best arm",
}


def goal(result: Result) -> str:
    """What its algorithm is after: "common", "own", or "cluster"."""
    kind = result.configuration.get("algorithm", {}).get("type")
    return str(result.configuration.get("goal", "own" if kind == "UCB" else "common"))


def shown(results: Mapping[str, Result], comparable: bool = True) -> bool:
    """Are there two goals to tell apart?"""
    return comparable and all(result.means is not None and two_goals(result) for result in results.values())


def _rewards(result: Result) -> dict[int, float]:
    """Mean reward of a pull by the number of the replicate."""
    numbers = result.configuration.get("replicates", range(result.replicates))
    return {int(number): float(value) for number, value in zip(numbers, result.own_reward, strict=True)}


def _compared(lone: Result, other: Result) -> Difference | None:
    """By how much an agent alone earns more a pull than it does with the others; None without a common replicate."""
    try:
        return difference_of("alone", _rewards(lone), "together", _rewards(other))
    except ValueError:
        return None


def remarks(results: Mapping[str, Result]) -> list[str]:
    """Sentences for results of one world: which goals there are, and where cooperating costs the agents' own reward.

    None where all agents have one best arm, and where the means are not known.
    """
    if not shown(results):
        return []
    common, own = ceilings(next(iter(results.values())))
    said = [
        f"Agents differ in which arm is best for them. Regret here is held against the arm that is best for all "
        f"together; it pays {number(common, 3)} a pull, averaged over agents. Each agent's own best arm would pay "
        f"{number(own, 3)}."
    ]
    return [*said, _verdict(results)]


def _verdict(results: Mapping[str, Result]) -> str:
    """Does it pay an agent to cooperate?"""
    alone = {name: r for name, r in results.items() if goal(r) == "own" and not is_oracle(r)}
    others = {name: r for name, r in results.items() if goal(r) != "own" and not is_oracle(r)}
    if not others:
        return ""
    if not alone:
        return (
            "None of these algorithms lets each agent play for itself. Add UCB to see what an agent would earn alone: "
            f"{PAGE} says why."
        )
    name = max(alone, key=lambda n: float(alone[n].own_reward.mean()))
    found = {n: _compared(alone[name], r) for n, r in others.items()}
    less = [n for n, d in found.items() if d is not None and d.mean > 0.0 and d.significant is not False]
    more = [n for n, d in found.items() if d is not None and d.mean < 0.0 and d.significant is not False]
    lone = f"With {name}, where each plays for itself, agents earn {_reward(alone[name])} a pull"
    parts = []
    if less:
        parts.append(f"Cooperating costs the agents here. {lone}, more than with {_earned(less, others)}; see {PAGE}")
    if more:
        parts.append(f"{'They earn' if less else lone + ','} less than with {_earned(more, others)}")
    return f"{'. '.join(parts)}." if parts else f"{lone}, as much as with {_earned(list(others), others)}."


def _reward(result: Result) -> str:
    return number(float(result.own_reward.mean()), 3)


def _earned(names: list[str], results: Mapping[str, Result]) -> str:
    return joined([f"{name} ({_reward(results[name])})" for name in names])


def both_regrets(results: Mapping[str, Result], n: int) -> str:
    """Table n: both regrets and the mean reward of a pull."""
    common, own, paid = (
        {name: student_interval(values(r)) for name, r in results.items()}
        for values in (_common_regret, _own_regret, _own_reward)
    )
    lines = [
        [name, _GOALS.get(goal(r), goal(r)), _cell(common, name), _cell(own, name), _cell(paid, name)]
        for name, r in results.items()
    ]
    best, best_own = ceilings(next(iter(results.values())))
    caption = (
        f"Table {n}. Two goals at the horizon: regret against the arm that is best for all, regret of each agent "
        "against its own best arm, both summed over agents, and the mean reward of a pull, with half-widths of "
        f"95{PERCENT} Student intervals. The common arm would pay {number(best, 4)} a pull, own best arms "
        f"{number(best_own, 4)}."
    )
    header = ["Algorithm", "Is after", "Common regret", "Own regret", "Reward a pull"]
    return table(caption, header, lines, left=(0, 1))


def _common_regret(result: Result) -> NDArray[np.float64]:
    return result.regret[:, -1]


def _own_regret(result: Result) -> NDArray[np.float64]:
    return result.own_regret


def _own_reward(result: Result) -> NDArray[np.float64]:
    return result.own_reward


def _cell(values: Mapping[str, tuple[NDArray[np.float64], NDArray[np.float64]]], name: str) -> str:
    """Mean and half-width."""
    places = places_by_error([float(m) for m, _ in values.values()], [float(h) for _, h in values.values()])
    mean, half = (float(x) for x in values[name])
    return number(mean, places) + ("" if np.isnan(half) else f" ± {number(half, places)}")
