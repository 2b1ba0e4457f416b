"""Tables of results: final values with intervals, paired differences, and the same as CSV.

Algorithms of one comparison meet the same worlds: replicate r has the same coins for all of them. So
differences are taken replicate by replicate, and the interval is that of the paired differences.
"""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from math import isnan, nan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from folkmoot.errors import brief
from folkmoot.simulation.measures import standard_deviation
from folkmoot.simulation.result import Result, student_interval
from folkmoot.simulation.swept import ALGORITHM, label_of, swept_columns

CURVES_HEADER = (ALGORITHM, "what", "round", "mean", "std", "low", "high", "replicates")
ORACLES = frozenset({"CentralUCB"})  # see what no agent could: no fair reference
_WORLD = ("rewards", "network", "corruption", "verification", "liars", "presence", "feedback", "horizon", "seed")


@dataclass(frozen=True)
class FinalRow:
    """One algorithm at the horizon. Means are over replicates; intervals are 95 % Student, NaN for one replicate.

    Attributes:
        name: as in the comparison.
        replicates, n_agents, n_arms, horizon: the sizes.
        regret_mean, regret_low, regret_high: cumulative expected regret summed over agents, and its interval.
        regret_std: standard deviation over replicates.
        regret_per_agent_mean, regret_per_agent_low, regret_per_agent_high: the same divided by the agents.
        best_arm_share: share of all pulls that went to a best arm, in [0, 1].
        own_regret_mean, own_regret_low, own_regret_high: regret of each agent against its own best arm, summed over
            agents, and its interval; NaN where the means are not known.
        own_reward_mean: expected reward of a pull for the agent that pulls; NaN likewise.
        messages, bytes: what the network carried in a replicate, mean.
        agent_steps_per_second: of one worker; compilation counts where it happened.
        corruption_spent: by the adversary in a replicate, mean; 0 without one.
        verified: pulls in a replicate, mean.
        decided_share: share of the agents that have settled on an arm for good, in [0, 1].
        settled_share, settled_at: share of the replicates in which all agents have settled, and the mean round of that.
        agreed_share, agreed_at: the same for all on one arm.
    """

    name: str
    replicates: int
    n_agents: int
    n_arms: int
    horizon: int
    regret_mean: float
    regret_low: float
    regret_high: float
    regret_std: float
    regret_per_agent_mean: float
    regret_per_agent_low: float
    regret_per_agent_high: float
    best_arm_share: float
    messages: float
    bytes: float
    agent_steps_per_second: float
    corruption_spent: float
    verified: float
    decided_share: float
    own_regret_mean: float
    own_regret_low: float
    own_regret_high: float
    own_reward_mean: float
    settled_share: float
    settled_at: float
    agreed_share: float
    agreed_at: float


@dataclass(frozen=True)
class Difference:
    """Final regret of one algorithm minus that of another, over the replicates both have.

    Attributes:
        name, reference: the two; negative means that `name` has less regret.
        replicates: how many pairs.
        mean, low, high: paired difference and its 95 % Student interval (NaN for one pair).
        ratio: mean regret of `name` divided by that of `reference`; NaN where the latter is 0.
        significant: does the interval exclude 0? None if there is no interval.
    """

    name: str
    reference: str
    replicates: int
    mean: float
    low: float
    high: float
    ratio: float
    significant: bool | None


def check_results(results: Mapping[str, Result]) -> None:
    """Refuse what is not a non-empty mapping of names to results.

    Raises:
        ValueError: anything else.
    """
    if not isinstance(results, Mapping):
        raise ValueError(f"results = {type(results).__name__}: expected a dictionary of results by name")
    if not results:
        raise ValueError("results: expected at least one, got none")
    for name, result in results.items():
        if not isinstance(name, str) or not isinstance(result, Result):
            raise ValueError(f"results[{brief(name)}] = {type(result).__name__}: expected a Result under a name")


