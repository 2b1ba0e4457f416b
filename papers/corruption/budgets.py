"""Figures 1 and 2: regret against the adversary's budget; what really separates S1 from S2."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

import folkmoot as fm
from folkmoot.report.plots import plot_setting
from folkmoot.reproductions.claims import Claims
from folkmoot.simulation.result import student_interval
from folkmoot.simulation.simulate import make_job

from . import settings as s
from .runs import play, regrets

TOLERANCE = 0.25  # by how much, relatively, a ratio of slopes may miss N
RESAMPLES = 2_000
Maker = Callable[[int, float], fm.Algorithm]  # (n_agents, budget) -> algorithm
Surface = NDArray[np.float64]  # [budgets, instances] final regrets


class Slope(NamedTuple):
    """A line fitted to each instance's regret, over the budgets where corruption dominates."""

    budgets: NDArray[np.float64]
    each: NDArray[np.float64]  # [instances]

    def text(self) -> str:
        """Mean and 95 % interval."""
        mean, half = student_interval(self.each)
        return f"{float(mean):.1f} ± {float(half):.1f}"


def surface(
    name: str, scalarisation: str, n_agents: int, maker: Maker, budgets: Sequence[float], workers: int, progress: bool
) -> Surface:
    """Every instance at every budget."""
    rows, network = [], s.network(n_agents)
    for budget in budgets:
        jobs = [
            make_job(
                maker(n_agents, budget),
                s.rewards(s.SCALARISATIONS[scalarisation], n_agents, x),
                network,
                horizon=s.HORIZON,
                seed=s.SEED,
                checkpoints=[s.HORIZON],
                corruption=s.adversary(budget),
            )
            for x in range(s.INSTANCES)
        ]
        label = f"{scalarisation}, {name}, N = {n_agents}, budget {budget:g}"
        rows.append(regrets(jobs, play(label, jobs, workers, progress)))
    return np.array(rows)


def uniform_play(scalarisation: str, n_agents: int) -> float:
    """Mean regret, over the instances, of pulling all arms equally often: where the curves saturate."""
    gaps = [s.rewards(s.SCALARISATIONS[scalarisation], n_agents, x).gaps.mean() for x in range(s.INSTANCES)]
    return float(np.mean(gaps)) * n_agents * s.HORIZON


def slope(found: Surface, budgets: Sequence[float], clean: float, ceiling: float) -> Slope | None:
    """Over the budgets at which corruption dominates: mean regret from twice the clean one to a quarter of the ceiling.

    None if there are fewer than two.
    """
    mean = found.mean(axis=1)
    inside = (mean >= 2.0 * clean) & (mean <= ceiling / 4.0)
    chosen = np.array(budgets)[inside]
    if len(chosen) < 2:
        return None
    centred = chosen - chosen.mean()
    return Slope(chosen, centred @ found[inside] / (centred @ centred))


def between(found: Surface, clean: float, ceiling: float) -> list[float]:
    """Four more budgets, evenly spaced in their logarithm, between the last below that range and the first above."""
    mean = found.mean(axis=1)
    low = max(int(np.flatnonzero(mean < 2.0 * clean)[-1]), 1)
    above = np.flatnonzero(mean > ceiling / 4.0)
    high = int(above[0]) if len(above) else len(mean) - 1
    return [float(b) for b in np.geomspace(s.BUDGETS[low], s.BUDGETS[high], 6)[1:-1]]


