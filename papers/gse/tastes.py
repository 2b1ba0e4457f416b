"""Beyond the paper: agents with different means on sparse graphs, which no published figure has."""

from pathlib import Path

import numpy as np

import folkmoot as fm
from folkmoot.report.plots import plot_setting
from folkmoot.reproductions.claims import Claims
from folkmoot.simulation.result import Result, student_interval

from . import settings as s

DEGREES, LINK, REPLICATES = (2, 4, 8, 14), 0.1, 10
CONTENDERS: dict[str, fm.Algorithm] = {
    "GSE": fm.GSE(),
    "FloodSE": fm.FloodSE(),
    "Dist_UCB": fm.DistUCB(),
    "Central UCB (oracle)": fm.CentralUCB(),
    "UCB (alone)": fm.UCB(),
}


def tastes(out: Path, jobs: int, progress: bool) -> bool:
    """Table 1's graphs with unequal means: figure 1a's instance, links up with 0.1; FloodSE beside GSE."""
    claims, rewards = Claims("gse/tastes", out), s.heterogeneous()
    found: dict[str, list[Result]] = {name: [] for name in CONTENDERS}
    for degree in DEGREES:
        for name, algorithm in CONTENDERS.items():
            found[name].append(
                fm.simulate(
                    algorithm, rewards, fm.ErdosRenyi(s.circulant(degree), LINK), horizon=s.HORIZON,
                    replicates=REPLICATES, checkpoints=[s.HORIZON], jobs=jobs, progress=progress,
                )
            )  # fmt: skip
    pairs = {name: [student_interval(r.regret_per_agent[:, -1]) for r in row] for name, row in found.items()}
    uniform = s.HORIZON * float(rewards.gaps.mean())
    claims.table(
        f"Regret an agent after {s.HORIZON:,} rounds, {REPLICATES} runs, p = {LINK:g}; uniform play has {uniform:.0f}",
        ["", *(f"degree {d}" for d in DEGREES)],
        [
            *([name, *(f"{float(m):.0f} ± {float(h):.0f}" for m, h in row)] for name, row in pairs.items()),
            ["runs in which GSE drops the best arm", *map(_wrong, found["GSE"])],
            ["runs in which FloodSE does", *map(_wrong, found["FloodSE"])],
            ["agents that have settled, GSE", *map(_settled, found["GSE"])],
            ["agents that have settled, FloodSE", *map(_settled, found["FloodSE"])],
            ["does GSE warn?", *("yes" if r.configuration.get("remarks") else "no" for r in found["GSE"])],
        ],
        "tastes.csv",
    )
    curves = {name: ([float(m) for m, _ in row], [float(h) for _, h in row]) for name, row in pairs.items()}
    label = f"degree of the circulant graph on 16 agents; unequal means, p = {LINK:g}"
    claims.picture("tastes.png", plot_setting(label, DEGREES, curves, regret="final regret an agent"))
    gse, flood, oracle = (np.array(curves[name][0]) for name in ("GSE", "FloodSE", "Central UCB (oracle)"))
    claims.claim("FloodSE's regret is below GSE's on every graph", bool((flood < gse).all()))
    claims.claim(
        f"and at most 4 times the oracle's ({(flood / oracle).max():.2f} times)", float((flood / oracle).max()) <= 4.0
    )
    claims.claim("FloodSE drops a best arm in no run", not any(_wrong(r) for r in found["FloodSE"]))
    return claims.all_hold


def _wrong(result: Result) -> int:
    """Runs in which somebody has settled on an arm that is not the best."""
    return int(((result.decisions >= 0) & (result.gaps[result.decisions] > 0.0)).any(axis=1).sum())


def _settled(result: Result) -> str:
    return f"{float((result.decisions >= 0).mean()):.0%}"