def is_oracle(result: Result) -> bool:
    """Does its algorithm see what no agent could?"""
    return result.configuration.get("algorithm", {}).get("type") in ORACLES


def default_reference(results: Mapping[str, Result]) -> str:
    """The first algorithm that is no oracle; the first if all are."""
    check_results(results)
    return next((name for name, result in results.items() if not is_oracle(result)), next(iter(results)))


def same_world(a: Result, b: Result) -> bool:
    """Do the two share rewards, network, adversary, budgets, horizon and seed, so that replicates can be paired?"""
    alike = all(a.configuration.get(key) == b.configuration.get(key) for key in _WORLD)
    if not alike or a.pulls.shape[1:] != b.pulls.shape[1:] or a.gaps.ndim != b.gaps.ndim:
        return False
    return a.gaps.ndim > 1 or np.array_equal(a.gaps, b.gaps)  # means drawn anew are those of the seed


def world_key(result: Result) -> str:
    """A text that two results share if, and only if, they are of the same world."""
    told = {key: result.configuration.get(key) for key in _WORLD}
    drawn = "drawn anew" if result.gaps.ndim > 1 else result.gaps.tolist()
    return json.dumps([told, result.pulls.shape[1:], drawn], sort_keys=True, default=str)


def final_table(results: Mapping[str, Result]) -> list[FinalRow]:
    """One row an algorithm, in the given order.

    Raises:
        ValueError: no results, or something that is not a Result.
    """
    check_results(results)
    return [_final_row(name, result) for name, result in results.items()]


def corruption_columns(results: Mapping[str, Result]) -> dict[str, str]:
    """Which of FinalRow's accounts a table is to show, with their headings: those for which there was a budget."""
    configurations = [result.configuration for result in results.values()]
    columns = {"corruption": ("corruption_spent", "Corruption spent"), "verification": ("verified", "Verified pulls")}
    return dict(column for budget, column in columns.items() if any(c.get(budget) for c in configurations))


def _final_row(name: str, result: Result) -> FinalRow:
    values = result.summary()
    names = {field.name for field in fields(FinalRow)} & values.keys() - {"name"}
    agents = int(result.counted.sum())
    return FinalRow(
        name=name,
        regret_per_agent_low=values["regret_low"] / agents,
        regret_per_agent_high=values["regret_high"] / agents,
        **{key: values[key] for key in names},
    )


def paired_difference(results: Mapping[str, Result], name: str, reference: str) -> Difference:
    """One algorithm against another in the same worlds.

    Raises:
        ValueError: a name is unknown, the worlds differ, or no replicate is common to both.
    """
    check_results(results)
    for wanted in (name, reference):
        if wanted not in results:
            raise ValueError(f"algorithm {brief(wanted)}: unknown; there are {', '.join(map(repr, results))}")
    a, b = results[name], results[reference]
    if not same_world(a, b):
        raise ValueError(f"{name!r} and {reference!r} met different worlds: a paired difference needs the same world")
    return difference_of(name, _finals(a), reference, _finals(b))


def difference_of(name: str, ours: Mapping[int, float], reference: str, theirs: Mapping[int, float]) -> Difference:
    """One value a replicate against another, by the number of the replicate.

    Raises:
        ValueError: no replicate is common to both.
    """
    common = [replicate for replicate in ours if replicate in theirs]
    if not common:
        raise ValueError(f"{brief(name)} and {brief(reference)} have no replicate in common: expected at least one")
    x, y = (np.array([side[replicate] for replicate in common]) for side in (ours, theirs))
    mean, half = (float(value) for value in student_interval(x - y))
    low, high = mean - half, mean + half
    ratio = float(x.mean() / y.mean()) if y.mean() > 0.0 else nan
    return Difference(name, reference, len(common), mean, low, high, ratio, _excludes_zero(low, high))


