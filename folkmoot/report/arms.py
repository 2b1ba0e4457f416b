"""Which arm is best, by how much, and how often each was pulled."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from folkmoot.report.page import Bold, table
from folkmoot.report.words import NO_VALUE, joined, number, percent
from folkmoot.simulation.result import Result

_SHOWN = 12


def arm_names(result: Result) -> list[str]:
    """The names of the arms if the reward law, or the one inside it, gives them; else nothing."""
    law = result.configuration.get("rewards", {})
    while isinstance(law, Mapping):
        if law.get("arm_names"):
            return [str(name) for name in law["arm_names"]]
        law = law.get("inner")
    return []


def best_arm(result: Result) -> str:
    """Which arm is best for all agents together, and by how much; "" when all arms are equally good, or when each
    replicate has means of its own. Arms within 1e-12 of the best are as good.
    """
    if result.lost is not None:
        return (
            "Means move from round to round, and with them the best arm: regret holds each pull against the arm that "
            "is best for all agents together in its round."
        )
    if result.gaps.ndim > 1 or result.best.all():
        return ""
    names = arm_names(result) or [f"arm {k}" for k in range(result.n_arms)]
    order = np.argsort(result.gaps, kind="stable")
    best = [k for k in order if result.best[k]]
    next_ = order[len(best)]
    are, its = ("is", "its") if len(best) == 1 else ("are", "their")
    return (
        f"Best for all agents together {are} {_listed([names[k] for k in best])}: {its} mean reward, averaged over "
        f"agents, is {result.gaps[next_]:.3g} above that of {names[next_]}, the next."
    )


def _listed(names: list[str]) -> str:
    return joined(names) if len(names) <= _SHOWN else f"{len(names):,} arms"


def pulls_by_arm(results: Mapping[str, Result], n: int) -> str:
    """Table n: the share of all pulls that went to each arm; by rank where each replicate has means of its own."""
    first = next(iter(results.values()))
    if first.gaps.ndim > 1:
        return _pulls_by_rank(results, n)
    names = arm_names(first)
    order = sorted(range(first.n_arms), key=lambda k: float(first.gaps[k]))
    shown, rest = order[:_SHOWN], order[_SHOWN:]
    pulls = [_counted(result).sum(axis=(0, 1)) for result in results.values()]
    shares = [each / each.sum() for each in pulls]
    lines = []
    for k in shown:
        best = bool(first.best[k])
        label = f"{k}{f': {names[k]}' if k < len(names) else ''}{' (best)' if best else ''}"
        cells = [number(float(first.gaps[k]), 4), *(percent(float(share[k])) for share in shares)]
        lines.append([Bold(label) if best else label, *cells])
    if rest:
        together = [percent(float(share[rest].sum())) for share in shares]
        lines.append([f"the other {len(rest):,}", NO_VALUE, *together])
    over_rounds = ", averaged over rounds too" if first.lost is not None else ""
    caption = (
        f"Table {n}. Share of all pulls by arm, over {_who(results)}, rounds and replicates. The gap is how far the "
        f"arm's mean reward, averaged over agents, lies below that of the best{over_rounds}."
    )
    return table(caption, ["Arm", "Gap", *results], lines)


def _counted(result: Result) -> NDArray[np.int64]:
    """Pulls of those whose regret counts, int64 [replicates, counted agents, n_arms]."""
    return result.pulls[:, result.counted]


def _who(results: Mapping[str, Result]) -> str:
    return "agents" if all(result.counted.all() for result in results.values()) else "honest agents"


def _pulls_by_rank(results: Mapping[str, Result], n: int) -> str:
    first = next(iter(results.values()))
    shares = []
    for result in results.values():
        order = np.argsort(result.gaps, axis=1, kind="stable")
        pulls = np.take_along_axis(_counted(result).sum(axis=1), order, axis=1).sum(axis=0)
        shares.append(pulls / pulls.sum())
    gaps = np.sort(first.gaps, axis=1).mean(axis=0)
    lines = [
        [f"{k + 1}{' (best)' if k == 0 else ''}", number(float(gaps[k]), 4), *(percent(float(s[k])) for s in shares)]
        for k in range(min(_SHOWN, first.n_arms))
    ]
    caption = (
        f"Table {n}. Share of all pulls by the rank of the arm in its replicate, over {_who(results)}: each replicate "
        "has means of its own. The gap is the mean one over replicates."
    )
    return table(caption, ["Rank", "Gap", *results], lines)
