"""E-22: on two cliques with one bridge the published radius of GSE drops the best arm; FloodSE beside it.

FloodSE is ours (docs/decisions/0031-flood-se.md); the paper does not know it.
"""

from collections.abc import Mapping
from pathlib import Path

import folkmoot as fm
from folkmoot.reproductions.claims import Claims
from folkmoot.simulation.result import Result, student_interval

from . import settings as s
from .flood_games import ORACLE

CONTENDERS: Mapping[str, fm.Algorithm] = {
    "FloodSE": fm.FloodSE(),
    "GSE": fm.GSE(),
    "Dist_UCB": fm.DistUCB(),
    ORACLE: fm.CentralUCB(),
    "UCB (alone)": fm.UCB(),
}


def _row(result: Result) -> list[str]:
    mean, half = student_interval(result.regret_per_agent[:, -1])
    uniform = result.horizon * float(result.gaps.mean())
    wrong = (result.decisions >= 0) & (result.gaps[result.decisions] > 0.0)
    settled = result.decided_at[result.decided_at > 0]
    return [
        f"{float(mean):.2f} ± {float(half):.2f}",
        f"{100 * float(mean) / uniform:.2f} %",
        f"{result.summary()['best_arm_share']:.4f}",
        str(int(wrong.any(axis=1).sum())),
        f"{int(settled.max()):,}" if len(settled) == result.decided_at.size else "",
        f"{result.summary()['bytes'] / 1e6:.2f}",
    ]


_HEADER = ["regret an agent", "of uniform play", "best arm", "runs that drop it", "last settled", "MB sent"]


def e22(out: Path, jobs: int, progress: bool) -> bool:
    """E-22: on two cliques with one bridge GSE drops the best arm, in every run; FloodSE does not."""
    claims = Claims("gse/e22", out)
    rewards, network = s.two_cliques()
    results = {
        name: fm.simulate(algorithm, rewards, network, horizon=20_000, replicates=5, jobs=jobs, progress=progress)
        for name, algorithm in CONTENDERS.items()
    }
    claims.table(
        "80 + 120 agents, one bridge, p = 0.9, 20,000 rounds, 5 replicates; arm 1 is best by 0.06",
        ["algorithm", *_HEADER], [[name, *_row(result)] for name, result in results.items()], "e22.csv",
    )  # fmt: skip
    gse, flood = results["GSE"], results["FloodSE"]
    claims.claim("GSE: all agents settle on the wrong arm, in every run", bool((gse.decisions == 0).all()))
    claims.claim("it warns that its condition is not met", bool(gse.configuration.get("remarks")))
    claims.claim("FloodSE: all agents settle on the best arm, in every run", bool((flood.decisions == 1).all()))
    claims.claim(
        "FloodSE: share of best-arm pulls above .99", all(x > 0.99 for x in flood.pulls[:, :, 1].mean(axis=1) / 20_000)
    )
    return claims.all_hold