def _finals(result: Result) -> dict[int, float]:
    """Final regret by the number of the replicate."""
    final: NDArray[np.float64] = result.regret[:, -1]
    numbers = result.configuration.get("replicates", range(result.replicates))
    return {int(number): float(value) for number, value in zip(numbers, final, strict=True)}


def _excludes_zero(low: float, high: float) -> bool | None:
    return None if isnan(low) else not low <= 0.0 <= high


def paired_differences(results: Mapping[str, Result], reference: str | None = None) -> list[Difference]:
    """Every other algorithm against one of them, in the given order.

    Args:
        results: by name, all in the same world.
        reference: the name of that one; by default the first that is no oracle.

    Raises:
        ValueError: the reference is unknown, or the worlds differ.
    """
    against = default_reference(results) if reference is None else reference
    if against not in results:
        raise ValueError(f"reference {brief(against)}: unknown; there are {', '.join(map(repr, results))}")
    return [paired_difference(results, name, against) for name in results if name != against]


def difference_matrix(results: Mapping[str, Result]) -> dict[tuple[str, str], Difference]:
    """All ordered pairs (row, column) of different algorithms: row minus column.

    Raises:
        ValueError: the worlds differ.
    """
    check_results(results)
    return {(a, b): paired_difference(results, a, b) for a in results for b in results if a != b}


def summary_csv(results: Mapping[str, Result]) -> str:
    """The final table as CSV: a header, then a line an algorithm; full precision, empty where undefined.

    Columns on own regret are there if it is known, those on settling if an agent has settled, and of a grid a column
    for each swept value.

    Raises:
        ValueError: no results, or something that is not a Result.
    """
    rows = [asdict(row) for row in final_table(results)]
    left_out: tuple[str, ...] = () if any(result.means is not None for result in results.values()) else ("own_",)
    if not any(row["decided_share"] for row in rows):
        left_out += ("settled_", "agreed_")
    names = [field.name for field in fields(FinalRow) if not field.name.startswith(left_out)]
    return rows_csv(results, [{name: row[name] for name in names} for row in rows])


def rows_csv(results: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows of results as CSV: full precision, empty where undefined; of a grid, at the end, the algorithm and a
    column for each swept value.
    """
    swept = swept_columns(results, rows[0])
    labels = [label_of(name, result) for name, result in results.items()]
    more = {ALGORITHM: labels, **swept} if swept else {}
    names = [*rows[0], *more]
    out = io.StringIO()
    writer = csv.DictWriter(out, names, lineterminator="\n")
    writer.writeheader()
    for n, cells in enumerate(rows):
        told = {**cells, **{key: values[n] for key, values in more.items()}}
        writer.writerow({key: "" if isinstance(x, float) and isnan(x) else x for key, x in told.items()})
    return out.getvalue()


def curves_csv(results: Mapping[str, Result]) -> str:
    """Curves as CSV: for each algorithm, measure and checkpoint the mean over replicates, the standard deviation, and
    the ends of the 95 % Student interval; full precision, empty where undefined.

    Raises:
        ValueError: no results, or something that is not a Result.
    """
    check_results(results)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    swept = swept_columns(results, CURVES_HEADER)
    writer.writerow([ALGORITHM, *swept, *CURVES_HEADER[1:]])
    for n, (name, result) in enumerate(results.items()):
        head = [label_of(name, result), *(values[n] for values in swept.values())]
        for what, values in _curves(result):
            (mean, half), (_, std) = student_interval(values), standard_deviation(values)
            for x in zip(result.checkpoints.tolist(), mean, std, mean - half, mean + half, strict=True):
                cells = ["" if isnan(value) else float(value) for value in x[1:]]
                writer.writerow([*head, what, x[0], *cells, result.replicates])
    return out.getvalue()


def _curves(result: Result) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """What is known at every checkpoint: [replicates, c]."""
    yield "regret", result.regret
    if result.agent_pulls is not None and result.means is not None:
        yield "own_regret", result.own_regret_so_far
    if result.realised is not None:
        yield "realised_regret", result.realised_regret
