"""Definition 1, multiplicity and effective corruption, computed from what agents really held."""

from pathlib import Path
from typing import Literal

import numpy as np

import folkmoot as fm
from folkmoot.reproductions.claims import Claims
from folkmoot.theory import effective_corruption_of_run, multiplicity

from . import settings as s

HORIZON, BUDGET = 2_000, 100.0
_PROTOCOLS: dict[Literal["S1", "S2", "S3"], fm.Algorithm] = {
    "S1": fm.S1(radius="naive"),
    "S2": fm.S2(radius="naive"),
    "S3": fm.S3(radius="naive"),
}


def multiplicities(out: Path, jobs: int, progress: bool) -> bool:
    """Lemma 1: multiplicity N for S1, 1 for S2 and S3? Counted in runs: S1 and S2 have the same, N or 1."""
    claims = Claims("corruption/multiplicity", out)
    rows = []
    for n in s.TEAMS:
        found = {}
        for name, algorithm in _PROTOCOLS.items():
            result = fm.simulate(
                algorithm, s.with_gap(s.SCALARISATIONS["linear"], n, 0), s.network(n), horizon=HORIZON, replicates=1,
                seed=s.SEED, checkpoints=[HORIZON], corruption=s.adversary(BUDGET), observe=("samples", "total"),
                jobs=jobs, progress=progress,
            )  # fmt: skip
            each = effective_corruption_of_run(result)
            distinct = effective_corruption_of_run(result, count="distinct")
            spent = float(result.corruption_spent[0])
            found[name] = each, distinct
            rows.append(
                [n, name, multiplicity(name, n), *(_one(x.multiplicity) for x in (each, distinct)), f"{spent:.1f}",
                 f"{each.total:.1f}", f"{distinct.total:.1f}"]
            )  # fmt: skip
        same = all(
            np.array_equal(a.multiplicity, b.multiplicity) for a, b in zip(found["S1"], found["S2"], strict=True)
        )
        claims.claim(f"N = {n}: S1 and S2 have one multiplicity, by either count (E-7)", same)
        own = all((x.multiplicity[x.multiplicity > 0] == 1).all() for x in found["S3"])
        claims.claim(f"N = {n}: S3's is 1", own)
    claims.table(
        f"One run each, Gamma = {BUDGET:g}, {HORIZON:,} rounds",
        ["N", "", "Lemma 1", "counted by agents", "distinct estimators", "spent", "Gamma_eff, agents",
         "Gamma_eff, distinct"], rows, "multiplicity.csv",
    )  # fmt: skip
    claims.say("Lemma 1 counts S1 by agents and S2 by what they hold. One count for both gives both N, or both 1.")
    return claims.all_hold


def _one(rho: np.ndarray) -> str:
    """The multiplicity of all arms that were pulled, or from-to."""
    low, high = int(rho[rho > 0].min()), int(rho.max())
    return str(low) if low == high else f"{low}-{high}"