def ratio(one: Slope, other: Slope) -> tuple[float, float, float]:
    """Ratio of the mean slopes and its 95 % bootstrap interval over instances, which both share."""
    dice = np.random.default_rng(s.SEED)
    picks = dice.integers(len(one.each), size=(RESAMPLES, len(one.each)))
    drawn = one.each[picks].mean(axis=1) / other.each[picks].mean(axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(one.each.mean() / other.each.mean()), float(low), float(high)


def _compare(
    claims: Claims, scalarisation: str, makers: dict[str, Maker], workers: int, progress: bool, refine: bool = False
) -> dict[tuple[str, int], tuple[Surface, Slope | None]]:
    """Play, tabulate, draw; where corruption dominates at too few budgets for a slope, `refine` plays more of them."""
    found, rows, curves = {}, [], {}
    for n in s.TEAMS:
        ceiling = uniform_play(scalarisation, n)
        for name, maker in makers.items():
            values = surface(name, scalarisation, n, maker, s.BUDGETS, workers, progress)
            clean = float(values[0].mean())
            line = slope(values, s.BUDGETS, clean, ceiling)
            if line is None and refine:
                more = between(values, clean, ceiling)
                line = slope(surface(name, scalarisation, n, maker, more, workers, progress), more, clean, ceiling)
            found[name, n] = values, line
            mean, half = student_interval(values.T)
            fitted = (
                "too few points" if line is None else f"{line.text()} on {line.budgets[0]:.3g}-{line.budgets[-1]:.3g}"
            )
            rows.append([f"{name}, N = {n}", *(f"{m:.0f} ± {h:.0f}" for m, h in zip(mean, half)), fitted])
            curves[f"{name}, N = {n}"] = (mean[1:], half[1:])
    figure = claims.name.rpartition("/")[2]
    claims.table(
        f"{scalarisation}: final regret summed over agents, {s.INSTANCES} instances, 95 % intervals",
        ["budget", *(f"{b:g}" for b in s.BUDGETS), "slope where corruption dominates"],
        rows,
        f"{figure}-{scalarisation}.csv",
    )
    picture = plot_setting(f"corruption budget Γ ({scalarisation} scalarisation)", s.BUDGETS[1:], curves)
    claims.picture(f"{figure}-{scalarisation}.png", picture)
    return found


def fig1(out: Path, jobs: int, progress: bool) -> bool:
    """Figure 1: regret of S1 and S2 against the corruption budget; the ratio of their slopes against N."""
    claims = Claims("corruption/fig1", out)
    for scalarisation in s.SCALARISATIONS:
        found = _compare(
            claims, scalarisation, {"S1": lambda n, b: fm.S1(), "S2": lambda n, b: fm.S2()}, jobs, progress, refine=True
        )
        for n in s.TEAMS:
            one, two = found["S1", n][1], found["S2", n][1]
            if one is None or two is None:
                claims.claim(f"{scalarisation}, N = {n}: corruption dominates at two budgets of both", False)
                continue
            value, low, high = ratio(one, two)
            claims.claim(
                f"{scalarisation}, N = {n}: slope of aware S1 over aware S2 is {value:.2f} [{low:.2f}, {high:.2f}], "
                f"within 25 % of {n}",
                abs(value / n - 1.0) <= TOLERANCE,
            )
    return claims.all_hold


def fig2(out: Path, jobs: int, progress: bool) -> bool:
    """Figure 2: regret of S3 and S2 against the corruption budget."""
    claims = Claims("corruption/fig2", out)
    for scalarisation in s.SCALARISATIONS:
        found = _compare(
            claims, scalarisation, {"S3": lambda n, b: fm.S3(), "S2": lambda n, b: fm.S2()}, jobs, progress
        )
        for n in s.TEAMS:
            three, two = found["S3", n], found["S2", n]
            clean = float(three[0][0].mean() / two[0][0].mean())
            text = "too few points for slopes"
            if three[1] is not None and two[1] is not None:
                value, low, high = ratio(three[1], two[1])
                text = f"slope {value:.2f} [{low:.2f}, {high:.2f}] times S2's"
            claims.say(f"{scalarisation}, N = {n}: S3 without corruption has {clean:.1f} times S2's regret; {text}")
    return claims.all_hold


def separation(out: Path, jobs: int, progress: bool) -> bool:
    """What really separates S1 from S2: with equal radii the curves coincide."""
    claims = Claims("corruption/separation", out)
    makers: dict[str, Maker] = {
        "S1, its own radius": lambda n, b: fm.S1(),
        "S1, S2's radius": lambda n, b: fm.S1(budget=b / n),
        "S2": lambda n, b: fm.S2(),
    }
    scalarisation = "linear"
    found = _compare(claims, scalarisation, makers, jobs, progress)
    for n in s.TEAMS:
        a, b = found["S1, S2's radius", n][0], found["S2", n][0]
        mean, half = student_interval(a.sum(axis=0) / b.sum(axis=0))
        claims.claim(
            f"{scalarisation}, N = {n}: regret of S1 with S2's radius over that of S2 is "
            f"{float(mean):.4f} ± {float(half):.4f}; {int((a == b).sum())} of {a.size} runs equal; 1 is inside",
            abs(float(mean) - 1.0) <= max(float(half), 1e-12),
        )
    return claims.all_hold
