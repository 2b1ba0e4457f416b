"""Two goals, never mixed up: the arm that is best for all agents together, and each agent's own best arm."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from folkmoot.report.page import table
from folkmoot.report.tables import Difference, difference_of, is_oracle
from folkmoot.report.words import PERCENT, ceilings, joined, number, places_by_error, plural, two_goals
from folkmoot.simulation.result import Result, student_interval

PAGE = "docs/when-not-to-cooperate.md"
_GOALS = {
    "common": "common arm",
    "own": "own best arm",
    "cluster": "cluster's best arm",
}
_NO_LONE = (
    "None of these algorithms lets each agent play for itself. Add UCB to see what an agent would earn alone: "
    f"{PAGE} says why."
)


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


class Verdict(NamedTuple):
    """Whether it pays an agent to cooperate, in one world.

    Attributes:
        lone: the algorithm with which agents that play for themselves earn most; "" if there is none.
        less: cooperative algorithms with which agents earn less than with that.
        more: those with which they earn more.
        others: all that do not let agents play for themselves.
    """

    lone: str
    less: list[str]
    more: list[str]
    others: list[str]


def remarks(results: Mapping[str, Result]) -> list[str]:
    """Sentences for results of one world: which goals there are, and where cooperating costs the agents' own reward.

    None where all agents have one best arm, and where the means are not known.
    """
    if not shown(results):
        return []
    return [_ceilings_said(results), _verdict_said(results, verdict(results))]


def remarks_of_worlds(worlds: Sequence[Mapping[str, Result]]) -> list[str]:
    """The same for the worlds of a grid, each with results by name; worlds where all agents have one best arm are
    left out.
    """
    differ = [world for world in worlds if shown(world)]
    if len(differ) <= 1 and len(worlds) == 1:
        return remarks(worlds[0])
    if not differ:
        return []
    first = [_ceilings_said(world) for world in differ]
    share = "in each world" if len(differ) == len(worlds) else f"in {len(differ):,} of {plural(len(worlds), 'world')}"
    said = (
        first[0]
        if len(set(first)) == 1 and len(differ) == len(worlds)
        else f"Agents differ in which arm is best for them, {share}. Regret here is held against the arm that is best "
        "for all together; the table on two goals has what each agent's own best arm would pay."
    )
    return [said, _verdicts_said([verdict(world) for world in differ])]


def _ceilings_said(results: Mapping[str, Result]) -> str:
    common, own = ceilings(next(iter(results.values())))
    return (
        f"Agents differ in which arm is best for them. Regret here is held against the arm that is best for all "
        f"together; it pays {number(common, 3)} a pull, averaged over agents. Each agent's own best arm would pay "
        f"{number(own, 3)}."
    )


def verdict(results: Mapping[str, Result]) -> Verdict:
    """Does it pay an agent to cooperate, in this world?"""
    alone = {name: r for name, r in results.items() if goal(r) == "own" and not is_oracle(r)}
    others = {name: r for name, r in results.items() if goal(r) != "own" and not is_oracle(r)}
    if not others or not alone:
        return Verdict("", [], [], list(others))
    lone = max(alone, key=lambda n: float(alone[n].own_reward.mean()))
    found = {n: _compared(alone[lone], r) for n, r in others.items()}
    less = [n for n, d in found.items() if d is not None and d.mean > 0.0 and d.significant is not False]
    more = [n for n, d in found.items() if d is not None and d.mean < 0.0 and d.significant is not False]
    return Verdict(lone, less, more, list(others))


def _verdict_said(results: Mapping[str, Result], found: Verdict) -> str:
    if not found.others:
        return ""
    if not found.lone:
        return _NO_LONE
    name, others = found.lone, results
    lone = f"With {name}, where each plays for itself, agents earn {_reward(results[name])} a pull"
    parts = []
    if found.less:
        parts.append(
            f"Cooperating costs the agents here. {lone}, more than with {_earned(found.less, others)}; see {PAGE}"
        )
    if found.more:
        parts.append(f"{'They earn' if found.less else lone + ','} less than with {_earned(found.more, others)}")
    return f"{'. '.join(parts)}." if parts else f"{lone}, as much as with {_earned(found.others, others)}."


def _verdicts_said(found: Sequence[Verdict]) -> str:
    """The same of many worlds: in how many of them."""
    if not any(one.others for one in found):
        return ""
    told = [one for one in found if one.lone]
    if not told:
        return _NO_LONE
    total = len(told)

    def of(part: int) -> str:
        return f"each of {plural(total, 'world')}" if part == total > 1 else f"{part:,} of {plural(total, 'world')}"

    costs, pays = ([one for one in told if getattr(one, what)] for what in ("less", "more"))
    parts = []
    if costs:
        parts.append(
            f"Cooperating costs the agents in {of(len(costs))}. With {_named([one.lone for one in costs])}, "
            f"where each plays for itself, they earn more a pull than with "
            f"{_times([n for one in costs for n in one.less])}; see {PAGE}."
        )
    if pays:
        parts.append(
            f"Cooperating pays in {of(len(pays))}: agents earn more a pull with "
            f"{_times([n for one in pays for n in one.more])} than each for itself."
        )
    return " ".join(parts) or f"Whether agents cooperate makes no sure difference to what they earn, in {of(total)}."


def _named(names: Sequence[str]) -> str:
    return " or ".join(dict.fromkeys(names))


def _times(names: Sequence[str]) -> str:
    """Such as "GSE (2 worlds) and DrFed (1 world)"."""
    return joined([f"{name} ({plural(names.count(name), 'world')})" for name in dict.fromkeys(names)])


def _reward(result: Result) -> str:
    return number(float(result.own_reward.mean()), 3)


def _earned(names: list[str], results: Mapping[str, Result]) -> str:
    return joined([f"{name} ({_reward(results[name])})" for name in names])


def both_regrets(results: Mapping[str, Result], n: int) -> str:
    """Table n: both regrets and the mean reward of a pull; what arms pay, in columns if that differs by world."""
    common, own, paid = (
        {name: student_interval(values(r)) for name, r in results.items()}
        for values in (_common_regret, _own_regret, _own_reward)
    )
    lines = [
        [name, _GOALS.get(goal(r), goal(r)), _cell(common, name), _cell(own, name), _cell(paid, name)]
        for name, r in results.items()
    ]
    most = {name: ceilings(result) for name, result in results.items()}
    best, best_own = next(iter(most.values()))
    one = len(set(most.values())) == 1
    pay = f" The common arm would pay {number(best, 4)} a pull, own best arms {number(best_own, 4)}." if one else ""
    caption = (
        f"Table {n}. Two goals at the horizon: regret against the arm that is best for all, regret of each agent "
        "against its own best arm, both summed over agents, and the mean reward of a pull, with half-widths of "
        f"95{PERCENT} Student intervals.{pay}"
    )
    header = ["Algorithm", "Is after", "Common regret", "Own regret", "Reward a pull"]
    if not one:
        header += ["Common arm pays", "Own best arms pay"]
        lines = [
            [*line, *(number(value, 4) for value in most[name])] for line, name in zip(lines, results, strict=True)
        ]
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
